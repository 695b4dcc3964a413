import HTTPCore
import Scheduling
import Serving

/// One exchange on its way through the service, and the clock that runs for its endpoint.
struct Call: Sendable {
  let exchange: HTTPExchange
  let endpoint: Endpoint
  let path: MatchedPath
  /// What its client may do.
  var grant = Grant.all
  /// Its place among those that its client has under way, where these are counted.
  var place: ClientPlace?
  /// Whether it is on the thread of the loop that handed its exchange out.
  var isOnLoop = true
  let start = ContinuousClock.now

  func answer(_ response: HTTPResponse) {
    // First, so that a client that has the answer finds it counted.
    record(response.status.code)
    exchange.respond(response)
  }

  /// How long the client waits: the shorter of what its body says and what its head says.
  func timeout(_ timeout: Duration?) throws(Fault) -> Duration? {
    guard let text = exchange.request.fields[Self.timeoutField] else { return timeout }
    let bounds = ServiceSettings.timeoutMilliseconds
    // `Int` takes a sign too.
    guard text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let milliseconds = Int(text),
      bounds.contains(milliseconds)
    else {
      throw Fault(
        BodyError.unexpected(
          path: Self.timeoutField, found: .string(text),
          expected: .integer(UInt64(bounds.lowerBound)...UInt64(bounds.upperBound))))
    }
    return Swift.min(timeout ?? .milliseconds(milliseconds), .milliseconds(milliseconds))
  }

  /// The field for clients, or proxies, that leave the body alone.
  static let timeoutField = "carousel-timeout-ms"

  /// On what terms the request rides.
  func terms(timeout: Duration?) -> RideTerms {
    RideTerms(
      arrived: start, timeout: timeout, identity: { [exchange] in exchange.clientIdentity })
  }

  /// When the request begins to ride: on the loop's thread when all that came with it has come; only while the
  /// application is called with the exchange.
  var departure: Departure {
    isOnLoop ? .postponed { [exchange] in exchange.afterIntake($0) } : .atOnce
  }

  /// Begins a response whose body is sent as it is made; `end` ends it.
  func begin(_ response: HTTPResponse) { exchange.begin(response) }

  /// Ends a response that `begin` began. It counts as one of `status`, which the client can't be told any more.
  func end(_ status: HTTPStatus = .ok) {
    record(status.code)
    exchange.end()
  }

  /// Records that the client left, and needs no answer.
  func abandoned() { record(Metrics.abandonedStatus) }

  /// Ends what takes long where nobody waits for it any more.
  func checkPresence() throws(Fault) {
    if exchange.isAbandoned { throw Fault(Refusal.cancelled) }
  }

  /// Answers with the error, in the schema of the endpoint.
  func refuse(_ error: Fault) {
    answer(endpoint.errors(error))
  }

  private func record(_ status: Int) {
    place?.leave()
    endpoint.counters.record(status: status, seconds: start.duration(to: .now).seconds)
  }
}

extension HTTPExchange {
  /// Tells its client from others.
  fileprivate var clientIdentity: Bookings.Identity {
    Bookings.Identity(
      request: request.identity, connection: connection?.number,
      mayHaveReconnected: connection?.isNew ?? true,
      hasLeft: { [connection] in connection?.hasLeft() ?? true })
  }
}

extension HTTPRequest {
  /// Tells it from others that are under way or were refused lately: a hash of its path and its body, of which a long
  /// one's middle is left out.
  var identity: UInt64 {
    let part = 4 << 10
    var hasher = Hasher()
    hasher.combine(path)
    hasher.combine(body.count)
    unsafe body.withUnsafeBytes { bytes in
      // SAFETY: the slices are read during the call that lends them.
      unsafe hasher.combine(bytes: UnsafeRawBufferPointer(rebasing: bytes.prefix(part)))
      unsafe hasher.combine(
        bytes: UnsafeRawBufferPointer(rebasing: bytes.dropFirst(part).suffix(part)))
    }
    return UInt64(bitPattern: Int64(hasher.finalize()))
  }
}
