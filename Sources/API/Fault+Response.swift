import HTTPCore
import JSON
import Serving

extension Fault {
  /// The fault in the service's own schema: `{"error": "one sentence"}`, a status and fields.
  var response: HTTPResponse {
    var response = HTTPResponse.error(status, sentence)
    switch details {
    case .session(let id, let steps):
      // For clients that go on from there: `id` and `steps`, as the session's own page has them.
      var writer = JSONWriter()
      writer.raw(Array(response.body.prefix { $0 != UInt8(ascii: "\n") }.dropLast()))
      writer.raw(#","id":"#)
      writer.string(id)
      writer.raw(#","steps":"#)
      writer.integer(steps)
      writer.raw("}\n")
      response.body = writer.bytes
    case .allowed(let methods):
      response.fields.append("allow", methods.joined(separator: ", "))
    // RFC 9110 §15.5.2: a 401 says how to authenticate.
    case .challenge(let challenge): response.fields.append("www-authenticate", challenge)
    case nil: break
    }
    if let seconds = retryAfterSeconds { response.fields.append("retry-after", String(seconds)) }
    return response
  }

  var status: HTTPStatus {
    switch kind {
    case .badRequest: .badRequest
    case .unauthorized: .unauthorized
    case .forbidden: .forbidden
    case .notFound: .notFound
    case .methodNotAllowed: .methodNotAllowed
    case .conflict: .conflict
    case .gone: .gone
    case .tooLarge: .contentTooLarge
    case .unprocessable: .unprocessableContent
    case .tooManyRequests: .tooManyRequests
    case .internalError: .internalServerError
    case .unavailable: .serviceUnavailable
    case .timedOut: .gatewayTimeout
    }
  }
}
