import HTTPCore
import Testing

@testable import HTTP2

@Suite struct RequestHeadTests {
  private func request(_ fields: [(String, String)]) throws(HTTP2Error) -> HTTPRequest {
    var head = RequestHead()
    for (name, value) in fields {
      // SAFETY: both are lent for the call, which copies them.
      unsafe Array(name.utf8).withUnsafeBufferPointer { name in
        unsafe Array(value.utf8).withUnsafeBufferPointer { value in
          unsafe head.append(name, value, limits: HTTP2Limits())
        }
      }
    }
    return try head.request()
  }

  @Test(arguments: [
    ("/", "/", nil), ("/a/b", "/a/b", nil), ("/a?", "/a", ""), ("/?a=1&b=/?c", "/", "a=1&b=/?c"),
    ("/%20~", "/%20~", nil),
  ])
  func targetIsSplitAtTheFirstQuestionMark(target: String, path: String, query: String?) throws {
    let request = try request(Frame.request("GET", target))
    #expect(request.path == path)
    #expect(request.query == query)
  }

  @Test(arguments: ["", "a", "http://here/", "*", "/ ", "/\u{7f}", "/é", "/{", "/\\", "/|"])
  func otherTargetsAreInvalid(target: String) {
    #expect(throws: HTTP2Error.invalidTarget(target)) {
      try request(Frame.request("GET", target))
    }
  }

  @Test func asteriskGoesWithOptions() throws {
    #expect(try request(Frame.request("OPTIONS", "*")).path == "*")
  }

  /// RFC 9113 §8.2.3.
  @Test func cookiesAreOneField() throws {
    let request = try request(
      Frame.request("GET", "/") + [
        ("cookie", "a=1"), ("x", "y"), ("cookie", "b=2; c=3"), ("cookie", "d=4"),
      ])
    #expect(request.fields.values(of: "cookie") == ["a=1; b=2; c=3; d=4"])
    #expect(request.fields["x"] == "y")
  }

  @Test func hostIsTheAuthority() throws {
    let both = try request(Frame.request("GET", "/") + [("host", "HERE")])
    #expect(both.fields.values(of: "host") == ["here"])
    let alone = try request([(":method", "GET"), (":path", "/"), ("host", "there")])
    #expect(alone.fields.values(of: "host") == ["there"])
    #expect(throws: HTTP2Error.hostDiffers(host: "there", authority: "here")) {
      try request(Frame.request("GET", "/") + [("host", "there")])
    }
  }

  @Test(arguments: ["", "here:x", "here:1:2", "[::1", "u@here"])
  func otherHostsAreInvalid(host: String) {
    #expect(throws: HTTP2Error.invalidHost(host)) {
      try request([(":method", "GET"), (":path", "/"), (":authority", host)])
    }
    #expect(throws: HTTP2Error.invalidHost(host)) {
      try request([(":method", "GET"), (":path", "/"), ("host", host)])
    }
  }

  @Test func duplicatesAreKeptInOrder() throws {
    let request = try request(Frame.request("GET", "/") + [("a", "1"), ("b", "2"), ("a", "3")])
    #expect(request.fields.values(of: "a") == ["1", "3"])
  }
}
