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

  /// Another process may be there then.
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
