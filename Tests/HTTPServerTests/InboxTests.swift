import HTTPCore
import Testing

@testable import HTTPServer

@Suite struct InboxTests {
  private let piece = Mail(
    connection: 1, stream: StreamID(2), content: .part(.whole(HTTPResponse(status: .ok))))

  @Test func wakesASleepingLoopOnce() {
    let inbox = Inbox()
    #expect(inbox.post(piece) == .asleep)
    #expect(inbox.post(piece) == .awake)
    var mail: [Mail] = []
    inbox.take(into: &mail)
    #expect(mail.count == 2)
    #expect(inbox.post(piece) == .awake)
    #expect(!inbox.rest(.asleep))
    #expect(!inbox.rest(.waiting))
    mail = []
    inbox.take(into: &mail)
    #expect(mail.count == 1)
    #expect(inbox.rest(.waiting))
    #expect(inbox.post(piece) == .waiting)
    inbox.take(into: &mail)
    mail = []
    inbox.take(into: &mail)
    #expect(inbox.rest(.asleep))
    #expect(inbox.post(piece) == .asleep)
  }

  @Test func doesNotWakeALoopThatRuns() {
    let inbox = Inbox()
    inbox.wake()
    #expect(inbox.post(piece) == .awake)
  }
}
