import HTTPCore
import Synchronization

/// A message to a loop for one stream of a connection, from another thread, or from the application while the loop
/// calls it.
struct Mail: Sendable {
  enum Content: Sendable {
    /// The application's response, or a part of it.
    case part(HTTPResponsePart)
    /// A response to which a content coding has been applied.
    case encoded(HTTPResponse)
    /// A request whose content coding has been undone, or the response to it if that failed.
    case decoded(HTTPRequest, error: HTTPResponse?)
    /// The application has read so many bytes of a request's body, and wants more.
    case bodyRead(Int)
    /// The application asks whether the client still waits for the answer; the loop calls this with the result.
    case presenceAsked(@Sendable (Bool) -> Void)
  }

  /// The token of the connection.
  let connection: UInt64
  let stream: StreamID
  /// Reserves the memory of the content until its connection counts it.
  var memory: MemoryReservation?
  let content: Content
}

/// A loop's mailbox, to which any thread may post. A loop that waits is woken once, by the first piece of mail, or when
/// its sender is done (`WakeUps`).
final class Inbox: Sendable {
  private struct State {
    var mail: [Mail] = []
    /// Whether the loop waits in epoll; else it runs, and will look into the inbox before it waits.
    var isWaiting = false
  }

  private let state = Mutex(State())
  let wakeLoop: @Sendable () -> Void

  /// - Parameter wakeLoop: wakes the loop, which waits.
  init(wakeLoop: @escaping @Sendable () -> Void) { self.wakeLoop = wakeLoop }

  /// Adds `mail`, and wakes the loop if it waits. A running loop looks into the inbox before it rests.
  func post(_ mail: Mail) {
    let wasWaiting = state.withLock { state in
      state.mail.append(mail)
      defer { state.isWaiting = false }
      return state.isWaiting
    }
    if let wakeUps = WakeUps.gathered {
      wakeUps.add(self, isWaiting: wasWaiting)
    } else if wasWaiting {
      wakeLoop()
    }
  }

  /// Records that the loop runs, and will look into the inbox before it rests.
  func wake() {
    state.withLock { $0.isWaiting = false }
  }

  /// Moves all mail into `empty`, an empty array whose storage the inbox uses from now on.
  func drain(into empty: inout [Mail]) {
    state.withLock { swap(&$0.mail, &empty) }
  }

  /// Records that the loop is about to wait, unless there is mail; returns whether it may.
  func rest() -> Bool {
    state.withLock { state in
      state.isWaiting = state.mail.isEmpty
      return state.isWaiting
    }
  }
}
