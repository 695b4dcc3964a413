import JSON

extension HTTPResponse {
  /// A response whose body is that JSON.
  package static func json(_ body: [UInt8], status: HTTPStatus = .ok) -> HTTPResponse {
    HTTPResponse(status: status, fields: ["content-type": "application/json"], body: body)
  }

  /// An error as every part of the server tells it: `{"error": "one sentence"}`.
  package static func error(_ status: HTTPStatus, _ sentence: String) -> HTTPResponse {
    var body = JSONWriter()
    body.raw(#"{"error":"#)
    body.string(sentence)
    body.raw("}\n")
    return json(body.bytes, status: status)
  }
}
