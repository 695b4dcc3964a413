import HTTPCore
import Synchronization
import Testing

@testable import HTTPServer

@Suite struct InboxTests {
  private let piece = Mail(
    connection: 1, stream: StreamID(2), content: .part(.whole(HTTPResponse(status: .ok))))

  /// What a loop was at when it was woken.
  private final class Wakings: Sendable {
    private let states = Mutex<[Inbox.LoopState]>([])

    func note(_ state: Inbox.LoopState) { states.withLock { $0.append(state) } }

    var all: [Inbox.LoopState] { states.withLock { $0 } }
  }

  private let wakings = Wakings()
  private let inbox: Inbox

  init() {
    inbox = Inbox { [wakings] in wakings.note($0) }
  }

  private func takeMail() -> Int {
    var mail: [Mail] = []
    inbox.drain(into: &mail)
    return mail.count
  }

  @Test func wakesASleepingLoopOnce() {
    inbox.post(piece)
    #expect(wakings.all == [.asleep])
    inbox.post(piece)
    #expect(takeMail() == 2)
    inbox.post(piece)
    #expect(!inbox.rest(.asleep))
    #expect(!inbox.rest(.waiting))
    #expect(takeMail() == 1)
    #expect(wakings.all == [.asleep])
    #expect(inbox.rest(.waiting))
    inbox.post(piece)
    #expect(wakings.all == [.asleep, .waiting])
    #expect(takeMail() == 1)
    #expect(inbox.rest(.asleep))
    inbox.post(piece)
    #expect(wakings.all == [.asleep, .waiting, .asleep])
  }

  @Test func doesNotWakeALoopThatRuns() {
    inbox.wake()
    inbox.post(piece)
    #expect(wakings.all == [])
  }
}
