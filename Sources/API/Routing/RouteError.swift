import Serving

/// Why no endpoint answers a request. Cases carry facts; `sentence` words them.
enum RouteError: Error, Equatable, Sendable {
  case noSuchPath(String)
  /// A `%` in the path is not followed by two hexadecimal digits.
  case pathEscape(found: String)
  case method(String, allowed: [String])
  /// A part of the query has a wrong value.
  case query(name: String, found: String, expected: BodyError.Expectation)
  case notReady(Readiness)
}

extension RouteError: FaultSource {
  var kind: Fault.Kind {
    switch self {
    case .noSuchPath: .notFound
    case .pathEscape, .query: .badRequest
    case .method: .methodNotAllowed
    case .notReady: .unavailable
    }
  }

  /// After that time, another process may have taken over.
  var retryAfterSeconds: Int? {
    if case .notReady = self { Fault.secondsToOtherProcess } else { nil }
  }

  var details: Fault.Details? {
    switch self {
    case .method(_, let allowed): .allowed(allowed)
    case .noSuchPath, .pathEscape, .query, .notReady: nil
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
    }
  }
}
