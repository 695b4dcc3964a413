import HTTPCore
import Testing

@testable import HTTP2

@Suite struct ResponseHeadTests {
  private func pairs(_ head: ResponseHead) -> [String] {
    var block = FieldBlock()
    head.append(to: &block)
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
    let head = ResponseHead(response, omitsBody: false, date: ResponseDate("today"))
    #expect(pairs(head) == [":status: 200", "x: y", "date: today", "content-length: 2"])
    #expect(head.hasBody)
  }

  @Test func theDateIsTheServersToSay() {
    let response = HTTPResponse(status: .ok, fields: ["Date": "then"])
    let head = ResponseHead(response, omitsBody: false, date: ResponseDate("now"))
    #expect(pairs(head) == [":status: 200", "date: now", "content-length: 0"])
    #expect(!head.hasBody)
  }

  @Test(arguments: [204, 304])
  func someStatusesHaveNoContent(code: Int) {
    let head = ResponseHead(
      HTTPResponse(status: HTTPStatus(code), body: [1]), omitsBody: false, date: ResponseDate())
    #expect(pairs(head) == [":status: \(code)"])
    #expect(!head.hasBody)
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
