import Synchronization

/// A piece of the response that an exchange gives to its server: one `whole`; or a `head`, any number of `bytes`, and
/// an `end` or `trailers`.
package enum HTTPResponsePart: Sendable, Equatable {
  /// The whole response.
  case whole(HTTPResponse)
  /// The head of a streamed response, and the beginning of its body.
  case head(HTTPResponse)
  /// The next bytes of a streamed body; never empty.
  case bytes([UInt8])
  /// The end of a streamed body.
  case end
  /// The end of a streamed body, with at least one trailer.
  case trailers(HTTPFields)
}

/// One request and the means to give its one response: whole, or streamed by `begin`, `write` and `end`.
///
/// Created by the server for a live connection, or by a test that wants the response in process.
package final class HTTPExchange: Sendable {
  /// How an exchange ended.
  package enum Outcome: Sendable, Equatable {
    /// All of the response was given to the server.
    case answered(HTTPStatus)
    /// The client left before all of the response was given.
    case abandoned
  }

  package let request: HTTPRequest
  /// The request's body, where the application reads it as it comes; `request.body` is empty then.
  package let body: IncomingBody?
  /// The connection that the request came over; nil where there is none.
  package let connection: ConnectionReference?

  /// The most bytes written and not yet accepted by the client's socket before the client counts as behind.
  package static let maxUnsentBytes = ResponseProgress.maxUnsentBytes

  private let state = Mutex(ResponseProgress())
  /// The memory reserved for the request and its response.
  private let memory = Mutex<[MemoryReservation]>([])
  /// Takes the parts of the response; nil where the connection's link does.
  private let deliverPart: (@Sendable (HTTPResponsePart) -> Void)?
  /// Whether a streamed response is collected and delivered whole, at its end.
  private let collects: Bool

  /// Applies a content coding to a part of a body; the last call may add the bytes that end the coding.
  package typealias PartCoder = @Sendable (_ bytes: [UInt8], _ isLast: Bool) -> [UInt8]

  /// Changes the head of a streamed response; returns the coder of its body's parts, or nil where none is used.
  package typealias Coding =
    @Sendable (_ response: inout HTTPResponse, _ request: HTTPRequest) -> PartCoder?

  /// Keeps an action until the loop has handed out all requests that have come; the action is then told whether the
  /// loop has nothing else to do.
  package typealias Postpone = @Sendable (@escaping @Sendable (_ isQuiet: Bool) -> Void) -> Void

  /// An exchange that delivers its response in one piece, even if the application streams it.
  ///
  /// - Parameter deliver: receives the response; called at most once, on the responder's thread.
  package init(
    request: HTTPRequest, deliver: @escaping @Sendable (HTTPResponse) -> Void
  ) {
    self.request = request
    body = nil
    deliverPart = { if case .whole(let response) = $0 { deliver(response) } }
    collects = true
    connection = nil
  }

  /// An exchange that delivers its response as it is made; its creator calls `recordSent` as bytes are sent.
  ///
  /// - Parameters:
  ///   - body: the request's body, where it comes in parts.
  ///   - deliverPart: receives the parts in order, on the responders' threads, in place of the connection's link; it
  ///     must not call the exchange.
  package init(
    request: HTTPRequest, body: IncomingBody? = nil, connection: ConnectionReference? = nil,
    deliverPart: (@Sendable (HTTPResponsePart) -> Void)? = nil
  ) {
    self.request = request
    self.body = body
    self.connection = connection
    self.deliverPart = deliverPart
    collects = false
  }

  private func deliver(_ part: HTTPResponsePart) {
    if let deliverPart {
      deliverPart(part)
    } else if let connection {
      connection.link.deliver(connection.stream, part)
    }
  }

  /// Calls `action` when the loop that hands out this exchange has handed out all other requests that had come. Passes
  /// true if nothing more came meanwhile, so that the loop's thread has nothing else to do. Without a loop, calls
  /// `action` at once, with false.
  ///
  /// To be called only while the application is being called with this exchange, on that thread.
  package func afterIntake(_ action: @escaping @Sendable (_ isQuiet: Bool) -> Void) {
    if let postpone = connection?.link.postpone { postpone(action) } else { action(false) }
  }

  /// Keeps `reservation` for the lifetime of the exchange: until the response is delivered and nothing else that works
  /// on the request refers to the exchange.
  package func keep(_ reservation: MemoryReservation) {
    memory.withLock { $0.append(reservation) }
  }

  // MARK: A whole response

  /// Calls `answer` with this exchange. If `answer` gives a whole response before it returns, that response is returned
  /// here and not delivered: the calling loop needs no message to itself.
  package func handOut(to answer: HTTPAnswer) -> HTTPResponse? {
    state.withLock { $0.isHandedOut = false }
    answer(self)
    return state.withLock { state in
      state.isHandedOut = true
      return state.early.take()
    }
  }

  /// Sends `response`. Only the first call of `respond` or `begin` counts; after the client has left, nothing is sent.
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

  // MARK: A streamed response

  /// Sends the head of a streamed response and the beginning of its body; `write` continues the body and `end` ends it.
  /// Only the first call of `respond` or `begin` counts.
  package func begin(_ response: HTTPResponse) {
    state.withLock { state in
      guard state.phase == .open else { return }
      state.phase = .streaming
      state.begun = response
      guard !collects else { return }
      var response = response
      state.coder = connection?.link.code?(&response, request)
      if let coder = state.coder, !response.body.isEmpty {
        response.body = coder(response.body, false)
      }
      state.begun?.body = []
      state.unsentBytes = response.body.count
      // Parts are delivered under the lock, so that no thread's part overtakes another thread's.
      deliver(.head(response))
    }
  }

  /// Appends `bytes` to the body; may be called from any thread, and keeps the order of the calls.
  ///
  /// The bytes are kept whatever this returns. After the client has left, or after `end`, the call does nothing.
  /// - Returns: false when the client is behind: more than `maxUnsentBytes` are written and not yet accepted by its
  ///   socket. The producer should then wait for `onDrain`.
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

  /// Ends the body and sends `trailers` to `audience`, where the protocol supports trailers: HTTP/1.0 does not.
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

  /// Calls `action` each time that a client that was behind has caught up: at most a quarter of `maxUnsentBytes` is
  /// left. Calls it at once if the client has caught up already. Not called after the response ended or the client
  /// left.
  ///
  /// - Parameter action: called on the connection's event loop, so it must return at once.
  package func onDrain(_ action: @escaping @Sendable () -> Void) {
    let drain: (@Sendable () -> Void)? = state.withLock { state in
      guard state.isUnderWay else { return nil }
      state.onDrain = action
      return state.takeDrain()
    }
    drain?()
  }

  /// Records that the client's socket has accepted `count` more bytes of the body.
  package func recordSent(_ count: Int) {
    let drain: (@Sendable () -> Void)? = state.withLock { state in
      guard state.phase == .streaming else { return nil }
      state.unsentBytes -= count
      return state.takeDrain()
    }
    drain?()
  }

  // MARK: Ends

  /// Records that the client hung up, or reset its stream, before the end of the response.
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

  /// Calls `action` when the client leaves before the end of the response; at once if it has left already.
  package func onAbandon(_ action: @escaping @Sendable () -> Void) {
    let alreadyGone = state.withLock { state in
      if state.isUnderWay { state.onAbandon = action }
      return state.phase == .abandoned
    }
    if alreadyGone { action() }
  }

  /// Calls `action` once, when all of the response is delivered or the client has left before that. Meant for observers
  /// such as logs, which must set it before the exchange is answered.
  package func onFinish(_ action: @escaping @Sendable (Outcome) -> Void) {
    let alreadyGone = state.withLock { state in
      if state.isUnderWay { state.onFinish = action }
      return state.phase == .abandoned
    }
    if alreadyGone { action(.abandoned) }
  }

  /// Calls `action` once with whether the client still waits for its response, by everything that the kernel has
  /// received from it until now, including what the connection's loop has not seen yet.
  ///
  /// Calls it at once, on this thread, if nothing received suggests that the client has left. An HTTP/1 client that has
  /// ended its side may have closed, or be waiting for its response: it is sent the response's first byte, and `action`
  /// is called on the loop's thread when that byte is acknowledged or answered with a reset.
  package func askPresence(_ action: @escaping @Sendable (_ isPresent: Bool) -> Void) {
    guard !isAbandoned else { return action(false) }
    guard let connection else { return action(true) }
    connection.askPresence(connection.stream, action)
  }

  /// Whether the client left before the end of the response.
  package var isAbandoned: Bool { state.withLock { $0.phase == .abandoned } }
}
