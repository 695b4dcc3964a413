import HTTPCore
import Synchronization

/// Something for a stream of a connection that was made outside the loop, or by the application
/// while the loop called it.
struct Mail: Sendable {
  enum Content: Sendable {
    /// The application's response, or a part of it.
    case part(HTTPResponsePart)
    /// A response whose content coding is applied.
    case encoded(HTTPResponse)
    /// A request whose content coding is undone, or the error that this came to.
    case decoded(HTTPRequest, error: HTTPResponse?)
    /// The application has read so many bytes of a request's body, and wants more.
    case bodyRead(Int)
    /// The application asks whether the client still waits for the answer; the loop calls this with the result.
    case presenceAsked(@Sendable (Bool) -> Void)
  }

  let connection: UInt64
  let stream: StreamID
  /// The memory that the content takes, until its connection counts it.
  var memory: MemoryReservation?
  let content: Content
}

/// Where any thread leaves mail for a loop; a loop that waits or sleeps is woken once, by the first piece.
final class Inbox: Sendable {
  /// What its loop does now.
  enum LoopState: Sendable {
    /// It runs, and will look here before it does anything else.
    case awake
    /// It waits for its sockets.
    case waiting
    /// Its queue is idle.
    case asleep
  }

  private struct State {
    var mail: [Mail] = []
    var loop = LoopState.asleep
  }

  private let state = Mutex(State())
  private let wakeLoop: @Sendable (LoopState) -> Void

  /// - Parameter wakeLoop: interrupts the loop, which waits or sleeps.
  init(wakeLoop: @escaping @Sendable (LoopState) -> Void) { self.wakeLoop = wakeLoop }

  /// Leaves `mail`. While the loop takes a turn, it needs no waking: it looks before it rests, so the responses that one
  /// call of the engine makes cost one wake-up between them.
  func post(_ mail: Mail) {
    let before = state.withLock { state in
      state.mail.append(mail)
      defer { state.loop = .awake }
      return state.loop
    }
    if before != .awake { wakeLoop(before) }
  }

  /// Notes that the loop runs and will look here before it sleeps.
  func wake() {
    state.withLock { $0.loop = .awake }
  }

  /// Swaps the mail with `empty`, whose storage is used again.
  func drain(into empty: inout [Mail]) {
    state.withLock { swap(&$0.mail, &empty) }
  }

  /// Lets the loop wait or sleep when there is no mail; returns whether it may.
  func rest(_ loop: LoopState) -> Bool {
    state.withLock { state in
      guard state.mail.isEmpty else { return false }
      state.loop = loop
      return true
    }
  }
}
