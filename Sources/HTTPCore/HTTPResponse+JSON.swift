import JSON

extension HTTPResponse {
  /// A response whose body is `body`, a JSON document.
  package static func json(_ body: [UInt8], status: HTTPStatus = .ok) -> HTTPResponse {
    HTTPResponse(status: status, fields: ["content-type": "application/json"], body: body)
  }

  /// An error response in the form that all parts of the server use: `{"error": "one sentence"}`.
  package static func error(_ status: HTTPStatus, _ sentence: String) -> HTTPResponse {
    var body = JSONWriter()
    body.raw(#"{"error":"#)
    body.string(sentence)
    body.raw("}\n")
    return json(body.bytes, status: status)
  }
}
