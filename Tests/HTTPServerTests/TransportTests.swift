import HTTPCore
import Synchronization
import TestSupport
import Testing

@testable import HTTPServer

/// The real connections over buffers that are slow, short, and end at any byte.
@Suite struct TransportTests {
  /// Answers by path: at once, in parts, or when it is told to; and counts how exchanges end.
  private final class Answers: Sendable {
    private let held = Mutex<[HTTPExchange]>([])
    private let counts = Mutex((begun: 0, ended: 0))

    var counted: (begun: Int, ended: Int) { counts.withLock { $0 } }

    @Sendable func answer(_ exchange: HTTPExchange) {
      counts.withLock { $0.begun += 1 }
      exchange.onFinish { [self] _ in counts.withLock { $0.ended += 1 } }
      switch exchange.request.path {
      case "/later": held.withLock { $0.append(exchange) }
      case "/parts":
        exchange.begin(HTTPResponse(status: .ok, body: Array("begin ".utf8)))
        for number in 0..<3 { exchange.write(Array("part \(number) ".utf8)) }
        exchange.end()
      default: TestServer.echo(exchange)
      }
    }

    /// Answers those that wait; returns whether there were any.
    func answerHeld() -> Bool {
      let waiting = held.withLock { held in
        defer { held = [] }
        return held
      }
      for exchange in waiting { TestServer.echo(exchange) }
      return !waiting.isEmpty
    }
  }

  private static func head(_ line: String, _ fields: String = "") -> String {
    "\(line) HTTP/1.1\r\nHost: x\r\n\(fields)\r\n"
  }

  private static let http1: [[UInt8]] = [
    head("GET /a") + head("GET /later") + head("PUT /b", "Content-Length: 10\r\n") + "0123456789"
      + head("HEAD /c") + head("GET /parts")
      + head("POST /d", "Transfer-Encoding: chunked\r\n") + "5\r\nabcde\r\n3\r\nfgh\r\n0\r\n\r\n"
      + head("GET /later", "Connection: close\r\n"),
    head("PUT /later", "Content-Length: 300\r\n") + String(repeating: "x", count: 300)
      + head("GET /parts", "Connection: close\r\n"),
    "GET /old HTTP/1.0\r\n\r\n",
    head("GET /a") + "nonsense\r\n\r\n",
    "GET /parts HTTP/1.0\r\n\r\n",
  ].map { Array($0.utf8) }

  private static let http2: [UInt8] =
    HTTP2Bytes.preface + HTTP2Bytes.head(1, "GET", "/a", end: true)
    + HTTP2Bytes.head(3, "PUT", "/later", end: false)
    + HTTP2Bytes.head(5, "GET", "/parts", end: true)
    + HTTP2Bytes.data(3, Array("abc".utf8), end: false)
    + HTTP2Bytes.data(3, Array("defgh".utf8), end: true)
    + HTTP2Bytes.head(7, "GET", "/later", end: true)

  private static let manners: [BufferTransport.Manner] = {
    var noise = Noise(seed: 4)
    return [.init(maxRead: 1, maxWritten: 1, capacity: 1), .init(maxRead: 1), .init(maxWritten: 1)]
      + (0..<12).map { _ in
        BufferTransport.Manner(
          maxRead: Int.random(in: 1..<40, using: &noise),
          maxWritten: Int.random(in: 1..<40, using: &noise),
          capacity: Int.random(in: 1..<100, using: &noise))
      }
  }()

  /// Sends `bytes` in pieces, takes what comes in pieces, and answers what waits, until nothing goes on.
  private func converse(
    _ bytes: [UInt8], _ manner: BufferTransport.Manner = .init(), sent: Int = .max,
    taken: Int = .max
  ) -> [UInt8] {
    let answers = Answers()
    let loop = SimulatedLoop(application: answers.answer)
    let client = loop.connect(manner)
    var (rest, received) = (bytes[...], [UInt8]())
    while true {
      let piece = rest.prefix(sent)
      rest = rest.dropFirst(piece.count)
      client.send(piece)
      loop.run()
      let answered = rest.isEmpty && answers.answerHeld()
      let new = client.receive(taken)
      received += new
      if piece.isEmpty, new.isEmpty, !answered { return received }
    }
  }

  /// Without the dates, as the wall clock's second may pass.
  private func text(_ bytes: [UInt8]) -> String {
    String(decoding: bytes, as: UTF8.self).replacing(/(server|date): [^\r]*\r\n/, with: "")
  }

  @Test(arguments: 0..<http1.count)
  func howeverBytesMoveTheAnswersAreTheSame(index: Int) {
    let bytes = Self.http1[index]
    let whole = text(converse(bytes))
    #expect(whole.hasPrefix("HTTP/1.1 200 "))
    for (number, manner) in Self.manners.enumerated() {
      let found = converse(bytes, manner, sent: 1 + number * 7, taken: 1 + number * 5)
      #expect(text(found) == whole, "\(manner)")
    }
  }

  /// What each stream brings: its data, and whether it is complete.
  private func streams(_ bytes: [UInt8]) -> [Int: String] {
    var (rest, found) = (bytes[...], [Int: String]())
    while rest.count >= 9 {
      let head = Array(rest.prefix(9))
      let count = Int(head[0]) << 16 | Int(head[1]) << 8 | Int(head[2])
      let payload = rest.dropFirst(9).prefix(count)
      if head[3] == 0 {
        found[Int(head[8]), default: ""] += String(decoding: payload, as: UTF8.self)
      }
      if head[3] <= 1, head[4] & 1 != 0 { found[Int(head[8]), default: ""] += "." }
      rest = rest.dropFirst(9 + count)
    }
    return found
  }

  @Test func howeverBytesMoveTheStreamsAreTheSame() {
    let whole = streams(converse(Self.http2))
    #expect(
      whole == [
        1: "GET /a .", 3: "PUT /later abcdefgh.", 5: "begin part 0 part 1 part 2 .",
        7: "GET /later .",
      ])
    for (number, manner) in Self.manners.enumerated() {
      let found = converse(Self.http2, manner, sent: 1 + number * 7, taken: 1 + number * 5)
      #expect(streams(found) == whole, "\(manner)")
    }
  }

  /// How a client's part of a conversation ends before its time.
  enum Deed: CaseIterable { case endsItsSide, leaves, resets, stops }

  /// Every answer is given or given up, and nothing is left: no connection, no deadline, no memory.
  @Test(arguments: Deed.allCases, [0, 1, 2, 3, 4, 5])
  func whereverAClientEndsNothingIsLeft(deed: Deed, conversation: Int) {
    let bytes = (Self.http1 + [Self.http2])[conversation]
    for cut in 0...bytes.count {
      let answers = Answers()
      let loop = SimulatedLoop(application: answers.answer)
      let client = loop.connect(Self.manners[cut % Self.manners.count])
      client.send(bytes.prefix(cut))
      // A few rounds more at each byte, so that what is under way then varies too.
      for _ in 0..<(cut % 7) { _ = loop.step() }
      _ = client.receive(cut % 11)
      switch deed {
      case .endsItsSide: client.endInput()
      case .leaves: client.leave()
      case .resets: client.reset()
      case .stops: break
      }
      loop.run()
      while answers.answerHeld() { loop.run() }
      loop.advance(by: .seconds(200), step: .seconds(5))
      while answers.answerHeld() { loop.run() }
      let (begun, ended) = answers.counted
      #expect(begun == ended, "\(deed) at \(cut)")
      #expect(client.isClosed, "\(deed) at \(cut)")
      #expect(loop.driver.connections.count == 0, "\(deed) at \(cut)")
      #expect(loop.counters.connectionsOpen.load(ordering: .relaxed) == 0)
      #expect(loop.memory.heldBytes == 0, "\(deed) at \(cut)")
      #expect(loop.time.deadlines.next == .max, "\(deed) at \(cut)")
    }
  }

  // MARK: Time-outs, to the nanosecond

  private static let second = Duration.seconds(1)

  /// Whether the connection on which `text` came is still open `duration` later.
  private func isOpen(
    _ text: String, after duration: Duration,
    _ change: (inout HTTPServerSettings) -> Void = { _ in }, capacity: Int = .max
  ) -> Bool {
    let loop = SimulatedLoop(change, application: TestServer.echo)
    let client = loop.connect(.init(capacity: capacity))
    client.send(text.utf8)
    loop.run()
    _ = client.receive(capacity == .max ? .max : 0)
    loop.run()
    loop.advance(by: duration)
    return !client.isOver && !client.isBroken && client.receive().isEmpty
  }

  private static let limits: [(text: String, seconds: Int)] = [
    ("", 75), (head("GET /"), 75), ("GET / HT", 10), (head("PUT /", "Content-Length: 9\r\n"), 30),
    (head("PUT /", "Content-Length: 9\r\n") + "abc", 30),
  ]

  @Test(arguments: 0..<limits.count)
  func eachTimeOutComesInTime(index: Int) {
    let (text, seconds) = Self.limits[index]
    let limit = Duration.seconds(seconds)
    #expect(isOpen(text, after: limit - .nanoseconds(1)))
    #expect(!isOpen(text, after: limit))
    #expect(!isOpen(text, after: limit + .nanoseconds(1)))
  }

  /// Nobody is asked to take a byte each instant; who takes none for `write_timeout` is given up, within a tick.
  @Test func whoTakesNothingIsGivenUp() {
    let loop = SimulatedLoop({ $0.writeTimeout = .seconds(8) }, application: TestServer.echo)
    let client = loop.connect(.init(capacity: 10))
    client.send(Self.head("GET /").utf8)
    loop.run()
    loop.advance(by: .seconds(7.9))
    #expect(!client.isClosed)
    loop.advance(by: .seconds(1.2))
    #expect(client.isClosed && loop.driver.connections.count == 0)
  }

  /// Its kernel answers the first byte of the answer with a reset, which ends what is done for it.
  @Test func whoHasLeftIsFoundOut() {
    let answers = Answers()
    let loop = SimulatedLoop(application: answers.answer)
    let client = loop.connect()
    client.send(Self.head("GET /later").utf8)
    loop.run()
    client.leave()
    loop.run()
    #expect(answers.counted.ended == 0)
    loop.advance(by: .nanoseconds(ConnectionLifecycle.firstProbeDelay), step: .milliseconds(1))
    #expect(answers.counted.ended == 1 && client.isClosed)
  }

  @Test func whoOnlyEndedItsSideIsAskedMoreAndMoreRarely() {
    let answers = Answers()
    let loop = SimulatedLoop(application: answers.answer)
    let client = loop.connect()
    client.send(Self.head("GET /later").utf8)
    loop.run()
    client.endInput()
    loop.run()
    var asked: [[UInt8]] = []
    for _ in 0..<8 {
      loop.advance(by: Self.second)
      asked.append(client.receive())
    }
    #expect(asked.map(\.count) == [1, 1, 0, 1, 0, 0, 0, 1])
    #expect(answers.answerHeld())
    loop.run()
    let answer = asked.flatMap(\.self) + client.receive()
    #expect(String(decoding: answer, as: UTF8.self).hasPrefix("HTTP/1.1 200 OK\r\n"))
    #expect(client.isClosed)
  }

  // MARK: One too many

  @Test func anExtraConnectionIsToldAndForgotten() {
    let loop = SimulatedLoop(application: TestServer.echo)
    loop.driver.limitExtras(to: DescriptorBudget(maxConnections: 10_000, maxExtrasPerLoop: 2))
    let client = loop.connectExtra(.init(maxWritten: 3))
    client.send(Array("GET".utf8))
    loop.run()
    #expect(String(decoding: client.receive(), as: UTF8.self).hasPrefix("HTTP/1.1 429 "))
    #expect(client.isOver && !client.isClosed)
    client.endInput()
    loop.run()
    #expect(client.isClosed && loop.driver.connections.count == 0)
  }

  @Test func aHealthCheckIsAnsweredHoweverItComes() {
    let loop = SimulatedLoop({ $0.probePaths = ["/livez"] }, application: TestServer.echo)
    loop.driver.limitExtras(to: DescriptorBudget(maxConnections: 1, maxExtrasPerLoop: 2))
    let client = loop.connectExtra(.init(maxRead: 1, maxWritten: 1))
    for byte in Self.head("GET /livez").utf8 {
      client.send([byte])
      loop.run()
    }
    let answer = String(decoding: client.receive(), as: UTF8.self)
    #expect(answer.hasPrefix("HTTP/1.1 200 ") && answer.hasSuffix("GET /livez "))
    let other = loop.connectExtra()
    loop.run()
    loop.advance(by: Self.second)
    #expect(String(decoding: other.receive(), as: UTF8.self).hasPrefix("HTTP/1.1 429 "))
  }
}
