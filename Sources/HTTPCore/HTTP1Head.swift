/// A request's head, with what it says about the body and the connection.
package struct HTTP1Head: Equatable, Sendable {
  /// How the end of the body is found (RFC 9112 §6.3).
  package enum Framing: Equatable, Sendable {
    /// There is no body.
    case none
    /// The body has this many bytes.
    case sized(Int)
    /// The body comes in chunks.
    case chunked
  }

  /// The request, with an empty body.
  package var request: HTTPRequest
  /// The body's framing.
  package var framing: Framing
  /// Whether the peer speaks HTTP/1.0 rather than 1.1.
  package var isHTTP10: Bool
  /// Whether the peer allows the connection to stay open after this exchange.
  package var keepsAlive: Bool
  /// Whether the peer waits for 100 Continue before it sends the body.
  package var expectsContinue: Bool
}
