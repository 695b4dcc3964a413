import HTTPCore

/// Why a request that is well-formed HTTP/2 is refused all the same.
enum HTTP2Error: Error, Equatable, Sendable {
  case headTooLong(limit: Int)
  case tooManyFields(limit: Int)
  case methodTooLong(limit: Int)
  case targetTooLong(limit: Int)
  case invalidTarget(String)
  case invalidHost(String)
  case hostDiffers(host: String, authority: String)
  case connectUnsupported
  case unsupportedExpectation(String)
  case bodyTooLong(BodyLimit)
  case timedOut
  case bodyTooSlow(bytesPerSecond: Int)

  /// The response that tells the client the reason.
  var response: HTTPResponse { .error(status, sentence) }

  private var status: HTTPStatus {
    switch self {
    case .headTooLong, .tooManyFields: .requestHeaderFieldsTooLarge
    case .targetTooLong: .uriTooLong
    case .invalidTarget, .invalidHost, .hostDiffers, .methodTooLong: .badRequest
    // RFC 9110 §9.1.
    case .connectUnsupported: .notImplemented
    case .unsupportedExpectation: .expectationFailed
    case .bodyTooLong: .contentTooLarge
    case .timedOut, .bodyTooSlow: .requestTimeout
    }
  }

  private var sentence: String {
    switch self {
    case .headTooLong(let limit):
      "the request head is too long, expected at most \(limit) bytes"
    case .tooManyFields(let limit):
      "the request has too many fields, expected at most \(limit)"
    case .methodTooLong(let limit):
      "the method is longer than \(limit) bytes, as none is that this server knows"
    case .targetTooLong(let limit):
      "the request target is too long, expected at most \(limit) bytes"
    case .invalidTarget(let target):
      "the request target is \"\(target)\", expected a path, or * with OPTIONS"
    case .invalidHost(let host):
      "the host is \"\(host)\", expected a name or address with an optional port"
    case .hostDiffers(let host, let authority):
      "the host is \"\(host)\", expected the same as the authority, \"\(authority)\""
    case .connectUnsupported:
      "the method is CONNECT, expected one that names a resource of this server"
    case .unsupportedExpectation(let value):
      "Expect is \"\(value)\", expected 100-continue"
    case .bodyTooLong(let limit): limit.sentence
    case .timedOut:
      "the request's body did not arrive in time, expected it without a pause"
    case .bodyTooSlow(let rate):
      "the request's body came too slowly, expected at least \(rate) bytes a second"
    }
  }
}
