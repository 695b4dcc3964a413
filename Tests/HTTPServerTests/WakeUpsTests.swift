import HTTPCore
import Synchronization
import Testing

@testable import HTTPServer

@Suite struct WakeUpsTests {
  /// A loop that waits, and counts how often it is woken.
  private final class Sleeper: Sendable {
    let count = Atomic(0)

    func inbox() -> Inbox {
      let inbox = Inbox { self.count.add(1, ordering: .relaxed) }
      #expect(inbox.rest())
      return inbox
    }

    var wakeUps: Int { count.load(ordering: .relaxed) }
  }

  private static let mail = Mail(connection: 1, stream: StreamID(1), content: .part(.end))

  @Test func severalAnswersWakeEachLoopOnce() {
    let (one, other, idle) = (Sleeper(), Sleeper(), Sleeper())
    let (first, second, third) = (one.inbox(), other.inbox(), idle.inbox())
    WakeUps.gather {
      for _ in 0..<3 {
        first.post(Self.mail)
        second.post(Self.mail)
      }
      #expect(one.wakeUps == 0)
      #expect(other.wakeUps == 0)
    }
    #expect(one.wakeUps == 1)
    #expect(other.wakeUps == 1)
    #expect(idle.wakeUps == 0)
    var mail: [Mail] = []
    first.drain(into: &mail)
    #expect(mail.count == 3)
    // Afterwards the thread wakes loops at once.
    third.post(Self.mail)
    #expect(idle.wakeUps == 1)
  }

  @Test func aLoopDoesNotWaitForALongSeries() {
    let sleeper = Sleeper()
    let inbox = sleeper.inbox()
    let time = Mutex(ContinuousClock.now)
    @Sendable func now() -> ContinuousClock.Instant { time.withLock { $0 } }
    WakeUps.gather(now: now) {
      inbox.post(Self.mail)
      time.withLock { $0 += WakeUps.maxDelay }
      inbox.post(Self.mail)
      #expect(sleeper.wakeUps == 0)
      time.withLock { $0 += .nanoseconds(1) }
      inbox.post(Self.mail)
      #expect(sleeper.wakeUps == 1)
      #expect(!inbox.rest())
      var mail: [Mail] = []
      inbox.drain(into: &mail)
      #expect(inbox.rest())
      // It has gone back to sleep, and the series is still long.
      inbox.post(Self.mail)
      #expect(sleeper.wakeUps == 2)
    }
    #expect(sleeper.wakeUps == 2)
  }
}
