import HTTPCore
import Scheduling
import Serving

/// One exchange while the service processes it, with its endpoint and start time.
final class Call: Sendable {
  let exchange: HTTPExchange
  let endpoint: Endpoint
  let path: MatchedPath
  /// What the client may do.
  let grant: Grant
  /// The request's place in its client's concurrency limit; nil where that is not counted.
  let place: ConcurrencySlot?
  /// Whether the current thread is that of the event loop that handed the exchange out.
  let isOnLoop: Bool
  let start: ContinuousClock.Instant

  init(
    exchange: HTTPExchange, endpoint: Endpoint, path: MatchedPath, grant: Grant = .all,
    place: ConcurrencySlot? = nil, isOnLoop: Bool = true, start: ContinuousClock.Instant = .now
  ) {
    self.exchange = exchange
    self.endpoint = endpoint
    self.path = path
    self.grant = grant
    self.place = place
    self.isOnLoop = isOnLoop
    self.start = start
  }

  /// The call, as it goes on away from the event loop.
  var offLoop: Call {
    Call(
      exchange: exchange, endpoint: endpoint, path: path, grant: grant, place: place,
      isOnLoop: false, start: start)
  }

  /// Answers with `response` and counts it.
  func answer(_ response: HTTPResponse) {
    // Counted before the response leaves, so that a client that has the response finds it counted.
    record(response.status.code)
    exchange.respond(response)
  }

  /// How long the client waits: the shorter of `timeout`, which its body gives, and the field of its head.
  func timeout(_ timeout: Duration?) throws(Fault) -> Duration? {
    guard let text = exchange.request.fields[Self.timeoutField] else { return timeout }
    let bounds = ServiceSettings.timeoutMilliseconds
    // `Int(_:)` would accept a sign, too.
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

  /// The request field for clients and proxies that do not set a time-out in the body.
  static let timeoutField = "carousel-timeout-ms"

  /// The terms on which the request rides.
  func terms(timeout: Duration?) -> RideTerms {
    RideTerms(
      arrived: start, timeout: timeout, identity: { [exchange] in exchange.clientIdentity })
  }

  /// When the request begins to ride: on the loop's thread, once everything that came with it has been handed out. May
  /// be used there only while the application is being called with the exchange.
  var departure: Departure {
    isOnLoop ? .postponed { [exchange] in exchange.afterIntake($0) } : .atOnce
  }

  /// Begins a streamed response; `end` ends it.
  func begin(_ response: HTTPResponse) { exchange.begin(response) }

  /// Ends a streamed response. It is counted under `status`, which the client can no longer be told.
  func end(_ status: HTTPStatus = .ok) {
    record(status.code)
    exchange.end()
  }

  /// Records that the client left and needs no answer.
  func abandoned() { record(Metrics.abandonedStatus) }

  /// Throws if the client has left: called during long work, to end it.
  func checkPresence() throws(Fault) {
    if exchange.isAbandoned { throw Fault(Refusal.cancelled) }
  }

  /// Answers with the error, in the endpoint's error schema.
  func refuse(_ error: Fault) {
    answer(endpoint.errors(error))
  }

  private func record(_ status: Int) {
    place?.leave()
    endpoint.counters.record(status: status, seconds: start.duration(to: .now).seconds)
  }
}

extension HTTPExchange {
  /// Identifies the client by its request and connection.
  fileprivate var clientIdentity: Bookings.Identity {
    Bookings.Identity(
      request: request.identity, connection: connection?.number,
      mayHaveReconnected: connection?.isNew ?? true,
      hasLeft: { [connection] in connection?.hasLeft() ?? true })
  }
}

extension HTTPRequest {
  /// Identifies the request among others that are in flight or were refused lately: a hash of its path and body,
  /// leaving out all but the first and last 4 KiB of a long body.
  var identity: UInt64 {
    let part = 4 << 10
    var hasher = Hasher()
    hasher.combine(path)
    hasher.combine(body.count)
    unsafe body.withUnsafeBytes { bytes in
      // SAFETY: the slices are read only during the call that lends the bytes.
      unsafe hasher.combine(bytes: UnsafeRawBufferPointer(rebasing: bytes.prefix(part)))
      unsafe hasher.combine(
        bytes: UnsafeRawBufferPointer(rebasing: bytes.dropFirst(part).suffix(part)))
    }
    return UInt64(bitPattern: Int64(hasher.finalize()))
  }
}
