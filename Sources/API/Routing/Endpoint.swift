/// A path of the service, with the routes that share it and the counters of its requests.
final class Endpoint: Sendable {
  /// One a method.
  let routes: [Route]
  /// The methods that it answers, for `Allow` (RFC 9110 §10.2.1).
  let methods: [String]
  let counters: EndpointCounters
  /// How errors are written; those of the routes of a path are written in one way.
  let errors: Route.ErrorSchema

  /// - Parameter counters: named by the path as documentation writes it.
  init(routes: [Route], methods: [String], counters: EndpointCounters) {
    self.routes = routes
    self.methods = methods
    self.counters = counters
    errors = routes.first?.errors ?? Route.ownErrors
  }

  /// The route of `method`.
  func route(for method: String) -> Route? {
    // The server leaves the body of a response to HEAD out, and no other part of it (RFC 9110 §9.3.2).
    let method = method == "HEAD" ? "GET" : method
    for route in routes where route.method == method { return route }
    return nil
  }

  /// The methods that `routes` answer, each once.
  static func methods(of routes: [Route]) -> [String] {
    var methods: [String] = []
    for method in routes.flatMap({ $0.method == "GET" ? ["GET", "HEAD"] : [$0.method] })
    where !methods.contains(method) {
      methods.append(method)
    }
    return methods + ["OPTIONS"]
  }
}

/// The path of a request: its endpoint, and what stands in the path for the names in the pattern.
struct MatchedPath: Sendable, Hashable {
  /// The endpoint's, as documentation writes it.
  let pattern: String
  /// Few, so that to look through them costs less than a dictionary.
  private let names: [String]
  private let values: [String]

  /// - Parameter values: one for each of `names`.
  init(_ pattern: String, names: [String] = [], values: [String] = []) {
    self.pattern = pattern
    self.names = names
    self.values = values
  }

  /// What stands for `{name}`; nil where the pattern has no such name.
  subscript(name: String) -> String? { names.firstIndex(of: name).map { values[$0] } }
}
