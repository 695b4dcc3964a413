import Testing

@testable import HTTPCore

/// Each limit at one below, at, and one above.
@Suite struct HTTP1LimitsTests {
  @Test(arguments: Pieces.allCases)
  func headBytes(_ pieces: Pieces) throws {
    let head = "GET / HTTP/1.1\r\nHost: x\r\n\r\n"
    for (limit, fits) in [(head.utf8.count + 1, true), (head.utf8.count, true)] {
      var limits = HTTP1Limits()
      limits.maxHeadBytes = limit
      #expect((try HTTP1Parser.parse(head, pieces, limits: limits) != nil) == fits)
    }
    var limits = HTTP1Limits()
    limits.maxHeadBytes = head.utf8.count - 1
    #expect(throws: HTTP1Error.headTooLong(limit: limits.maxHeadBytes)) {
      try HTTP1Parser.parse(head, pieces, limits: limits)
    }
  }

  @Test(arguments: Pieces.allCases)
  func endlessHeads(_ pieces: Pieces) {
    var limits = HTTP1Limits()
    limits.maxHeadBytes = 100
    let long = String(repeating: "a", count: 101)
    #expect(throws: HTTP1Error.headTooLong(limit: 100)) {
      try HTTP1Parser.parse("GET / HTTP/1.1\r\nHost: \(long)", pieces, limits: limits)
    }
    // The limit of targets is above that of heads, and not the one that is exceeded.
    #expect(throws: HTTP1Error.headTooLong(limit: 100)) {
      try HTTP1Parser.parse("GET /\(long)", pieces, limits: limits)
    }
    limits.maxTargetBytes = 50
    #expect(throws: HTTP1Error.targetTooLong(limit: 50)) {
      try HTTP1Parser.parse("GET /\(long)", pieces, limits: limits)
    }
  }

  /// Whether the method's line is whole or not, and whatever else it is too long for.
  @Test(arguments: Pieces.allCases)
  func methodBytes(_ pieces: Pieces) throws {
    for count in [HTTP1Limits.maxMethodBytes - 1, HTTP1Limits.maxMethodBytes] {
      let method = String(repeating: "M", count: count)
      let head = try HTTP1Parser.parse("\(method) / HTTP/1.0\r\n\r\n", pieces)
      #expect(head?.request.method == method)
    }
    for count in [HTTP1Limits.maxMethodBytes + 1, 20_000] {
      let method = String(repeating: "M", count: count)
      for rest in ["", " ", " / HTTP/1.0\r\n\r\n"] {
        #expect(throws: HTTP1Error.methodTooLong(limit: HTTP1Limits.maxMethodBytes)) {
          try HTTP1Parser.parse(method + rest, pieces)
        }
      }
    }
  }

  @Test(arguments: Pieces.allCases)
  func targetBytes(_ pieces: Pieces) throws {
    var limits = HTTP1Limits()
    limits.maxTargetBytes = 8
    for target in ["/234567", "/2345678"] {
      let head = try HTTP1Parser.parse(
        "GET \(target) HTTP/1.0\r\n\r\n", pieces, limits: limits)
      #expect(head?.request.path == target)
    }
    #expect(throws: HTTP1Error.targetTooLong(limit: 8)) {
      try HTTP1Parser.parse("GET /23456789 HTTP/1.0\r\n\r\n", pieces, limits: limits)
    }
  }

  @Test(arguments: Pieces.allCases)
  func fields(_ pieces: Pieces) throws {
    var limits = HTTP1Limits()
    limits.maxFields = 3
    for count in [2, 3] {
      let lines = String(repeating: "a: b\r\n", count: count)
      let head = try HTTP1Parser.parse("GET / HTTP/1.0\r\n\(lines)\r\n", pieces, limits: limits)
      #expect(head?.request.fields.all.count == count)
    }
    let lines = String(repeating: "a: b\r\n", count: 4)
    #expect(throws: HTTP1Error.tooManyFields(limit: 3)) {
      try HTTP1Parser.parse("GET / HTTP/1.0\r\n\(lines)\r\n", pieces, limits: limits)
    }
  }

  @Test(arguments: Pieces.allCases)
  func bodyBytes(_ pieces: Pieces) {
    var limits = HTTP1Limits()
    limits.maxBodyBytes = 5
    for (length, fits) in [(4, true), (5, true), (6, false)] {
      let body = String(repeating: "b", count: length)
      let sized = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: \(length)\r\n\r\n\(body)"
      let chunked =
        "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
        + "1\r\nb\r\n\(length - 1)\r\n\(body.dropFirst())\r\n0\r\n\r\n"
      for text in [sized, chunked] {
        let connection = HTTP1Connection(limits: limits)
        let events = connection.receive(text, pieces)
        #expect(events.count == (fits ? 1 : 0))
        #expect(connection.takeText().hasPrefix("HTTP/1.1 413 ") == !fits)
      }
    }
  }

  /// n − 1, n and n + 1 bytes of what memory leaves; the limit that has to be raised is named.
  @Test(arguments: Pieces.allCases, [false, true])
  func bodyMemory(_ pieces: Pieces, _ isChunked: Bool) throws {
    let start =
      "POST / HTTP/1.1\r\nHost: x\r\n"
      + (isChunked ? "Transfer-Encoding: chunked\r\n\r\n" : "Content-Length: ")
    var limits = HTTP1Limits()
    limits.maxBodyMemory = 6000
    let head = try #require(
      try HTTP1Parser.parse(isChunked ? start : start + "1000\r\n\r\n", pieces))
    let limit = limits.bodyLimit(headBytes: head.request.headBytes)
    guard case .memory(let most) = limit else { throw BodyLimitMissing() }
    #expect((1000..<2000).contains(most))
    for (length, fits) in [(most - 1, true), (most, true), (most + 1, false)] {
      let body = String(repeating: "b", count: length)
      let text =
        start
        + (isChunked
          ? "1\r\nb\r\n\(String(length - 1, radix: 16))\r\n\(body.dropFirst())\r\n0\r\n\r\n"
          : "\(length)\r\n\r\n\(body)")
      let connection = HTTP1Connection(limits: limits)
      let events = connection.receive(text, pieces)
      #expect(events.count == (fits ? 1 : 0))
      let answer = connection.takeText()
      #expect(answer.hasPrefix("HTTP/1.1 413 ") == !fits)
      #expect(answer.contains("at most \(most) bytes: half of max_memory_bytes") == !fits)
      if case .request(let request, _, _)? = events.first {
        #expect(request.body.capacity + request.headBytes <= limits.maxBodyMemory)
      }
    }
  }

  private struct BodyLimitMissing: Error {}

  @Test(arguments: [
    (1000, Int.max, 100, BodyLimit.setting(1000)), (1000, 5260, 100, .setting(1000)),
    (1000, 5259, 100, .memory(999)), (1000, 100, 100, .memory(0)),
    (Int.max, Int.max, 100, .memory(Int.max - 4260)), (1, 0, 0, .memory(0)),
  ])
  func theSmallerLimitOfABodyCounts(
    maxBodyBytes: Int, maxBodyMemory: Int, headBytes: Int, limit: BodyLimit
  ) {
    #expect(
      BodyLimit(maxBodyBytes: maxBodyBytes, maxBodyMemory: maxBodyMemory, headBytes: headBytes)
        == limit)
  }

  @Test(arguments: ["16777217", "9223372036854775807"])
  func lengthsBeyondAll(_ length: String) {
    let connection = HTTP1Connection()
    #expect(
      connection.receive(
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: \(length)\r\n\r\n", .whole
      ).isEmpty)
    let answer = connection.takeText()
    #expect(answer.hasPrefix("HTTP/1.1 413 ") && answer.contains("16777216 bytes (max_body_bytes)"))
  }

  @Test(arguments: Pieces.allCases)
  func chunkExtensionAndTrailerBytes(_ pieces: Pieces) {
    var limits = HTTP1Limits()
    limits.maxChunkExtensionBytes = 4
    limits.maxTrailerBytes = 8
    for (length, fits) in [(3, true), (4, true), (5, false)] {
      var connection = HTTP1Connection(limits: limits)
      let text = String(repeating: "e", count: length)
      let head = "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
      #expect(
        connection.receive("\(head)0;\(text)\r\n\r\n", pieces).count == (fits ? 1 : 0))
      #expect(connection.takeText().hasPrefix("HTTP/1.1 400 ") == !fits)
      // Name, colon, value, CR LF: 4 bytes beside the value.
      connection = HTTP1Connection(limits: limits)
      #expect(
        connection.receive("\(head)0\r\na:\(text)\r\n\r\n", pieces).count == (fits ? 1 : 0))
      #expect(connection.takeText().hasPrefix("HTTP/1.1 431 ") == !fits)
    }
  }

  /// A body can't be nothing but extensions: beyond 16 bytes a chunk and twice the content, all of them together count.
  @Test(arguments: [(18, true), (21, true), (22, false)])
  func extensionsOfManyChunks(_ length: Int, _ fits: Bool) throws {
    var limits = HTTP1Limits()
    limits.maxExcessExtensionBytes = 30
    let chunk = "1;\(String(repeating: "e", count: length))\r\nx\r\n"
    let text = String(repeating: chunk, count: 10) + "0\r\n\r\n"
    var decoder = ChunkedDecoder(limits: limits)
    var body: [UInt8] = []
    var offset = 0
    do throws(HTTP1Error) {
      let bytes = Array(text.utf8)
      let isComplete = try decoder.decode(bytes.span, &offset, into: &body, total: .max)
      #expect(isComplete && fits && body.count == 10)
    } catch {
      #expect(error == .chunkExtensionsOutweighContent(limit: 30) && !fits)
    }
  }

  /// Trailers are as many as fields may be.
  @Test(arguments: [-1, 0, 1])
  func trailers(_ extra: Int) {
    var limits = HTTP1Limits()
    limits.maxFields = 4
    let connection = HTTP1Connection(limits: limits)
    let lines = String(repeating: "a:\r\n", count: 4 + extra)
    let events = connection.receive(
      "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\(lines)\r\n")
    #expect(events.count == (extra > 0 ? 0 : 1))
    #expect(connection.takeText().hasPrefix("HTTP/1.1 431 ") == (extra > 0))
  }

  @Test func pipelined() {
    var limits = HTTP1Limits()
    limits.maxPipelined = 3
    for count in [2, 3, 4] {
      let connection = HTTP1Connection(limits: limits)
      let text = String(repeating: "GET / HTTP/1.1\r\nHost: x\r\n\r\n", count: count)
      #expect(connection.receive(text).count == min(count, 3))
      #expect(connection.wantsInput == (count < 4))
      #expect(!connection.hasBacklog)
      connection.respond(HTTPResponse(status: .ok), to: StreamID(0))
      #expect(connection.hasBacklog == (count == 4))
      // What was left behind comes first: were more read whenever there is room for one, it would grow and grow.
      #expect(connection.wantsInput == (count < 4))
      let rest = connection.receive("")
      #expect(rest.count == (count == 4 ? 1 : 0))
    }
  }
}
