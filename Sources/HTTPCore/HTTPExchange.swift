import Synchronization

/// What an exchange hands to its server: one `whole`, or a `head`, any number of `bytes`, and an `end` or `trailers`.
package enum HTTPResponsePart: Sendable, Equatable {
  /// The response.
  case whole(HTTPResponse)
  /// The head of a response that is sent as it is made, and how its body begins.
  case head(HTTPResponse)
  /// What its body goes on with; never empty.
  case bytes([UInt8])
  /// The end of its body.
  case end
  /// The same, with fields that follow it; there is one at least.
  case trailers(HTTPFields)
}

/// One request and the way to its one response: whole, or streamed by `begin`, `write` and `end` while it is made.
///
/// Made by the server for a live connection, or by a test that wants the response in process.
package final class HTTPExchange: Sendable {
  /// How an exchange came to its end.
  package enum Outcome: Sendable, Equatable {
    /// The response was handed on, to its last byte.
    case answered(HTTPStatus)
    /// The client left before that.
    case abandoned
  }

  package let request: HTTPRequest
  /// The request's body, where that is read as it comes; `request.body` is empty then.
  package let body: IncomingBody?
  /// The connection that it came over; nil where there is none.
  package let connection: ConnectionReference?

  /// What may be written and not yet taken by the client before it counts as behind.
  package static let maxUnsentBytes = ResponseProgress.maxUnsentBytes

  private let state = Mutex(ResponseProgress())
  /// Memory that was reserved for the request and its answer.
  private let memory = Mutex<[MemoryReservation]>([])
  private let deliver: @Sendable (HTTPResponsePart) -> Void
  /// Whether a response that is sent as it is made is delivered whole, at its end.
  private let collects: Bool
  private let postpone: Postpone?
  private let code: Coding?

  /// Applies a content coding to a part of a body; the last one may add what ends the coding.
  package typealias PartCoder = @Sendable (_ bytes: [UInt8], _ isLast: Bool) -> [UInt8]

  /// Changes the head of a response that is sent as it is made; returns what its parts go through, nil for nothing.
  package typealias Coding =
    @Sendable (_ response: inout HTTPResponse, _ request: HTTPRequest) -> PartCoder?

  /// Keeps something to do for the end of a loop's intake; the thing is told whether nothing else is to be done then.
  package typealias Postpone = @Sendable (@escaping @Sendable (_ isQuiet: Bool) -> Void) -> Void

  /// An exchange that gives its response in one piece, however it is made.
  ///
  /// - Parameter deliver: receives the response; called at most once, on the responder's thread.
  package init(
    request: HTTPRequest, deliver: @escaping @Sendable (HTTPResponse) -> Void
  ) {
    self.request = request
    body = nil
    self.deliver = { if case .whole(let response) = $0 { deliver(response) } }
    collects = true
    connection = nil
    postpone = nil
    code = nil
  }

  /// An exchange that gives its response as it is made; whoever made it calls `take`.
  ///
  /// - Parameters:
  ///   - body: what `request` lacks, where that comes in parts.
  ///   - postpone: what `afterIntake` does.
  ///   - code: is called, as what it returns is, on the responders' threads, by one at a time.
  ///   - deliverPart: receives the parts in order, on the responders' threads; it must not call the
  ///     exchange.
  package init(
    request: HTTPRequest, body: IncomingBody? = nil, connection: ConnectionReference? = nil,
    postpone: Postpone? = nil, code: Coding? = nil,
    deliverPart: @escaping @Sendable (HTTPResponsePart) -> Void
  ) {
    self.postpone = postpone
    self.code = code
    self.request = request
    self.body = body
    self.connection = connection
    deliver = deliverPart
    collects = false
  }

  /// Calls `action` when the loop that hands this exchange out has handed out what else had come: with true where
  /// nothing more came meanwhile, so that the loop's thread has nothing to do. At once, with false, without a loop.
  ///
  /// Only while the application is called with this exchange, on its thread.
  package func afterIntake(_ action: @escaping @Sendable (_ isQuiet: Bool) -> Void) {
    if let postpone { postpone(action) } else { action(false) }
  }

  /// Keeps `reservation` as long as the exchange lives: until its answer is handed on, and nothing else that works
  /// for it is left.
  package func keep(_ reservation: MemoryReservation) {
    memory.withLock { $0.append(reservation) }
  }

  // MARK: A whole response

  /// Has `answer` answer it; returns a whole response that was given by its return, which is not delivered then: the loop
  /// that asks needs no word of it from itself.
  package func handOut(to answer: HTTPAnswer) -> HTTPResponse? {
    state.withLock { $0.isHandedOut = false }
    answer(self)
    return state.withLock { state in
      state.isHandedOut = true
      defer { state.early = nil }
      return state.early
    }
  }

  /// Sends `response`. The first of `respond` and `begin` wins; after the client has left, nothing is
  /// sent.
  package func respond(_ response: HTTPResponse) {
    let (isFirst, isEarly, onFinish) = state.withLock { state in
      guard state.phase == .open else {
        return (false, false, nil as (@Sendable (Outcome) -> Void)?)
      }
      let (onFinish, isEarly) = (state.onFinish, !state.isHandedOut)
      state.finish(.answered)
      if isEarly { state.early = response }
      return (true, isEarly, onFinish)
    }
    guard isFirst else { return }
    if !isEarly { deliver(.whole(response)) }
    onFinish?(.answered(response.status))
  }

  // MARK: A response that is sent as it is made

  /// Sends the head of `response`, whose body begins one that `write` goes on with and `end` ends.
  /// The first of `respond` and `begin` wins.
  package func begin(_ response: HTTPResponse) {
    state.withLock { state in
      guard state.phase == .open else { return }
      state.phase = .streaming
      state.begun = response
      guard !collects else { return }
      var response = response
      state.coder = code?(&response, request)
      if let coder = state.coder, !response.body.isEmpty {
        response.body = coder(response.body, false)
      }
      state.begun?.body = []
      state.unsentBytes = response.body.count
      // Parts are delivered under the lock, so that no thread's part overtakes another's.
      deliver(.head(response))
    }
  }

  /// Adds `bytes` to the body, from any thread, in order.
  ///
  /// What is written is kept, not dropped, whatever this returns. After the client left, or after
  /// `end`, nothing happens.
  /// - Returns: false when the client is behind: more than `maxUnsentBytes` are written and not yet
  ///   taken by its socket. The producer should then wait for `onDrain`.
  /// - Precondition: `begin` or `respond` was called.
  @discardableResult
  package func write(_ bytes: [UInt8]) -> Bool {
    state.withLock { state in
      precondition(state.phase != .open, "written before it began")
      guard state.phase == .streaming else { return true }
      if collects {
        state.begun?.body.append(contentsOf: bytes)
        return true
      }
      let bytes = bytes.isEmpty ? bytes : state.coder?(bytes, false) ?? bytes
      if !bytes.isEmpty {
        state.unsentBytes += bytes.count
        deliver(.bytes(bytes))
      }
      guard state.unsentBytes > Self.maxUnsentBytes else { return true }
      state.isBehind = true
      return false
    }
  }

  /// Ends the body, with `trailers` behind it for `audience`, where the protocol has a place for them: HTTP/1.0 has none.
  ///
  /// - Precondition: `begin` or `respond` was called.
  package func end(
    trailers: HTTPFields = HTTPFields(), for audience: TrailerAudience = .clientsThatAsk
  ) {
    let isHeard =
      !trailers.all.isEmpty && (audience == .everyClient || request.takesTrailers)
    let ended: (response: HTTPResponse, onFinish: (@Sendable (Outcome) -> Void)?)? =
      state.withLock { state in
        precondition(state.phase != .open, "ended before it began")
        guard state.phase == .streaming, let response = state.begun else { return nil }
        let onFinish = state.onFinish
        let rest = state.coder?([], true) ?? []
        state.finish(.answered)
        if !rest.isEmpty { deliver(.bytes(rest)) }
        if !collects { deliver(isHeard ? .trailers(trailers) : .end) }
        return (response, onFinish)
      }
    guard let ended else { return }
    if collects { deliver(.whole(ended.response)) }
    ended.onFinish?(.answered(ended.response.status))
  }

  /// Calls `action` each time a client that was behind has taken all, or nearly, of what was written;
  /// at once where it has already. Not called after the end or after the client left.
  ///
  /// - Parameter action: is called on the connection's event loop, so it must return at once.
  package func onDrain(_ action: @escaping @Sendable () -> Void) {
    let drain: (@Sendable () -> Void)? = state.withLock { state in
      guard state.isUnderWay else { return nil }
      state.onDrain = action
      return state.takeDrain()
    }
    drain?()
  }

  /// Records that the client's socket has taken `count` more bytes of what was written.
  package func recordSent(_ count: Int) {
    let drain: (@Sendable () -> Void)? = state.withLock { state in
      guard state.phase == .streaming else { return nil }
      state.unsentBytes -= count
      return state.takeDrain()
    }
    drain?()
  }

  // MARK: Ends

  /// Records that the client hung up or reset its stream before the response, or its end.
  package func abandon() {
    body?.cut()
    let left = state.withLock { state -> ResponseProgress? in
      guard state.isUnderWay else { return nil }
      let left = state
      state.finish(.abandoned)
      return left
    }
    left?.onAbandon?()
    left?.onFinish?(.abandoned)
  }

  /// Calls `action` when the client leaves before the end of the response, at once if it has left
  /// already.
  package func onAbandon(_ action: @escaping @Sendable () -> Void) {
    let alreadyGone = state.withLock { state in
      if state.isUnderWay { state.onAbandon = action }
      return state.phase == .abandoned
    }
    if alreadyGone { action() }
  }

  /// Calls `action` once, when the response is handed on to its end or the client has left before:
  /// for whoever looks on, and sets it before the exchange is answered.
  package func onFinish(_ action: @escaping @Sendable (Outcome) -> Void) {
    let alreadyGone = state.withLock { state in
      if state.isUnderWay { state.onFinish = action }
      return state.phase == .abandoned
    }
    if alreadyGone { action(.abandoned) }
  }

  /// Calls `action` once with whether the client is there for its answer, by all that has come from it until now, also
  /// where the connection's loop has yet to look.
  ///
  /// At once, on this thread, where nothing has come that could say otherwise. A client of HTTP/1 that has ended its side
  /// may have closed or wait for its answer: it is sent the answer's first byte, and `action` is called on the loop's
  /// thread when that is acknowledged, or refused.
  package func askPresence(_ action: @escaping @Sendable (_ isPresent: Bool) -> Void) {
    guard !isAbandoned else { return action(false) }
    guard let connection else { return action(true) }
    connection.askPresence(connection.stream, action)
  }

  /// Whether the client has left without an answer, or before its end.
  package var isAbandoned: Bool { state.withLock { $0.phase == .abandoned } }
}
