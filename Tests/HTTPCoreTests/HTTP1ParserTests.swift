import Testing

@testable import HTTPCore

@Suite struct HTTP1ParserTests {
  @Test(arguments: Pieces.allCases)
  func parsesAHead(_ pieces: Pieces) throws {
    let text = """
      POST /predict?a=1&b=%20 HTTP/1.1\r
      Host: example:8080\r
      Content-Length: 12\r
      X-Two:  \t spaced out \t \r
      X-Two:\r
      Accept: */*\r
      \r

      """
    let head = try #require(try HTTP1Parser.parse(text, pieces))
    #expect(head.request.method == "POST")
    #expect(head.request.path == "/predict")
    #expect(head.request.query == "a=1&b=%20")
    #expect(
      head.request.fields == [
        "host": "example:8080", "content-length": "12", "x-two": "spaced out", "x-two": "",
        "accept": "*/*",
      ])
    #expect(head.framing == .sized(12))
    #expect(head.keepsAlive && !head.isHTTP10 && !head.expectsContinue)
  }

  @Test(arguments: [
    ("/", "/", nil), ("/a/b", "/a/b", nil), ("/?", "/", ""), ("/a?b?c", "/a", "b?c"),
    ("http://h", "/", nil), ("HTTP://h/p?q", "/p", "q"), ("https://h:1?q", "/", "q"),
    ("http://[::1]:80/p", "/p", nil),
  ])
  func targets(_ target: String, _ path: String, _ query: String?) throws {
    for pieces in Pieces.allCases {
      let head = try HTTP1Parser.parse("GET \(target) HTTP/1.1\r\nHost: x\r\n\r\n", pieces)
      #expect(head?.request.path == path)
      #expect(head?.request.query == query)
    }
  }

  @Test func anAbsoluteTargetReplacesHost() throws {
    let head = try HTTP1Parser.parse("GET http://real:1/ HTTP/1.1\r\nHost: other\r\n\r\n")
    #expect(head?.request.fields.values(of: "host") == ["real:1"])
  }

  @Test func anAsteriskIsForOptions() throws {
    let head = try HTTP1Parser.parse("OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n")
    #expect(head?.request.path == "*")
    #expect(throws: HTTP1Error.invalidTarget("*")) {
      try HTTP1Parser.parse("GET * HTTP/1.1\r\nHost: x\r\n\r\n")
    }
  }

  @Test(arguments: [
    ("HTTP/1.1", "", true), ("HTTP/1.1", "Connection: close\r\n", false),
    ("HTTP/1.1", "Connection: a , CLOSE,b\r\n", false), ("HTTP/1.2", "", true),
    ("HTTP/1.0", "", false), ("HTTP/1.0", "Connection: Keep-Alive\r\n", true),
    ("HTTP/1.0", "Connection: keep-alive, close\r\n", false),
    ("HTTP/1.1", "Connection: closed\r\n", true),
  ])
  func persistence(_ version: String, _ fields: String, _ keepsAlive: Bool) throws {
    for pieces in Pieces.allCases {
      let head = try HTTP1Parser.parse("GET / \(version)\r\nHost: x\r\n\(fields)\r\n", pieces)
      #expect(head?.keepsAlive == keepsAlive)
      #expect(head?.isHTTP10 == (version == "HTTP/1.0"))
    }
  }

  @Test(arguments: [
    ("GET / HTTP/1.1\nHost: x\r\n\r\n", HTTP1Error.bareLineFeed),
    ("GET / HTTP/1.1\r\nHost: x\n\r\n", .bareLineFeed),
    ("GET / HTTP/1.1\r\nHost: x\r\n\n", .bareLineFeed),
    ("\n", .bareLineFeed),
    ("\r\n\r\nGET / HTTP/1.1\r\n", .malformedRequestLine("")),
    ("GET /\r\n", .malformedRequestLine("GET /")),
    ("GET  / HTTP/1.1\r\n", .malformedRequestLine("GET  / HTTP/1.1")),
    (" GET / HTTP/1.1\r\n", .invalidMethodByte(0x20)),
    ("\u{16}\u{3}\u{1}", .invalidMethodByte(0x16)),
    ("G(T / HTTP/1.1\r\n", .invalidMethodByte(0x28)),
    ("GET / HTTP/1.1 \r\n", .malformedVersion("HTTP/1.1 ")),
    ("GET / http/1.1\r\n", .malformedVersion("http/1.1")),
    ("GET / HTTP/11\r\n", .malformedVersion("HTTP/11")),
    ("GET / HTTP/1.x\r\n", .malformedVersion("HTTP/1.x")),
    ("GET /\rHTTP/1.1 HTTP/1.1\r\n", .invalidTarget("/\rHTTP/1.1")),
    ("GET / HTTP/2.0\r\n", .unsupportedVersion("HTTP/2.0")),
    ("GET / HTTP/0.9\r\n", .unsupportedVersion("HTTP/0.9")),
    ("GET a HTTP/1.1\r\n", .invalidTarget("a")),
    ("GET /a#b HTTP/1.1\r\n", .invalidTarget("/a#b")),
    ("GET /\u{e9} HTTP/1.1\r\n", .invalidTarget("/\u{e9}")),
    ("GET /\u{7f} HTTP/1.1\r\n", .invalidTarget("/\u{7f}")),
    ("CONNECT h:1 HTTP/1.1\r\n", .connectUnsupported),
    ("CONNECT /a HTTP/1.0\r\n", .connectUnsupported),
    ("CONNECT h:1# HTTP/1.1\r\n", .invalidTarget("h:1#")),
    ("CONNECT h:1 HTTP/9.1\r\n", .unsupportedVersion("HTTP/9.1")),
    ("GET http:///p HTTP/1.1\r\n", .invalidTarget("http:///p")),
    ("GET http://u@h/p HTTP/1.1\r\n", .invalidTarget("http://u@h/p")),
    ("GET ftp://h/p HTTP/1.1\r\n", .invalidTarget("ftp://h/p")),
    ("GET http://h:x/p HTTP/1.1\r\n", .invalidTarget("http://h:x/p")),
    ("GET http://[::1/p HTTP/1.1\r\n", .invalidTarget("http://[::1/p")),
    ("GET http://:80/p HTTP/1.1\r\n", .invalidTarget("http://:80/p")),
  ])
  func refusesRequestLines(_ text: String, _ error: HTTP1Error) {
    for pieces in Pieces.allCases {
      #expect(throws: error) { try HTTP1Parser.parse(text, pieces) }
    }
  }

  @Test(arguments: [
    (" folded", HTTP1Error.foldedField), ("\tfolded", .foldedField),
    ("Name : v", .spaceBeforeColon(field: "Name")),
    ("Name\t: v", .spaceBeforeColon(field: "Name")),
    (": v", .emptyFieldName), ("Name", .missingColon("Name")),
    ("N\u{0}me: v", .invalidFieldNameByte(0)), ("N(me: v", .invalidFieldNameByte(0x28)),
    ("N\u{e9}me: v", .invalidFieldNameByte(0xC3)),
    ("Name: a\u{0}b", .invalidFieldValueByte(0, field: "name")),
    ("Name: a\rb", .invalidFieldValueByte(0x0D, field: "name")),
    ("Name: a\u{7f}", .invalidFieldValueByte(0x7F, field: "name")),
    ("Name: v\r", .invalidFieldValueByte(0x0D, field: "name")),
    ("Host: y", .hostCount(2)),
    ("Content-Length: -1", .invalidContentLength("-1")),
    ("Content-Length: +1", .invalidContentLength("+1")),
    ("Content-Length: 9223372036854775808", .invalidContentLength("9223372036854775808")),
    ("Content-Length: 1, 1", .invalidContentLength("1, 1")),
    ("Content-Length: 0x1", .invalidContentLength("0x1")),
    ("Content-Length:", .invalidContentLength("")),
    ("Content-Length: 1\r\nContent-Length: 1", .repeatedContentLength),
    ("Content-Length: 1\r\nContent-Length: 2", .repeatedContentLength),
    ("Content-Length: 1\r\nTransfer-Encoding: chunked", .contentLengthWithTransferEncoding),
    ("Transfer-Encoding: chunked\r\nContent-Length: 1", .contentLengthWithTransferEncoding),
    ("Transfer-Encoding: gzip", .chunkedNotFinal("gzip")),
    ("Transfer-Encoding: chunked, gzip", .chunkedNotFinal("chunked, gzip")),
    ("Transfer-Encoding: chunked, chunked", .chunkedNotFinal("chunked, chunked")),
    (
      "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
      .chunkedNotFinal("chunked, chunked")
    ),
    (
      "Transfer-Encoding: chunked, gzip\r\nTransfer-Encoding: chunked",
      .chunkedNotFinal("chunked, gzip, chunked")
    ),
    ("Transfer-Encoding: , chunked", .chunkedNotFinal(", chunked")),
    ("Transfer-Encoding: gzip,, chunked", .chunkedNotFinal("gzip,, chunked")),
    ("Transfer-Encoding: g zip, chunked", .chunkedNotFinal("g zip, chunked")),
    ("Transfer-Encoding: chunked;a=b", .chunkedNotFinal("chunked;a=b")),
    ("Transfer-Encoding: \"chunked\"", .chunkedNotFinal("\"chunked\"")),
    ("Transfer-Encoding:", .chunkedNotFinal("")),
    ("Transfer-Encoding: gzip, chunked", .unsupportedTransferEncoding("gzip, chunked")),
    ("Transfer-Encoding: a;b=c,Chunked", .unsupportedTransferEncoding("a;b=c,Chunked")),
    (
      "Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked",
      .unsupportedTransferEncoding("gzip, chunked")
    ),
    ("Expect: 200-ok", .unsupportedExpectation("200-ok")),
  ])
  func refusesFields(_ field: String, _ error: HTTP1Error) {
    for pieces in Pieces.allCases {
      #expect(throws: error) {
        try HTTP1Parser.parse("PUT / HTTP/1.1\r\nHost: x\r\n\(field)\r\n\r\n", pieces)
      }
    }
  }

  @Test(arguments: [
    ("GET / HTTP/1.1\r\n\r\n", HTTP1Error.hostCount(0)),
    ("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", .invalidHost("a/b")),
    ("GET / HTTP/1.1\r\nHost: a b\r\n\r\n", .invalidHost("a b")),
    ("GET / HTTP/1.1\r\nHost: localhost:x\r\n\r\n", .invalidHost("localhost:x")),
    ("GET / HTTP/1.0\r\nHost: x\r\nHost: x\r\n\r\n", .hostCount(2)),
    (
      "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", .transferEncodingBeforeHTTP11
    ),
    ("GET / HTTP/1.1\r\nHost:\r\n\r\n", .invalidHost("")),
    ("GET / HTTP/1.0\r\nHost: \r\n\r\n", .invalidHost("")),
    ("GET http://x/ HTTP/1.1\r\nHost:\t\r\n\r\n", .invalidHost("")),
  ])
  func refusesHeads(_ text: String, _ error: HTTP1Error) {
    for pieces in Pieces.allCases {
      #expect(throws: error) { try HTTP1Parser.parse(text, pieces) }
    }
  }

  @Test func takesWhatIsUnusualButClear() throws {
    #expect(try HTTP1Parser.parse("\r\nGET / HTTP/1.0\r\n\r\n") != nil)
    for method in ["POST", "PUT", "PATCH", "GET"] {
      #expect(
        try HTTP1Parser.parse("\(method) / HTTP/1.1\r\nHost: x\r\n\r\n")?.framing
          == HTTP1Head.Framing.none)
    }
    let chunked = "POST / HTTP/1.1\r\nHost: x\r\ntransfer-encoding: Chunked\r\n\r\n"
    #expect(try HTTP1Parser.parse(chunked)?.framing == .chunked)
    let zeros = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 007\r\n\r\n"
    #expect(try HTTP1Parser.parse(zeros)?.framing == .sized(7))
    let brew = try HTTP1Parser.parse("BREW / HTTP/1.1\r\nHost: x\r\nX: caf\u{e9}\r\n\r\n")
    #expect(brew?.request.method == "BREW")
    #expect(brew?.request.fields["x"] == "caf\u{e9}")
  }

  @Test func readsValuesOfOldAsLatin1() throws {
    var parser = HTTP1Parser(limits: HTTP1Limits())
    let bytes = Array("GET / HTTP/1.0\r\nX: caf".utf8) + [0xE9] + Array("\r\n\r\n".utf8)
    var offset = 0
    let head = try parser.parse(bytes.span, &offset)
    #expect(head?.request.fields["x"] == "caf\u{e9}")
    #expect(offset == bytes.count)
  }

  @Test(arguments: [("HTTP/1.1", true), ("HTTP/1.0", false)])
  func expectations(_ version: String, _ isMet: Bool) throws {
    let text = "PUT / \(version)\r\nHost: x\r\nExpect: 100-Continue\r\nContent-Length: 1\r\n\r\n"
    #expect(try HTTP1Parser.parse(text)?.expectsContinue == isMet)
  }
}
