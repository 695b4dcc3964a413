import HTTPCore
import Testing

@testable import HTTPServer

@Suite struct InboxTests {
  private let piece = Mail(
    connection: 1, stream: StreamID(2), content: .part(.whole(HTTPResponse(status: .ok))))

  @Test func wakesASleepingLoopOnce() {
    let inbox = Inbox()
    #expect(inbox.post(piece))
    #expect(!inbox.post(piece))
    var mail: [Mail] = []
    inbox.take(into: &mail)
    #expect(mail.count == 2)
    #expect(!inbox.post(piece))
    #expect(!inbox.sleepIfEmpty())
    mail = []
    inbox.take(into: &mail)
    #expect(mail.count == 1)
    #expect(inbox.sleepIfEmpty())
    #expect(inbox.post(piece))
  }

  @Test func doesNotWakeALoopThatRuns() {
    let inbox = Inbox()
    inbox.wake()
    #expect(!inbox.post(piece))
  }
}
