import HTTPCore
import TestSupport
import Testing

@testable import HTTPServer

/// What a reception adds to the response is in every one, whoever makes it.
@Suite struct ReceptionFieldsTests {
  private static let fields: HTTPFields = ["access-control-allow-origin": "*", "vary": "origin"]

  private static let application = Application { head, _ in
    switch head.path {
    case "/refused": .refusal(HTTPResponse(status: .forbidden), fields: fields)
    case "/streamed":
      Reception(.whole(maxBytes: 10), fields: fields) { exchange in
        exchange.begin(HTTPResponse(status: .ok))
        exchange.write(Array("part".utf8))
        exchange.end()
      }
    case "/parts":
      Reception(.parts, fields: fields) { $0.respond(HTTPResponse(status: .conflict)) }
    default:
      Reception(.whole(maxBytes: 10), fields: fields) { exchange in
        exchange.respond(HTTPResponse(status: .ok, body: exchange.request.body))
      }
    }
  }

  private func has(_ text: String, _ status: Int) -> Bool {
    text.hasPrefix("HTTP/1.1 \(status) ")
      && text.contains("\r\naccess-control-allow-origin: *\r\nvary: origin\r\n")
  }

  @Test(arguments: [
    ("/", "Content-Length: 2\r\n\r\nhi", 200), ("/", "\r\n", 200),
    ("/refused", "Content-Length: 2\r\n\r\nhi", 403), ("/streamed", "\r\n", 200),
    ("/parts", "Content-Length: 0\r\n\r\n", 409),
    // What the server says by itself: too long by its head, or as it comes, no chunk, and no gzip.
    ("/", "Content-Length: 11\r\n\r\n", 413),
    ("/", "Transfer-Encoding: chunked\r\n\r\nb\r\n01234567890\r\n", 413),
    ("/", "Transfer-Encoding: chunked\r\n\r\nx\r\n", 400),
    ("/", "Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\nhi", 400),
    ("/", "Content-Encoding: what\r\nContent-Length: 2\r\n\r\nhi", 415),
  ])
  func overHTTP1(path: String, rest: String, status: Int) throws {
    let server = try TestServer(receiving: Self.application)
    let text = "POST \(path) HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\(rest)"
    let answer = try #require(try server.answer(to: text))
    #expect(has(answer, status), "\(answer)")
  }

  @Test func aBodyWithoutRoomIsToldToo() throws {
    let memory = MemoryBudget(limit: 1 << 20)
    let server = try TestServer(memory: memory, receiving: Self.application)
    memory.add(2 << 20)
    let answer = try #require(
      try server.answer(
        to: "POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi"))
    #expect(has(answer, 429), "\(answer)")
  }

  @Test func aSlowBodyIsToldToo() throws {
    let server = try TestServer(clock: TestClock(), receiving: Self.application)
    let text = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nh"
    let answer = try #require(try server.answer(to: text, after: .seconds(31)))
    #expect(has(answer, 408), "\(answer)")
  }

  /// Each response has those of its own request.
  @Test func pipelinedRequestsKeepTheirs() throws {
    let server = try TestServer(
      receiving: Application { head, _ in
        Reception(.whole(), fields: ["x-path": head.path]) {
          $0.respond(HTTPResponse(status: .ok))
        }
      })
    let requests = ["/a", "/b"].map { "GET \($0) HTTP/1.1\r\nHost: x\r\n\r\n" }.joined()
    let answer = try #require(
      try server.answer(to: requests + "GET /c HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"))
    let found = answer.matches(of: /x-path: (\S+)/).map { String($0.1) }
    #expect(found == ["/a", "/b", "/c"])
  }
}
