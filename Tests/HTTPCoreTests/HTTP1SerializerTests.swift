import Testing

@testable import HTTPCore

@Suite struct HTTP1SerializerTests {
  @Test(arguments: [0, 7, 10, 99, 100, 1_000_000_007, Int.max])
  func numbersAreDecimal(number: Int) {
    var text: [UInt8] = []
    text.append(decimal: number)
    #expect(text == Array(String(number).utf8))
  }

  private func text(
    _ response: HTTPResponse, date: String = "", omitsBody: Bool = false,
    persistence: HTTP1Serializer.Persistence = .implied
  ) -> String {
    var output: [UInt8] = []
    HTTP1Serializer.append(
      response, to: &output, date: ResponseDate(date), omitsBody: omitsBody,
      persistence: persistence)
    return String(decoding: output, as: UTF8.self)
  }

  @Test func writesAResponse() {
    let response = HTTPResponse(
      status: .notFound, fields: ["Content-Type": "text/plain"], body: Array("no".utf8))
    #expect(
      text(response, date: "today")
        == "HTTP/1.1 404 Not Found\r\ncontent-type: text/plain\r\ndate: today\r\n"
        + "content-length: 2\r\n\r\nno")
  }

  @Test func omitsTheBodyButNotItsLength() {
    let response = HTTPResponse(status: .ok, body: [1, 2, 3])
    #expect(
      text(response, omitsBody: true) == "HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\n")
  }

  @Test(arguments: [
    (HTTP1Serializer.Persistence.implied, ""), (.keepAlive, "connection: keep-alive\r\n"),
    (.close, "connection: close\r\n"),
  ])
  func tellsThePersistence(_ persistence: HTTP1Serializer.Persistence, _ line: String) {
    #expect(
      text(HTTPResponse(status: .ok), persistence: persistence)
        == "HTTP/1.1 200 OK\r\n\(line)content-length: 0\r\n\r\n")
  }

  @Test(arguments: [(204, "No Content"), (304, "Not Modified")])
  func hasNoLengthWhereThereIsNoContent(_ code: Int, _ reason: String) {
    #expect(
      text(HTTPResponse(status: HTTPStatus(code), body: [1]))
        == "HTTP/1.1 \(code) \(reason)\r\n\r\n")
  }

  @Test(arguments: [
    (HTTPStatus.conflict, "409 Conflict"), (.gone, "410 Gone"), (.ok, "200 OK"),
    (HTTPStatus(299), "299 "),
  ])
  func writesTheReason(_ status: HTTPStatus, _ line: String) {
    #expect(text(HTTPResponse(status: status)).hasPrefix("HTTP/1.1 \(line)\r\n"))
  }

  @Test func keepsFieldsThatWouldContradictItOut() {
    let fields: HTTPFields = [
      "content-length": "9", "Transfer-Encoding": "chunked", "connection": "x", "date": "x",
      "keep-alive": "x",
    ]
    #expect(
      text(HTTPResponse(status: .ok, fields: fields))
        == "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
  }

  @Test func keepsAValueOnItsLine() {
    let response = HTTPResponse(status: .ok, fields: ["a": "x\r\nset-cookie: y\u{0}"])
    #expect(
      text(response)
        == "HTTP/1.1 200 OK\r\na: x  set-cookie: y \r\ncontent-length: 0\r\n\r\n")
  }

  @Test func errorsAreJSON() {
    let response = HTTPResponse.error(.badRequest, "found \"a\\b\u{1}\"")
    #expect(
      String(decoding: response.body, as: UTF8.self)
        == #"{"error":"found \"a\\b\u0001\""}"# + "\n")
    #expect(response.fields["content-type"] == "application/json")
  }
}
