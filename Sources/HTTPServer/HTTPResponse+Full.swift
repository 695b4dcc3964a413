import HTTPCore

/// What clients get for whom there is no room.
extension HTTPResponse {
  /// What a request gets whose body the server has no room for.
  static var full: HTTPResponse {
    error(
      .tooManyRequests,
      "the server holds as much for requests as max_memory_bytes allows, try again later")
  }

  /// What a connection gets that is one too many.
  static var tooManyConnections: HTTPResponse {
    var response = error(
      .tooManyRequests, "the server has as many connections as it takes, try again later")
    response.fields.append("retry-after", "1")
    return response
  }
}
