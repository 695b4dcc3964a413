import HTTPCore
import Synchronization
import Testing

@testable import HTTPServer

@Suite struct InboxTests {
  private let piece = Mail(
    connection: 1, stream: StreamID(2), content: .part(.whole(HTTPResponse(status: .ok))))

  private let wakeCount = Counter()
  private let inbox: Inbox

  private final class Counter: Sendable {
    private let count = Atomic(0)

    func increment() { count.add(1, ordering: .relaxed) }

    var value: Int { count.load(ordering: .relaxed) }
  }

  init() {
    inbox = Inbox { [wakeCount] in wakeCount.increment() }
  }

  private func takeMail() -> Int {
    var mail: [Mail] = []
    inbox.drain(into: &mail)
    return mail.count
  }

  @Test func wakesAWaitingLoopOnce() {
    #expect(inbox.rest())
    inbox.post(piece)
    #expect(wakeCount.value == 1)
    inbox.post(piece)
    #expect(takeMail() == 2)
    inbox.post(piece)
    #expect(!inbox.rest())
    #expect(takeMail() == 1)
    #expect(wakeCount.value == 1)
    #expect(inbox.rest())
    inbox.post(piece)
    #expect(wakeCount.value == 2)
  }

  @Test func doesNotWakeALoopThatRuns() {
    inbox.post(piece)
    #expect(takeMail() == 1)
    #expect(inbox.rest())
    inbox.wake()
    inbox.post(piece)
    #expect(wakeCount.value == 0)
  }
}
