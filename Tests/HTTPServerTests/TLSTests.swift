import CSSL
import Dispatch
import FoundationEssentials
import Glibc
import HTTPCore
import Synchronization
import TestSupport
import Testing

@testable import HTTPServer

@Suite struct TLSTests {
  private static let get = "GET / HTTP/1.1\r\nHost: one.test\r\nConnection: close\r\n\r\n"

  private func server(
    _ names: [String] = ["one"], clients: Bool = false, port: Int? = nil,
    clock: TestClock? = nil, application: @escaping HTTPAnswer = TestServer.echo
  ) throws -> TestServer {
    try TestServer(
      {
        $0.tls = TLSSettings(
          certificates: names.map { TLSFixtures.certificate($0) },
          clientAuthorities: clients ? TLSFixtures.file("authority.pem") : nil, port: port)
      }, clock: clock, application: application)
  }

  private func answer(of client: TLSClient?) throws -> String {
    let client = try #require(client)
    client.send(Self.get)
    return String(decoding: try #require(client.receiveAll()), as: UTF8.self)
  }

  @Test(arguments: [TLS1_2_VERSION, TLS1_3_VERSION]) func requestsAreAnswered(version: Int32) throws
  {
    let server = try server()
    let client = try #require(
      TLSClient(port: server.port, .init(name: "one.test", maxVersion: version)))
    #expect(client.version == (version == TLS1_2_VERSION ? "TLSv1.2" : "TLSv1.3"))
    #expect(try answer(of: client).hasPrefix("HTTP/1.1 200 OK\r\n"))
    #expect(server.server.statistics.tlsHandshakes == 1)
    #expect(server.server.tlsPort == server.port)
  }

  @Test func olderVersionsAreRefused() throws {
    let server = try server()
    #expect(TLSClient(port: server.port, .init(maxVersion: TLS1_1_VERSION)) == nil)
    #expect(try answer(of: TLSClient(port: server.port)).contains("200 OK"))
    #expect(server.server.statistics.tlsFailures == 1)
  }

  /// RFC 9113 §9.2.2: of TLS 1.2, neither suites without forward secrecy nor those of CBC.
  @Test(arguments: [
    ("ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES128-GCM-SHA256", true),
    ("ECDHE-RSA-CHACHA20-POLY1305:ECDHE-ECDSA-CHACHA20-POLY1305", true),
    ("ECDHE-RSA-AES128-SHA:ECDHE-ECDSA-AES128-SHA", false), ("AES128-GCM-SHA256", false),
  ])
  func suitesOfTLS12(suites: String, areFine: Bool) throws {
    let server = try server()
    let client = TLSClient(
      port: server.port, .init(maxVersion: TLS1_2_VERSION, suites: suites))
    #expect((client != nil) == areFine)
  }

  /// What was agreed holds: the bytes of the other protocol are an error of that one (RFC 9113 §3.4).
  @Test func whatWasAgreedHolds() throws {
    let server = try server()
    let request = Array("GET / HTTP/1.1\r\nHost: x\r\n\r\n".utf8)
    let multiplexed = try #require(
      TLSClient(port: server.port, .init(protocols: Array("\u{2}h2".utf8))))
    multiplexed.send(request)
    // SETTINGS, WINDOW_UPDATE and GOAWAY with PROTOCOL_ERROR, in any order.
    let frames = try #require(multiplexed.receiveAll())
    #expect(frames.starts(with: [0, 0]) && frames.suffix(17).starts(with: [0, 0, 8, 7]))
    let serial = try #require(
      TLSClient(port: server.port, .init(protocols: Array("\u{8}http/1.1".utf8))))
    serial.send(ProtocolDetector.preface)
    let text = String(decoding: try #require(serial.receiveAll()), as: UTF8.self)
    #expect(text.hasPrefix("HTTP/1.1 505 "), "\(text)")
  }

  /// RFC 7301: h2 where the client offers both, in any order.
  @Test(arguments: [
    ("\u{8}http/1.1", "http/1.1"), ("\u{2}h2", "h2"), ("\u{8}http/1.1\u{2}h2", "h2"), ("", ""),
  ])
  func protocolsAreNegotiated(offer: String, choice: String) throws {
    let server = try server()
    let client = try #require(TLSClient(port: server.port, .init(protocols: Array(offer.utf8))))
    #expect(client.chosenProtocol == choice)
    if choice == "h2" {
      client.send(ProtocolDetector.preface + [0, 0, 0, 4, 0, 0, 0, 0, 0])
      let first = try #require(client.receive())
      #expect(first.count >= 9 && first[3] == 4, "no SETTINGS")
    } else {
      #expect(try answer(of: client).contains("200 OK"))
    }
  }

  /// What OpenSSL has read of the socket and holds nobody is told of: records of any size that come together, more than
  /// its buffer holds, are all read, the last one too.
  @Test(arguments: [37, 1000, 16_384]) func allRecordsAreRead(bytesEach: Int) throws {
    let server = try server { exchange in
      exchange.respond(
        HTTPResponse(status: .ok, body: Array("\(exchange.request.body.count) bytes".utf8)))
    }
    let client = try #require(TLSClient(port: server.port))
    let count = max(20, 100_000 / bytesEach)
    for _ in 0..<3 {
      client.send("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: \(count * bytesEach)\r\n\r\n")
      for _ in 0..<count { client.send([UInt8](repeating: 7, count: bytesEach)) }
      let answer = try #require(client.receive())
      #expect(String(decoding: answer, as: UTF8.self).hasSuffix("\(count * bytesEach) bytes"))
    }
  }

  @Test func otherProtocolsAreRefused() throws {
    let server = try server()
    #expect(TLSClient(port: server.port, .init(protocols: Array("\u{3}foo".utf8))) == nil)
  }

  /// Each name gets its certificate, any other the first.
  @Test func namesChooseCertificates() throws {
    let server = try server(["one", "two"])
    for name in ["one.test", "two.test", "a.two.test"] {
      #expect(try answer(of: TLSClient(port: server.port, .init(name: name))).contains("200 OK"))
    }
    #expect(TLSClient(port: server.port, .init(name: "three.test")) == nil)
    #expect(try answer(of: TLSClient(port: server.port)).contains("200 OK"))
  }

  @Test func sessionsAreResumed() throws {
    let server = try server()
    let first = try #require(TLSClient(port: server.port))
    _ = try answer(of: first)
    let session = unsafe first.session
    defer { unsafe SSL_SESSION_free(session) }
    let second = try #require(
      TLSClient(port: server.port, unsafe .init(session: session)))
    #expect(second.isResumed)
    #expect(try answer(of: second).contains("200 OK"))
  }

  @Test func clientsShowTheirCertificates() throws {
    let server = try server(clients: true) { exchange in
      exchange.respond(
        HTTPResponse(
          status: .ok, body: Array("name \(exchange.connection?.peer?.name ?? "none")".utf8)))
    }
    let text = try answer(of: TLSClient(port: server.port, .init(certificate: "client")))
    #expect(text.hasSuffix("name CN=a client,O=Tests"))
    // In TLS 1.3 the client learns of its refusal only when it reads.
    for certificate in ["stranger", nil] {
      let client = TLSClient(port: server.port, .init(certificate: certificate))
      client?.send(Self.get)
      #expect(client?.receiveAll() == nil)
    }
  }

  /// Both directions at once and more than any buffer holds, in pieces of every kind of size.
  @Test(arguments: [1, 100, 16_384, 16_385, 3_000_000]) func largeBodiesMove(size: Int) throws {
    let server = try server()
    let client = try #require(TLSClient(port: server.port))
    let body = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 7) }
    client.send(
      "POST /x HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: \(size)\r\n\r\n")
    client.send(body)
    let answer = try #require(client.receiveAll())
    #expect(answer.suffix(size) == body[...])
  }

  /// A connection in the clear beside it, on a port of its own.
  @Test func aSecondPort() throws {
    let server = try server(port: 0)
    let port = try #require(server.server.tlsPort)
    #expect(port != server.port)
    #expect(try answer(of: TLSClient(port: port)).contains("200 OK"))
    #expect(try server.connect().send(Self.get))
    let plain = try server.connect()
    plain.send(Self.get)
    #expect(plain.receiveAll()?.contains("200 OK") == true)
  }

  @Test func whatIsNoTLSIsClosed() throws {
    let server = try server()
    let client = try server.connect()
    client.send(Self.get)
    while let bytes = client.receiveBytes(), !bytes.isEmpty {
      #expect(bytes.first == 0x15, "no alert: \(bytes)")
    }
    #expect(try answer(of: TLSClient(port: server.port)).contains("200 OK"))
  }

  /// The end of the client's side may come with its last request, in one piece.
  @Test func closeNotifyBehindARequest() throws {
    let server = try server()
    for _ in 0..<20 {
      let client = try #require(TLSClient(port: server.port))
      client.send(Self.get)
      client.endOutput()
      let answer = try #require(client.receiveAll(), "the connection stays open")
      #expect(String(decoding: answer, as: UTF8.self).contains("200 OK"))
    }
  }

  /// A handshake has the time of a head.
  /// OpenSSL can't write before the peer's part of the handshake: a socket that could keeps no loop busy meanwhile.
  @Test func outputWaitsForTheHandshake() throws {
    var numbers: [CInt] = [-1, -1]
    // SAFETY: the kernel writes two numbers.
    let kind = CInt(SOCK_STREAM.rawValue) | CInt(SOCK_NONBLOCK.rawValue)
    try #require(unsafe socketpair(AF_UNIX, kind, 0, &numbers) == 0)
    guard let own = Descriptor(adopting: numbers[0]), let peer = Descriptor(adopting: numbers[1])
    else { preconditionFailure("the kernel gave two") }
    let poller = try Poller()
    let transport = TLSTransport(
      own, context: try TLSContext(TLSSettings(certificates: [TLSFixtures.certificate("one")])),
      counters: ServerCounters(), poller: poller, token: 1)
    #expect(transport.watch(for: .output))
    #expect(poller.poll(waits: false) == 1)
    #expect(transport.write(Array("hello".utf8).span) == .wouldBlock)
    #expect(poller.poll(waits: false) == 0)
    // What the peer sends is for the writer, as nobody reads.
    let byte: [UInt8] = [0x16]
    // SAFETY: the kernel reads one byte.
    try #require(unsafe send(peer.number, byte, 1, 0) == 1)
    #expect(poller.poll(waits: false) == 1)
    #expect(transport.translate(poller.event(0).readiness) == .output)
    transport.close()
  }

  @Test func slowHandshakesEnd() throws {
    let clock = TestClock()
    let server = try server(clock: clock)
    let silent = try server.connect()
    let begun = try server.connect()
    begun.send([0x16, 0x03, 0x01, 0x02])
    #expect(
      server.letTimePass(.seconds(11)) { server.server.statistics.connectionsTimedOut == 2 })
    #expect(silent.receiveAllBytes() == [])
    #expect(begun.receiveAllBytes() == [])
  }

  @Test func certificatesAreReplaced() throws {
    let server = try server(["one"])
    let open = try #require(TLSClient(port: server.port, .init(name: "one.test")))
    try server.server.reload(TLSSettings(certificates: [TLSFixtures.certificate("two")]))
    #expect(TLSClient(port: server.port, .init(name: "one.test")) == nil)
    #expect(
      try answer(of: TLSClient(port: server.port, .init(name: "two.test"))).contains("200 OK"))
    // The old connection goes on.
    #expect(try answer(of: open).contains("200 OK"))
    // What can't be used changes nothing.
    var broken = TLSFixtures.certificate("one")
    broken.key = TLSFixtures.file("two-key.pem")
    #expect(throws: HTTPServerError.self) {
      try server.server.reload(TLSSettings(certificates: [broken]))
    }
    // Nobody is asked for a pass phrase.
    broken.key = TLSFixtures.file("one-key-encrypted.pem")
    let error = #expect(throws: HTTPServerError.self) {
      try server.server.reload(TLSSettings(certificates: [broken]))
    }
    #expect(error?.description.contains("pass phrase") == true)
    #expect(
      try answer(of: TLSClient(port: server.port, .init(name: "two.test"))).contains("200 OK"))
  }

  /// Whoever connects meanwhile gets the one or the other, whole, and no request fails.
  @Test func certificatesAreReplacedUnderLoad() throws {
    let server = try server(["one"])
    let target = server.server
    let isOver = Atomic(false)
    let failures = Tally()
    let reloads = Tally()
    let group = DispatchGroup()
    // A queue of its own has a thread of its own, however busy the others are.
    DispatchQueue(label: "reloads").async(group: group) {
      while !isOver.load(ordering: .relaxed) {
        let name = reloads.value % 2 == 0 ? "two" : "one"
        let settings = TLSSettings(certificates: [TLSFixtures.certificate(name)])
        do { try target.reload(settings) } catch { failures.raise() }
        reloads.raise()
      }
    }
    var answers = 0
    while answers < 60 || reloads.value < 10, failures.value == 0 {
      guard let client = TLSClient(port: target.port) else {
        failures.raise()
        break
      }
      client.send(Self.get)
      let answer = client.receiveAll().map { String(decoding: $0, as: UTF8.self) }
      if answer?.hasPrefix("HTTP/1.1 200 ") == true { answers += 1 } else { failures.raise() }
    }
    isOver.store(true, ordering: .relaxed)
    group.wait()
    #expect(failures.value == 0 && answers >= 60 && reloads.value >= 10)
  }

  /// What is found instead is named, with the command that makes what is expected.
  @Test(
    arguments: [
      (nil, "No such file or directory"), ("", "found an empty file, expected"),
      ("hello", "found no PEM, expected"),
      ("\u{30}\u{3}\u{2}\u{1}\u{3}\u{30}\u{3}\u{2}", "found PKCS#12, expected"),
      ("\u{30}\u{6}\u{30}\u{4}\u{2}\u{2}\u{0}\u{1}", "found DER, expected"),
    ] as [(String?, String)])
  func filesThatCantBeUsedAreNamed(content: String?, problem: String) throws {
    let folder = TemporaryFolder()
    let file = folder.path + "/a.pem"
    if let content { try Self.write(content, to: file) }
    let (chain, key) = (TLSFixtures.file("one.pem"), TLSFixtures.file("one-key.pem"))
    for (name, settings) in [
      ("tls_certificate", TLSSettings(certificates: [.init(chain: file, key: key)])),
      ("tls_key", TLSSettings(certificates: [.init(chain: chain, key: file)])),
      (
        "tls_client_authorities",
        TLSSettings(certificates: [TLSFixtures.certificate("one")], clientAuthorities: file)
      ),
    ] {
      #expect {
        try TLSContext(settings)
      } throws: {
        "\($0)".hasPrefix("\(name): \(file) can't be used for TLS: \(problem)")
          && (!problem.contains("DER") || "\($0)".contains("-inform der -in \(file)"))
          && (!problem.contains("PKCS") || "\($0)".contains("openssl pkcs12 -in \(file)"))
      }
    }
  }

  /// The order of a chain is not blamed on the key, nor another key on the chain.
  @Test func aKeyThatIsNotOfTheFirstCertificate() throws {
    let folder = TemporaryFolder()
    let (chain, key) = (folder.path + "/chain.pem", TLSFixtures.file("one-key.pem"))
    let texts = try ["authority", "one"].map {
      try String(contentsOfFile: TLSFixtures.file("\($0).pem"), encoding: .utf8)
    }
    try Self.write(texts.joined(), to: chain)
    #expect(
      throws: HTTPServerError.certificate(
        .chain, file: chain,
        problem:
          "found the certificate of \(key) as number 2, expected it first, and behind it those that it follows from"
      )
    ) { try TLSContext(TLSSettings(certificates: [.init(chain: chain, key: key)])) }
    let (one, other) = (TLSFixtures.file("one.pem"), TLSFixtures.file("two-key.pem"))
    #expect(
      throws: HTTPServerError.certificate(
        .key, file: other, problem: "found the key of another certificate, expected that of \(one)"
      )
    ) { try TLSContext(TLSSettings(certificates: [.init(chain: one, key: other)])) }
    #expect(
      throws: HTTPServerError.certificate(
        .chain, file: other,
        problem:
          "found EC PRIVATE KEY, expected a certificate and those that it follows from in PEM"
      )
    ) { try TLSContext(TLSSettings(certificates: [.init(chain: other, key: other)])) }
  }

  @Test func certificatesOfAnotherTimeAreNamed() throws {
    let settings = TLSSettings(certificates: [TLSFixtures.certificate("one")])
    #expect(settings.untimelyCertificates().isEmpty)
    let file = TLSFixtures.file("one.pem")
    for (now, problem) in [(0, "it is not valid yet"), (1 << 33, "it has expired")] {
      let found = settings.untimelyCertificates(at: now)
      #expect(found.map(\.file) == [file] && found.map(\.problem) == [problem])
    }
  }

  private static func write(_ text: String, to path: String) throws {
    try text.write(toFile: path, atomically: false, encoding: .utf8)
  }

  /// OpenSSL would wait for whoever writes to the pipe.
  @Test func onlyRegularFiles() throws {
    let folder = TemporaryFolder()
    let pipe = folder.path + "/pipe"
    try #require(mkfifo(pipe, 0o600) == 0)
    let key = TLSFixtures.file("one-key.pem")
    let files: [(TLSSettings.Role, TLSSettings)] = [
      (.chain, TLSSettings(certificates: [.init(chain: pipe, key: key)])),
      (.key, TLSSettings(certificates: [.init(chain: TLSFixtures.file("one.pem"), key: pipe)])),
      (
        .clientAuthorities,
        TLSSettings(certificates: [TLSFixtures.certificate("one")], clientAuthorities: pipe)
      ),
    ]
    for (role, settings) in files {
      #expect(
        throws: HTTPServerError.certificate(
          role, file: pipe, problem: "found no regular file, expected one in PEM")
      ) { try TLSContext(settings) }
    }
  }
}
