import HTTPCore

/// The 429 responses for lack of memory or of connections.
extension HTTPResponse {
  /// The response to a request for whose body there is no memory.
  static var full: HTTPResponse {
    error(
      .tooManyRequests,
      "the server holds as much for requests as max_memory_bytes allows, try again later")
  }

  /// The response to a connection beyond `max_connections`.
  static var tooManyConnections: HTTPResponse {
    var response = error(
      .tooManyRequests, "the server has as many connections as it takes, try again later")
    response.fields.append("retry-after", "1")
    return response
  }

  /// The response to a connection beyond `max_connections_per_address`.
  static var tooManyConnectionsOfAddress: HTTPResponse {
    var response = error(
      .tooManyRequests,
      "this address has as many connections as max_connections_per_address allows, close one of them"
    )
    response.fields.append("retry-after", "1")
    return response
  }
}
