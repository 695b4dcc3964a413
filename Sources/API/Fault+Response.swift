import HTTPCore
import JSON
import Serving

extension Fault {
  /// The error response in the service's own schema: `{"error": "one sentence"}`, with the fault's status and fields.
  var response: HTTPResponse {
    var response = HTTPResponse.error(status, sentence)
    switch details {
    case .session(let id, let steps):
      // For clients that continue the session: `id` and `steps`, as on the session's own page.
      response.addMembers { writer in
        writer.raw(#","id":"#)
        writer.string(id)
        writer.raw(#","steps":"#)
        writer.integer(steps)
      }
    case .rate(let perSecond, let burst, let waitMilliseconds):
      response.addMembers { writer in
        writer.raw(#","limit":{"name":"rate_limit","per_second":"#)
        writer.raw(Array(perSecond.plainText.utf8))
        writer.raw(#","burst":"#)
        writer.integer(burst)
        writer.raw(#","retry_after_ms":"#)
        writer.integer(waitMilliseconds)
        writer.raw("}")
      }
    case .concurrency(let requests):
      response.addMembers { writer in
        writer.raw(#","limit":{"name":"concurrency_limit","requests":"#)
        writer.integer(requests)
        writer.raw("}")
      }
    case .allowed(let methods):
      response.fields.append("allow", methods.joined(separator: ", "))
    // RFC 9110 §15.5.2: a 401 states how to authenticate.
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

extension HTTPResponse {
  /// Appends the members that `write` writes, each with a comma before it, to the JSON object of an error.
  fileprivate mutating func addMembers(_ write: (inout JSONWriter) -> Void) {
    var writer = JSONWriter()
    writer.raw(Array(body.prefix { $0 != UInt8(ascii: "\n") }.dropLast()))
    write(&writer)
    writer.raw("}\n")
    body = writer.bytes
  }
}
