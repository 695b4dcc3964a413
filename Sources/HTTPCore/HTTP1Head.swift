/// A request's head and what it says about the bytes after it and the connection.
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

  /// The request, its body still empty.
  package var request: HTTPRequest
  /// The body's framing.
  package var framing: Framing
  /// Whether the peer speaks HTTP/1.0 rather than 1.1.
  package var isHTTP10: Bool
  /// Whether the connection outlives this exchange, as far as the peer is concerned.
  package var keepsAlive: Bool
  /// Whether the peer waits for 100 Continue before it sends the body.
  package var expectsContinue: Bool
}
