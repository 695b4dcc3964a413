import HTTPCore
import Synchronization

@testable import HTTPServer

/// The server's end of a connection whose other end is a test: two buffers, which give and take as few bytes at a time as
/// they are told to.
///
/// Whoever uses it after its `close`, or writes after `endOutput`, ends the test.
final class BufferTransport: Transport {
  /// How bytes move.
  struct Manner {
    /// How many are read at once, and how many are written.
    var maxRead = Int.max
    var maxWritten = Int.max
    /// How many wait for the client before no more are written.
    var capacity = Int.max
  }

  private struct State {
    /// From the client, and from the server.
    var input: [UInt8] = []
    var output: [UInt8] = []
    var hasInputEnded = false
    var hasOutputEnded = false
    var isClientGone = false
    var isBroken = false
    var isClosed = false
  }

  let peer: PeerWatch
  let token: UInt64
  private let manner: Manner
  private let state: Shared
  private var watched = Poller.Readiness()

  /// The two ends, and those who ask whether one of them has left, share it.
  private final class Shared: Sendable {
    let value = Mutex(State())
  }

  init(_ manner: Manner, token: UInt64) {
    let state = Shared()
    self.state = state
    self.manner = manner
    self.token = token
    peer = PeerWatch { events in
      state.value.withLock { state in
        var found = Poller.Readiness()
        if state.isBroken { found.insert(.failure) }
        if state.hasInputEnded { found.insert(.peerEnd) }
        if !state.input.isEmpty || state.hasInputEnded { found.insert(.input) }
        return found.intersection(events.union([.failure, .hangUp]))
      }
    }
  }

  // MARK: The server's end

  var unacknowledgedCount: Int { state.value.withLock { $0.output.count } }

  func watch(for readiness: Poller.Readiness) -> Bool {
    precondition(!isClosed, "watched after its end")
    watched = readiness
    return true
  }

  func read(into buffer: inout MutableSpan<UInt8>) -> TransferResult {
    let bytes: [UInt8]? = state.value.withLock { state in
      precondition(!state.isClosed, "read after its end")
      let bytes = Array(state.input.prefix(min(manner.maxRead, buffer.count)))
      state.input.removeFirst(bytes.count)
      return state.isBroken || bytes.isEmpty && !state.hasInputEnded ? nil : bytes
    }
    guard let bytes else { return isBroken ? .failed : .wouldBlock }
    for index in bytes.indices { buffer[index] = bytes[index] }
    return bytes.isEmpty ? .ended : .moved(bytes.count)
  }

  func write(_ bytes: Span<UInt8>) -> TransferResult {
    state.value.withLock { state in
      precondition(!state.isClosed && !state.hasOutputEnded, "written after its end")
      if state.isBroken { return .failed }
      let room = manner.capacity - state.output.count
      let count = min(bytes.count, manner.maxWritten, room)
      guard count > 0 else { return .wouldBlock }
      for index in 0..<count { state.output.append(bytes[index]) }
      // Its kernel answers with a reset.
      if state.isClientGone { state.isBroken = true }
      return .moved(count)
    }
  }

  func endOutput() {
    peer.end()
    state.value.withLock { state in
      precondition(!state.isClosed && !state.hasOutputEnded, "ended after its end")
      state.hasOutputEnded = true
    }
  }

  func close() {
    peer.end()
    state.value.withLock { state in
      precondition(!state.isClosed, "closed twice")
      state.isClosed = true
    }
  }

  /// What the server is to be told: what it watches for, and failures.
  var readiness: Poller.Readiness {
    state.value.withLock { state in
      guard !state.isClosed else { return [] }
      var ready = Poller.Readiness()
      if !state.input.isEmpty || state.hasInputEnded { ready.insert(.input) }
      if state.hasInputEnded { ready.insert(.peerEnd) }
      if state.output.count < manner.capacity { ready.insert(.output) }
      ready = ready.intersection(watched)
      if state.hasInputEnded, state.hasOutputEnded { ready.insert(.hangUp) }
      if state.isBroken { ready.insert(.failure) }
      return ready
    }
  }

  // MARK: The client's end

  var isClosed: Bool { state.value.withLock { $0.isClosed } }
  var isBroken: Bool { state.value.withLock { $0.isBroken } }

  /// Whether nothing comes any more.
  var isOver: Bool {
    state.value.withLock { $0.output.isEmpty && ($0.hasOutputEnded || $0.isClosed) }
  }

  func send(_ bytes: some Sequence<UInt8>) { state.value.withLock { $0.input += bytes } }

  /// Takes what has come, `count` bytes at most.
  func receive(_ count: Int = .max) -> [UInt8] {
    state.value.withLock { state in
      let bytes = Array(state.output.prefix(count))
      state.output.removeFirst(bytes.count)
      return bytes
    }
  }

  /// Sends no more.
  func endInput() { state.value.withLock { $0.hasInputEnded = true } }

  /// Sends and takes no more; the server learns that it takes nothing when it writes.
  func leave() {
    state.value.withLock { state in
      state.hasInputEnded = true
      state.isClientGone = true
    }
  }

  /// Has the connection reset.
  func reset() { state.value.withLock { $0.isBroken = true } }
}
