import HTTPCore
import Testing

@testable import HTTP2

@Suite struct ResponseHeadTests {
  private func pairs(_ response: HTTPResponse, date: String? = nil) -> [String] {
    var (block, ours) = (FieldBlock(), FieldBlock())
    if let date { ours.append(known: "date", date) }
    ResponseHead.append(response, HTTPFields(), ours: ours, isStreamed: false, to: &block)
    return unsafe block.withPairs { pairs in
      unsafe pairs.map { pair in
        let name = unsafe UnsafeBufferPointer(start: pair.name, count: pair.namelen)
        let value = unsafe UnsafeBufferPointer(start: pair.value, count: pair.valuelen)
        return
          unsafe "\(String(decoding: name, as: UTF8.self)): \(String(decoding: value, as: UTF8.self))"
      }
    }
  }

  @Test func whatBelongsToAConnectionIsDropped() {
    let response = HTTPResponse(
      status: .ok,
      fields: [
        "Connection": "close", "Keep-Alive": "1", "Proxy-Connection": "x", "Upgrade": "h2c",
        "Transfer-Encoding": "chunked", "TE": "trailers", "Content-Length": "99", "X": "y",
      ], body: [1, 2])
    #expect(
      pairs(response, date: "today")
        == [":status: 200", "x: y", "date: today", "content-length: 2"])
    #expect(ResponseHead.hasBody(response, omitsBody: false, isStreamed: false))
    #expect(!ResponseHead.hasBody(response, omitsBody: true, isStreamed: false))
  }

  @Test func theDateIsTheServersToSay() {
    let response = HTTPResponse(status: .ok, fields: ["Date": "then"])
    #expect(pairs(response, date: "now") == [":status: 200", "date: now", "content-length: 0"])
    #expect(!ResponseHead.hasBody(response, omitsBody: false, isStreamed: false))
    #expect(ResponseHead.hasBody(response, omitsBody: false, isStreamed: true))
  }

  @Test(arguments: [204, 304])
  func someStatusesHaveNoContent(code: Int) {
    let response = HTTPResponse(status: HTTPStatus(code), body: [1])
    #expect(pairs(response) == [":status: \(code)"])
    #expect(!ResponseHead.hasBody(response, omitsBody: false, isStreamed: true))
  }

  @Test func fieldsThatWouldBreakTheFrameAreLeftOut() {
    let peer = HTTP2Peer()
    peer.send(.get(1))
    let response = HTTPResponse(
      status: .ok, fields: ["x": "a\r\nb", "bad name": "1", ":path": "/", "good": "1"])
    peer.respond(1, response)
    #expect(peer.heads(1) == [[":status": "200", "good": "1", "content-length": "0"]])
  }
}
