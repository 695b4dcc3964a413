import Testing

@testable import API

/// Tokens that come in quick succession are written together, each as an event of its own.
@Suite struct EventBufferTests {
  private let start = ContinuousClock.now

  private func at(_ microseconds: Int) -> ContinuousClock.Instant {
    start + .microseconds(microseconds)
  }

  private func add(
    _ text: String = "1", to buffer: inout EventBuffer, at microseconds: Int
  ) -> EventBuffer.Action {
    buffer.add(now: at(microseconds)) { $0.string(text) }
  }

  @Test(arguments: [(1999, EventBuffer.Action.writeLater), (2000, .write), (2001, .write)])
  func eventsThatComeSlowlyAreWrittenAtOnce(interval: Int, action: EventBuffer.Action) {
    var buffer = EventBuffer()
    #expect(add(to: &buffer, at: 0) == .write)
    #expect(buffer.flush(now: start) == Array("data: \"1\"\n\n".utf8))
    #expect(add("2", to: &buffer, at: interval) == action)
    #expect(buffer.flush(now: at(interval)) == Array("data: \"2\"\n\n".utf8))
    #expect(buffer.flush(now: at(interval)).isEmpty)
  }

  @Test func oneWriteIsDueForAllThatIsHeld() {
    var buffer = EventBuffer()
    #expect(add(to: &buffer, at: 0) == .write)
    _ = buffer.flush(now: start)
    #expect(add("2", to: &buffer, at: 10) == .writeLater)
    #expect(add("3", to: &buffer, at: 20) == .none)
    // It is late: the next event does not overtake it.
    #expect(add("4", to: &buffer, at: 5000) == .none)
    buffer.endWait()
    let held = #"data: "2"\#n\#ndata: "3"\#n\#ndata: "4"\#n\#n"#
    #expect(buffer.flush(now: at(6000)) == Array(held.utf8))
    #expect(add("5", to: &buffer, at: 6010) == .writeLater)
  }

  /// An event takes ten bytes beside its text.
  @Test(arguments: [(511, EventBuffer.Action.writeLater), (512, .write), (513, .write)])
  func manyBytesAreWrittenAtOnce(count: Int, action: EventBuffer.Action) {
    var buffer = EventBuffer()
    #expect(add(to: &buffer, at: 0) == .write)
    _ = buffer.flush(now: start)
    #expect(add(String(repeating: "x", count: count - 10), to: &buffer, at: 1) == action)
    #expect(buffer.flush(now: at(1)).count == count)
  }
}
