import Serving

/// The limits of one client: a token, or an address where no token is shown.
package struct RequestLimits: Sendable, Equatable {
  /// `rate_limit`: requests per second, on average; 0 for no limit.
  package var rate = 0.0
  /// `rate_burst`: requests that may come at once after a pause; 0 for the requests of one second, but at least one.
  package var burst = 0
  /// `concurrency_limit`: requests in flight at the same time; 0 for no limit.
  package var concurrency = 0

  package init(rate: Double = 0, burst: Int = 0, concurrency: Int = 0) {
    self.rate = rate
    self.burst = burst
    self.concurrency = concurrency
  }

  /// The bounds of the three settings.
  package static let rates = 0...1_000_000.0
  package static let bursts = 0...1_000_000
  package static let concurrencies = 0...1_000_000

  /// Whether nothing is limited.
  var areNone: Bool { rate == 0 && concurrency == 0 }

  /// The number of requests that may come at once.
  var effectiveBurst: Int { burst > 0 ? burst : max(1, Int(rate.rounded(.up))) }

  /// A token's own limits, which replace the server's; nil where the server's limit applies.
  package struct Exceptions: Sendable, Equatable {
    package var rate: Double?
    package var burst: Int?
    package var concurrency: Int?

    package init(rate: Double? = nil, burst: Int? = nil, concurrency: Int? = nil) {
      self.rate = rate
      self.burst = burst
      self.concurrency = concurrency
    }
  }

  /// These limits with a token's `exceptions` applied.
  func with(_ exceptions: Exceptions) -> RequestLimits {
    RequestLimits(
      rate: exceptions.rate ?? rate,
      // The server's burst belongs to the server's rate, so a token with its own rate does not use it.
      burst: exceptions.burst ?? (exceptions.rate == nil ? burst : 0),
      concurrency: exceptions.concurrency ?? concurrency)
  }
}

/// Why a request that its client is allowed to make is not answered now.
enum LimitError: Error, Equatable, Sendable {
  /// The next request will be admitted in `wait` nanoseconds.
  case rate(client: String, RequestLimits, wait: Int)
  case concurrency(client: String, RequestLimits)
}

extension LimitError: FaultSource {
  var kind: Fault.Kind { .tooManyRequests }

  /// It is not known when the client's requests in flight will be answered.
  var retryAfterSeconds: Int? {
    switch self {
    case .rate(_, _, let wait): max(1, (wait - 1) / 1_000_000_000 + 1)
    case .concurrency: nil
    }
  }

  var details: Fault.Details? {
    switch self {
    case .rate(_, let limits, let wait):
      .rate(
        perSecond: limits.rate, burst: limits.effectiveBurst,
        waitMilliseconds: max(1, (wait - 1) / 1_000_000 + 1))
    case .concurrency(_, let limits): .concurrency(limits.concurrency)
    }
  }

  var sentence: String {
    switch self {
    case .rate(let client, let limits, _):
      "\(client) has sent more requests than rate_limit allows: \(limits.rate.plainText) a second, \(limits.effectiveBurst) at once"
    case .concurrency(let client, let limits):
      "\(client) has as many requests under way as concurrency_limit allows, \(limits.concurrency)"
    }
  }
}

extension Double {
  /// The number without a trailing `.0`.
  var plainText: String { Int(exactly: self).map(String.init) ?? "\(self)" }
}
