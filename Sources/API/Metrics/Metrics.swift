import Scheduling
import Synchronization

/// The counters of the service's requests, by endpoint.
final class Metrics: Sendable {
  /// Stands for a client that left before its answer, as nginx does it.
  static let abandonedStatus = 499

  private let counters = Mutex<[EndpointCounters]>([])

  /// The counters of every endpoint, in the order in which they were added.
  var endpoints: [EndpointCounters] { counters.withLock { $0 } }

  /// New counters for the endpoint that `label` names.
  func addEndpoint(_ label: String) -> EndpointCounters {
    let added = EndpointCounters(label: label)
    counters.withLock { $0.append(added) }
    return added
  }
}

/// The counters of the requests to one endpoint. Recording takes no lock.
final class EndpointCounters: Sendable {
  /// Statuses with a counter of their own: all that the service answers. One more counter is for any other.
  static let statuses = [
    200, 400, 401, 403, 404, 405, 409, 410, 413, 422, 429, 499, 500, 503, 504,
  ]

  /// The endpoint, as metrics write it.
  let label: String
  /// A counter a status.
  private let counters = (0...statuses.count).map { _ in Counter() }
  private let histogram = Histogram(upperBounds: [
    0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1,
    2.5, 5, 10,
  ])

  init(label: String) { self.label = label }

  /// Records a request that was answered, or that its client left.
  func record(status: Int, seconds: Double) {
    counters[Self.statuses.firstIndex(of: status) ?? Self.statuses.count].add()
    histogram.record(seconds)
  }

  /// Requests by status, where there were any.
  var requests: [(status: String, count: UInt64)] {
    let names = Self.statuses.map { "\($0)" } + ["other"]
    return zip(names, counters).compactMap { status, counter in
      counter.value > 0 ? (status, counter.value) : nil
    }
  }

  var durations: HistogramSnapshot { histogram.snapshot() }
}
