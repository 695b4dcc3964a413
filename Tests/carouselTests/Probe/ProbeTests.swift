import Testing

@testable import carousel

@Suite struct ProbeTests {
  private func probe(
    _ listener: OneShotListener, host: String = "127.0.0.1", timeout: Double = 180
  ) throws -> Probe {
    let target = try #require(ProbeTarget(url: "http://\(host):\(listener.port)/readyz?a=b"))
    return Probe(target: target, timeoutSeconds: timeout)
  }

  @Test(arguments: [200, 404, 503])
  func theStatusOfAnAnswer(status: Int) throws {
    let listener = try #require(
      OneShotListener(answer: ["HTTP/1.1 \(status) Some thing\r\nContent-Length: 0\r\n\r\n"]))
    #expect(try probe(listener).status() == status)
    #expect(
      listener.request
        == "GET /readyz?a=b HTTP/1.1\r\nHost: 127.0.0.1:\(listener.port)\r\nConnection: close\r\n\r\n"
    )
  }

  @Test func anAnswerInPieces() throws {
    let listener = try #require(OneShotListener(answer: ["HT", "TP/1.1 2", "00 OK\r", "\n\r\n"]))
    #expect(try probe(listener).status() == 200)
  }

  @Test func overIPv6() throws {
    // Not every machine has IPv6; where ::1 can't be bound there is nothing to probe.
    guard let listener = OneShotListener(isIPv6: true, answer: ["HTTP/1.1 200 OK\r\n\r\n"]) else {
      return
    }
    #expect(try probe(listener, host: "[::1]").status() == 200)
  }

  @Test(arguments: [
    [], ["SSH-2.0-x\r\n"], ["HTTP/1.1 200 OK"], [String(repeating: "x", count: 9000)],
  ])
  func whatIsNotHTTP(answer: [String]) throws {
    let listener = try #require(OneShotListener(answer: answer))
    #expect(throws: ProbeError.notHTTP) { try probe(listener).status() }
  }

  @Test func silenceEnds() throws {
    let listener = try #require(OneShotListener(answer: nil))
    #expect(throws: ProbeError.timeOut) { try probe(listener, timeout: 0.05).status() }
  }

  @Test func nobodyListens() throws {
    let target = try #require(ProbeTarget(url: "http://127.0.0.1:1/"))
    #expect(throws: ProbeError.system(call: "connect", code: 111)) {
      try Probe(target: target, timeoutSeconds: 180).status()
    }
  }

  @Test(arguments: [
    ("HTTP/1.1 200 OK", 200), ("HTTP/1.0 204 ", 204), ("HTTP/1.1 503", 503),
  ])
  func statusLines(line: String, status: Int) throws {
    #expect(try Probe.status(in: Array(line.utf8)) == status)
  }

  @Test(arguments: ["", "HTTP/2 200", "HTTP/1.1", "HTTP/1.1 20", "HTTP/1.1 +20", "HTTP/1.1 600"])
  func noStatusLines(line: String) {
    #expect(throws: ProbeError.notHTTP) { try Probe.status(in: Array(line.utf8)) }
  }
}
