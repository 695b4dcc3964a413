import JSON

extension HTTPResponse {
  /// An error as every part of the server tells it: `{"error": "one sentence"}`.
  package static func error(_ status: HTTPStatus, _ sentence: String) -> HTTPResponse {
    var body = JSONWriter()
    body.raw(#"{"error":"#)
    body.string(sentence)
    body.raw("}\n")
    return HTTPResponse(
      status: status, fields: ["content-type": "application/json"], body: body.bytes)
  }
}
