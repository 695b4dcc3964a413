import HTTPCore
import TestSupport
import Testing

@testable import HTTPServer

/// RFC 9112 §9.3.2: of pipelined requests only those with safe methods run in parallel.
@Suite struct PipeliningTests {
  private static func request(_ method: String, _ path: String) -> String {
    "\(method) \(path) HTTP/1.1\r\nHost: x\r\n\(method == "POST" ? "Content-Length: 2\r\n\r\nhi" : "\r\n")"
  }

  private let ok = HTTPResponse(status: .ok)

  /// Sends `requests` at once; returns, for each answer that is given in order, the paths that are under way before it.
  private func started(_ requests: [(String, String)]) throws -> [[String]] {
    let held = Held()
    let server = try TestServer(application: held.hold)
    let client = try server.connect()
    let other = try server.connect()
    client.send(requests.map { Self.request($0.0, $0.1) }.joined())
    var rounds: [[String]] = []
    for done in requests.indices {
      _ = held.wait(for: rounds.count + done + 1)
      // What the server handed out before this request, it had handed out in an earlier round.
      other.send(Self.request("GET", "/fence"))
      waitUntil { held.wait(for: 0).filter { $0.request.path == "/fence" }.count == done + 1 }
      let all = held.wait(for: 0)
      let own = all.filter { $0.request.path != "/fence" }
      rounds.append(own.dropFirst(done).map(\.request.path))
      all.filter { $0.request.path == "/fence" }[done].respond(ok)
      guard done < own.count else { break }
      own[done].respond(ok)
    }
    return rounds
  }

  @Test func unsafeOnesTakeTurns() throws {
    let rounds = try started([("POST", "/1"), ("POST", "/2"), ("GET", "/3"), ("GET", "/4")])
    #expect(rounds == [["/1"], ["/2"], ["/3", "/4"], ["/4"]])
  }

  @Test func anUnsafeOneWaitsForThoseBeforeIt() throws {
    let rounds = try started([("GET", "/1"), ("HEAD", "/2"), ("DELETE", "/3"), ("GET", "/4")])
    #expect(rounds == [["/1", "/2"], ["/2"], ["/3"], ["/4"]])
  }

  /// All are answered, in order, however many there are.
  @Test func manyAreAnswered() throws {
    let server = try TestServer()
    let client = try server.connect()
    let requests = (0..<200).map { Self.request($0 % 3 == 0 ? "GET" : "POST", "/\($0)") }
    client.send(requests.joined() + "GET /end HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    let text = try #require(client.receiveAll())
    #expect(text.components(separatedBy: "HTTP/1.1 200 OK").count == 202)
  }
}
