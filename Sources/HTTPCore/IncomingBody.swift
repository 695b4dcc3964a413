import Synchronization

/// A request's body that is read as it comes, in parts, from any thread.
///
/// What is not read yet waits here, counted, and once that is much no more of the body is taken from its client: other
/// requests go on.
package final class IncomingBody: Sendable {
  /// The result of a read.
  package enum Part: Sendable, Equatable {
    /// All that has come since the last part; never empty.
    case bytes([UInt8])
    /// The body is complete.
    case end(trailers: HTTPFields)
    /// It never will be: its client has left, or something is wrong with it, or nobody waits for an answer any more.
    case cut
  }

  package typealias Reader = @Sendable (Part) -> Void

  fileprivate struct State {
    var unread: [UInt8] = []
    /// What comes behind that; nil while more bytes may come.
    var last: Part?
    var reader: Reader?
    /// Whether it was asked for.
    var isWanted = false
  }

  private let state = Mutex(State())
  /// Told that so many bytes were read and more is wanted; of none, the first time that a reader waits.
  private let reportRead: @Sendable (Int) -> Void

  /// - Parameter reportRead: is called on the readers' threads, and must not call the body.
  package init(reportRead: @escaping @Sendable (Int) -> Void) { self.reportRead = reportRead }

  /// Calls `reader` once with the next part: at once where one is there, else when it comes, on the connection's event
  /// loop. Behind `end` and `cut` the same comes again.
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

  /// Adds what came.
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

  /// Nothing more comes.
  package func end(trailers: HTTPFields) { finish(.end(trailers: trailers)) }

  /// Nothing more comes, though the body is not complete; what is not read is dropped.
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
