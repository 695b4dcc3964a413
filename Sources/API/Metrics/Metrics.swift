import Scheduling
import Synchronization

/// The counters of the service's requests, one set per endpoint.
final class Metrics: Sendable {
  /// The status counted when a client leaves before its answer, as in nginx.
  static let abandonedStatus = 499

  private let counters = Mutex<[EndpointCounters]>([])

  /// The counters of every endpoint, in the order in which they were added.
  var endpoints: [EndpointCounters] { counters.withLock { $0 } }

  /// Adds counters for the endpoint called `label`.
  func addEndpoint(_ label: String) -> EndpointCounters {
    let added = EndpointCounters(label: label)
    counters.withLock { $0.append(added) }
    return added
  }
}

/// The counters of the requests to one endpoint. Recording takes no lock.
final class EndpointCounters: Sendable {
  /// The statuses with a counter of their own: all that the service answers with. One more counter is for all others.
  static let statuses = [
    200, 400, 401, 403, 404, 405, 409, 410, 413, 422, 429, 499, 500, 503, 504,
  ]

  /// The endpoint's name in metrics.
  let label: String
  /// One counter per status, and one for other statuses.
  private let counters = (0...statuses.count).map { _ in Counter() }
  private let histogram = Histogram(upperBounds: [
    0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1,
    2.5, 5, 10,
  ])

  init(label: String) { self.label = label }

  /// Records a request that was answered, or whose client left.
  func record(status: Int, seconds: Double) {
    counters[Self.statuses.firstIndex(of: status) ?? Self.statuses.count].add()
    histogram.record(seconds)
  }

  /// The number of requests by status, without statuses that never occurred.
  var requests: [(status: String, count: UInt64)] {
    let names = Self.statuses.map { "\($0)" } + ["other"]
    return zip(names, counters).compactMap { status, counter in
      counter.value > 0 ? (status, counter.value) : nil
    }
  }

  var durations: HistogramSnapshot { histogram.snapshot() }
}
