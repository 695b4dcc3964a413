import Serving

/// Why a request reaches no endpoint, or none that answers now. Cases carry facts; `sentence` words them.
enum RouteError: Error, Equatable, Sendable {
  case noSuchPath(String)
  /// A `%` in a path that two hexadecimal digits do not follow.
  case pathEscape(found: String)
  case method(String, allowed: [String])
  /// A part of a query that is not what it should be.
  case query(name: String, found: String, expected: BodyError.Expectation)
  case notReady(Readiness)
  /// A route for operators only, and a request without the key; or there is no key.
  case notOperator(hasKey: Bool)
}

extension RouteError: FaultSource {
  var kind: Fault.Kind {
    switch self {
    case .noSuchPath: .notFound
    case .pathEscape, .query: .badRequest
    case .method: .methodNotAllowed
    case .notReady: .unavailable
    case .notOperator(hasKey: true): .unauthorized
    // No key that a client could show would do.
    case .notOperator(hasKey: false): .forbidden
    }
  }

  /// Another process may be there then.
  var retryAfterSeconds: Int? {
    if case .notReady = self { Fault.secondsToOtherProcess } else { nil }
  }

  var details: Fault.Details? {
    switch self {
    case .method(_, let allowed): .allowed(allowed)
    case .notOperator(hasKey: true): .bearer
    case .noSuchPath, .pathEscape, .query, .notReady, .notOperator(hasKey: false): nil
    }
  }

  var sentence: String {
    switch self {
    case .noSuchPath(let path): "there is nothing at \(quoted(path)); GET / lists what there is"
    case .pathEscape(let found):
      "the path: found \(quoted(found)), expected % and two hexadecimal digits"
    case .method(let method, let allowed):
      "the method \(quoted(method)) is not allowed here, expected \(list(allowed, "or"))"
    case .query(let name, let found, let expected):
      "?\(name)=: found \(quoted(found)), expected \(expected.phrase)"
    case .notReady(.draining): "the server is about to stop"
    case .notReady: "the server is starting"
    case .notOperator(hasKey: true):
      "sessions are listed for operators only, expected authorization: Bearer and the server's operator_key"
    case .notOperator(hasKey: false):
      "sessions are listed for operators only, and the server has no operator_key by which to know them"
    }
  }
}
