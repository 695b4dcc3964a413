import Logging
import Synchronization
import Testing

@testable import carousel

@Suite struct LineLogHandlerTests {
  private final class Lines: Sendable {
    let all = Mutex<[String]>([])
    func add(_ bytes: [UInt8]) {
      all.withLock { $0.append(String(decoding: bytes, as: UTF8.self)) }
    }
  }

  private func log(_ format: LineLogHandler.Format, _ body: (inout Logger) -> Void) -> [String] {
    let lines = Lines()
    var logger = Logger(label: "test") { _ in
      LineLogHandler(format: format, level: .info, write: lines.add)
    }
    body(&logger)
    return lines.all.withLock { $0 }
  }

  @Test(arguments: [LineLogHandler.Format.json, .text])
  func oneWriteALine(format: LineLogHandler.Format) {
    let lines = log(format) { logger in
      logger.info("first\nline")
      logger.error("second")
    }
    #expect(lines.count == 2)
    for line in lines {
      #expect(line.hasSuffix("\n"))
      #expect(line.filter { $0 == "\n" }.count == 1)
    }
  }

  @Test func belowTheLevelNothingIsWritten() {
    let lines = log(.text) { logger in
      logger.debug("no")
      logger.logLevel = .debug
      logger.debug("yes")
    }
    #expect(lines.count == 1)
  }

  @Test func anEventsMetadataGoesBeforeTheLoggers() throws {
    let lines = log(.text) { logger in
      logger[metadataKey: "a"] = "1"
      logger[metadataKey: "b"] = "1"
      logger.info("m", metadata: ["b": "2"])
    }
    #expect(try #require(lines.first).hasSuffix("m a=1 b=2\n"))
  }
}
