import HTTPCore
import Logging
import Synchronization
import Testing

@testable import carousel

@Suite struct AccessLogTests {
  private final class Record: Sendable {
    let lines = Mutex<[String]>([])
    let responses = Mutex<[HTTPResponse]>([])

    var logger: Logger {
      Logger(label: "test") { _ in
        LineLogHandler(format: .text, level: .debug) { bytes in
          self.lines.withLock { $0.append(String(decoding: bytes, as: UTF8.self)) }
        }
      }
    }

    var exchange: HTTPExchange {
      HTTPExchange(request: HTTPRequest(method: "GET", path: "/a b")) { response in
        self.responses.withLock { $0.append(response) }
      }
    }
  }

  /// Has `exchange` answered by an application that is logged.
  private func answer(
    _ exchange: HTTPExchange, _ record: Record, by answer: @escaping HTTPAnswer
  ) {
    logging(Application(answer), to: record.logger).receive(exchange.request, nil).answer(exchange)
  }

  @Test func anAnswerPassesAndLeavesALine() {
    let record = Record()
    let answer = HTTPResponse(status: .notFound, body: [1])
    self.answer(record.exchange, record) { $0.respond(answer) }
    #expect(record.responses.withLock { $0 } == [answer])
    let lines = record.lines.withLock { $0 }
    #expect(lines.count == 1)
    #expect(lines[0].contains("method=GET") && lines[0].contains(#"path="/a b" status=404"#))
  }

  @Test func whatAReceptionSaysIsKept() {
    let fields: HTTPFields = ["access-control-allow-origin": "*"]
    let application = Application { _, _ in Reception(.whole(maxBytes: 9), fields: fields) { _ in }
    }
    let head = HTTPRequest(method: "GET", path: "/")
    let reception = logging(application, to: Record().logger).receive(head, nil)
    #expect(reception.fields == fields && reception.body == .whole(maxBytes: 9))
  }

  @Test func aLineNamesTheClient() {
    let record = Record()
    let peer = HTTPPeer(address: PeerAddress(bytes: [192, 0, 2, 1], port: 7))
    let exchange = HTTPExchange(
      request: HTTPRequest(method: "GET", path: "/"),
      connection: .init(.init(number: 1, hasLeft: { false }), peer: peer, isNew: true),
      deliverPart: { _ in })
    answer(exchange, record) { $0.respond(HTTPResponse(status: .ok)) }
    #expect(record.lines.withLock { $0 }.first?.contains("client=192.0.2.1") == true)
  }

  @Test func aStreamLeavesALineAtItsEnd() {
    let record = Record()
    let start = HTTPResponse(status: .ok, body: [1])
    let exchange = record.exchange
    answer(exchange, record) { $0.begin(start) }
    exchange.write([2])
    #expect(record.lines.withLock { $0 }.isEmpty)
    exchange.end()
    #expect(record.responses.withLock { $0 } == [HTTPResponse(status: .ok, body: [1, 2])])
    let lines = record.lines.withLock { $0 }
    #expect(lines.count == 1 && lines[0].contains("status=200"))
  }

  @Test func aClientThatLeavesIsPassedOn() {
    let record = Record()
    let told = Atomic(false)
    let exchange = record.exchange
    answer(exchange, record) { $0.onAbandon { told.store(true, ordering: .relaxed) } }
    exchange.abandon()
    let wasTold = told.load(ordering: .relaxed)
    #expect(wasTold)
    let lines = record.lines.withLock { $0 }
    #expect(lines.count == 1 && lines[0].contains("status=abandoned"))
  }
}
