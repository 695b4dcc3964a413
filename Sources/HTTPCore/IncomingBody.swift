import Synchronization

/// A request's body that the application reads in parts as it comes, from any thread.
///
/// Bytes not read yet wait here and are counted. When they reach a limit, no more of this body is read from the client;
/// other requests go on.
package final class IncomingBody: Sendable {
  /// The result of a read.
  package enum Part: Sendable, Equatable {
    /// All bytes that have come since the last part; never empty.
    case bytes([UInt8])
    /// The body is complete.
    case end(trailers: HTTPFields)
    /// The body will never be complete: the client has left, the body is invalid, or the response has ended already.
    case cut
  }

  /// Receives the next part.
  package typealias Reader = @Sendable (Part) -> Void

  fileprivate struct State {
    var unread: [UInt8] = []
    /// What follows `unread`; nil while more bytes may come.
    var last: Part?
    var reader: Reader?
    /// Whether a reader has ever waited.
    var isWanted = false
  }

  private let state = Mutex(State())
  /// Called with the number of bytes that were read, when more are wanted; with 0 the first time that a reader waits.
  private let reportRead: @Sendable (Int) -> Void

  /// - Parameter reportRead: called on the readers' threads; must not call this body.
  package init(reportRead: @escaping @Sendable (Int) -> Void) { self.reportRead = reportRead }

  /// Calls `reader` once with the next part: at once if there is one, else when it comes, on the connection's event
  /// loop. After `end` or `cut`, each further read gets the same part again.
  ///
  /// - Precondition: no other reader waits.
  package func read(_ reader: @escaping Reader) {
    let (part, isFirst) = state.withLock { state -> (Part?, Bool) in
      precondition(state.reader == nil, "two readers of one body")
      if !state.unread.isEmpty { return (.bytes(state.takeUnread()), false) }
      if let last = state.last { return (last, false) }
      state.reader = reader
      defer { state.isWanted = true }
      return (nil, !state.isWanted)
    }
    guard let part else {
      if isFirst { reportRead(0) }
      return
    }
    deliver(part, to: reader)
  }

  /// Adds bytes that have come.
  package func append(_ bytes: [UInt8]) {
    guard !bytes.isEmpty else { return }
    let reader = state.withLock { state -> Reader? in
      guard state.last == nil else { return nil }
      if let reader = state.takeReader() { return reader }
      state.unread.append(contentsOf: bytes)
      return nil
    }
    if let reader { deliver(.bytes(bytes), to: reader) }
  }

  /// Marks the body as complete.
  package func end(trailers: HTTPFields) { finish(.end(trailers: trailers)) }

  /// Marks the body as broken off; bytes not read yet are dropped.
  package func cut() { finish(.cut) }

  private func finish(_ last: Part) {
    let reader = state.withLock { state -> Reader? in
      guard state.last == nil else { return nil }
      state.last = last
      if last == .cut { state.unread = [] }
      return state.takeReader()
    }
    reader?(last)
  }

  private func deliver(_ part: Part, to reader: @escaping Reader) {
    if case .bytes(let bytes) = part { reportRead(bytes.count) }
    reader(part)
  }
}

extension IncomingBody.State {
  mutating func takeReader() -> IncomingBody.Reader? {
    defer { reader = nil }
    return reader
  }

  mutating func takeUnread() -> [UInt8] {
    defer { unread = [] }
    return unread
  }
}
