/// The clients that get the trailers of a response.
package enum TrailerAudience: Sendable {
  /// Clients that say that they take them, by `TE: trailers` (RFC 9110 §10.1.4): to others they are lost, and the response
  /// complete without them.
  case clientsThatAsk
  /// Every client: without them the response means nothing, as gRPC's does.
  case everyClient
}

extension HTTPRequest {
  /// Whether its client takes trailers (RFC 9110 §10.1.4).
  package var takesTrailers: Bool {
    fields.values(of: "te").contains { $0.utf8.span.listContains("trailers") }
  }
}

extension HTTPFields.Field {
  /// Whether it may stand behind a body: those that say how a message is framed, routed, read or cached, or who may ask,
  /// are needed before it (RFC 9110 §6.5.1).
  package var mayBeTrailer: Bool { !Self.leading.contains(name) }

  private static let leading: Set<String> = [
    "age", "authorization", "cache-control", "connection", "content-encoding", "content-length",
    "content-range", "content-type", "cookie", "date", "expect", "expires", "host", "keep-alive",
    "location", "max-forwards", "proxy-authenticate", "proxy-authorization", "proxy-connection",
    "range", "retry-after", "set-cookie", "te", "trailer", "transfer-encoding", "upgrade", "vary",
    "www-authenticate",
  ]
}
