import Scheduling

/// What the service counts of its requests. Recording takes no lock.
final class Metrics: Sendable {
  /// Stands for a client that left before its answer, as nginx does it.
  static let abandonedStatus = 499
  /// Statuses with a counter of their own: all that the service answers. One more takes any other.
  static let statuses = [
    200, 400, 401, 403, 404, 405, 409, 410, 413, 422, 429, 499, 500, 503, 504,
  ]

  /// An array of counters an endpoint, a counter a status.
  private let requests = Endpoint.allCases.map { _ in (0...statuses.count).map { _ in Counter() } }
  private let durations = Endpoint.allCases.map { _ in
    Histogram(upperBounds: [
      0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1,
      2.5, 5, 10,
    ])
  }

  /// Records a request that was answered, or that its client left.
  func record(_ endpoint: Endpoint, status: Int, seconds: Double) {
    let slot = Self.statuses.firstIndex(of: status) ?? Self.statuses.count
    requests[endpoint.rawValue][slot].add()
    durations[endpoint.rawValue].record(seconds)
  }

  /// Requests of `endpoint` by status, where there were any.
  func requests(of endpoint: Endpoint) -> [(status: String, count: UInt64)] {
    let names = Self.statuses.map { "\($0)" } + ["other"]
    return zip(names, requests[endpoint.rawValue]).compactMap { status, counter in
      counter.value > 0 ? (status, counter.value) : nil
    }
  }

  func durations(of endpoint: Endpoint) -> HistogramSnapshot {
    durations[endpoint.rawValue].snapshot()
  }
}
