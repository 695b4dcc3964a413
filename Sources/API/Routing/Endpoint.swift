/// A path of the service, with the routes that share it and the counters of its requests.
final class Endpoint: Sendable {
  /// One per method.
  let routes: [Route]
  /// The allowed methods, for `Allow` (RFC 9110 §10.2.1).
  let methods: [String]
  let counters: EndpointCounters
  /// How errors are written: all routes of a path write them in the same way.
  let errors: Route.ErrorSchema

  /// - Parameter counters: labelled with the path as in the documentation.
  init(routes: [Route], methods: [String], counters: EndpointCounters) {
    self.routes = routes
    self.methods = methods
    self.counters = counters
    errors = routes.first?.errors ?? Route.ownErrors
  }

  /// The route of `method`; nil where there is none.
  func route(for method: String) -> Route? {
    // The server sends everything of the response to HEAD except the body (RFC 9110 §9.3.2).
    let method = method == "HEAD" ? "GET" : method
    for route in routes where route.method == method { return route }
    return nil
  }

  /// The methods that `routes` answer, each listed once.
  static func methods(of routes: [Route]) -> [String] {
    var methods: [String] = []
    for method in routes.flatMap({ $0.method == "GET" ? ["GET", "HEAD"] : [$0.method] })
    where !methods.contains(method) {
      methods.append(method)
    }
    return methods + ["OPTIONS"]
  }
}

/// The path of a request: the pattern that it matches, and the values of the pattern's names.
struct MatchedPath: Sendable, Hashable {
  /// The endpoint's path, as in the documentation.
  let pattern: String
  /// So few that a linear search costs less than a dictionary.
  private let names: [String]
  private let values: [String]

  /// - Parameter values: one for each of `names`.
  init(_ pattern: String, names: [String] = [], values: [String] = []) {
    self.pattern = pattern
    self.names = names
    self.values = values
  }

  /// The value of `{name}`; nil where the pattern has no such name.
  subscript(name: String) -> String? { names.firstIndex(of: name).map { values[$0] } }
}
