/// Which clients get the trailers of a response.
package enum TrailerAudience: Sendable {
  /// Clients that send `TE: trailers` (RFC 9110 §10.1.4). The response must be complete without the trailers: other
  /// clients do not get them.
  case clientsThatAsk
  /// Every client, since without the trailers the response means nothing, as with gRPC.
  case everyClient
}

extension HTTPRequest {
  /// Whether the client accepts trailers (RFC 9110 §10.1.4).
  package var takesTrailers: Bool {
    fields.values(of: "te").contains { $0.utf8.span.listContains("trailers") }
  }
}

extension HTTPFields.Field {
  /// Whether the field may be a trailer. Fields about framing, routing, authentication, content or caching may not:
  /// they are needed before the body (RFC 9110 §6.5.1).
  package var mayBeTrailer: Bool { !Self.leading.contains(name) }

  private static let leading: Set<String> = [
    "age", "authorization", "cache-control", "connection", "content-encoding", "content-length",
    "content-range", "content-type", "cookie", "date", "expect", "expires", "host", "keep-alive",
    "location", "max-forwards", "proxy-authenticate", "proxy-authorization", "proxy-connection",
    "range", "retry-after", "set-cookie", "te", "trailer", "transfer-encoding", "upgrade", "vary",
    "www-authenticate",
  ]
}
