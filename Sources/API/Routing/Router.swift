/// Finds the endpoint of a path.
struct Router: Sendable {
  /// In the order of the routes.
  let endpoints: [Endpoint]
  /// Answers every path without a route.
  let unknown: Endpoint
  /// Endpoints whose pattern has no names, by path.
  private let literals: [String: Endpoint]
  /// All other endpoints.
  private let patterns: [(PathPattern, Endpoint)]

  /// - Parameter routes: no two of the same method and path.
  init(_ routes: [Route], metrics: Metrics) {
    var paths: [PathPattern] = []
    for route in routes where !paths.contains(route.path) { paths.append(route.path) }
    endpoints = paths.map { path in
      let routes = routes.filter { $0.path == path }
      precondition(Set(routes.map(\.method)).count == routes.count, "two routes are the same")
      return Endpoint(
        routes: routes, methods: Endpoint.methods(of: routes),
        counters: metrics.addEndpoint(path.text))
    }
    unknown = Endpoint(
      routes: [], methods: Endpoint.methods(of: routes), counters: metrics.addEndpoint("unknown"))
    let pairs = Array(zip(paths, endpoints))
    literals = Dictionary(
      uniqueKeysWithValues: pairs.filter(\.0.isLiteral).map { ($0.0.text, $0.1) })
    patterns = pairs.filter { !$0.0.isLiteral }
  }

  /// The endpoint of `path`, in any equivalent spelling (`NormalizedPath`).
  func match(_ path: String) -> (endpoint: Endpoint, path: MatchedPath) {
    let path = NormalizedPath.text(of: path)
    if let endpoint = literals[path] { return (endpoint, MatchedPath(path)) }
    let segments = path.split(separator: "/", omittingEmptySubsequences: false)
    for (pattern, endpoint) in patterns {
      if let values = pattern.values(in: segments) {
        return (endpoint, MatchedPath(pattern.text, names: pattern.names, values: values))
      }
    }
    return (unknown, MatchedPath("unknown"))
  }
}
