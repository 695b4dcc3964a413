import HTTPCore

extension FuzzTarget {
  /// The request line and the fields.
  static let http1Head = FuzzTarget(name: "http1-head", maxBytes: 20_000) {
    [
      "GET / HTTP/1.1\r\nhost: a\r\n\r\n",
      "\r\nPOST /models/kjv/predict?a=%20 HTTP/1.1\r\nHost: [::1]:80\r\nContent-Length: 12\r\n\r\n",
      "GET http://a:80/b?c HTTP/1.0\r\naccept: */*\r\nconnection: keep-alive, te\r\n\r\n",
      "OPTIONS * HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\ntransfer-encoding: chunked\r\n\r\n",
      "CONNECT a:443 HTTP/1.1\r\nhost: a:443\r\ntransfer-encoding: gzip, chunked\r\n\r\n",
    ].map { Array($0.utf8) }
  } run: { bytes in
    // Whole, and byte by byte: the same head, or the same error.
    let whole = Outcome(parsing: bytes, inPiecesOf: bytes.count)
    precondition(whole == Outcome(parsing: bytes, inPiecesOf: 1), "pieces make a difference")
  }

  /// What becomes of the bytes of a head.
  private enum Outcome: Equatable {
    case head(HTTPRequest, Int)
    case incomplete
    case refused(String)

    init(parsing bytes: [UInt8], inPiecesOf count: Int) {
      var parser = HTTP1Parser(limits: HTTP1Limits())
      var offset = 0
      var end = 0
      do {
        repeat {
          end = min(bytes.count, end + max(1, count))
          if let head = try parser.parse(bytes.span.extracting(..<end), &offset) {
            self = .head(head.request, offset)
            return
          }
        } while end < bytes.count
        self = .incomplete
      } catch { self = .refused("\(error)") }
    }
  }

  /// Chunked bodies: the input stands behind a head that announces one.
  static let chunked = FuzzTarget(name: "chunked") {
    [
      "5\r\nabcde\r\n0\r\n\r\n", "0\r\n\r\n", "1;a=b;c=\"d\\\"\"\r\nx\r\n00\r\nt: v\r\n\r\nGET ",
      "A\r\n0123456789\r\nfffffff\r\n",
      "000000000000005\r\nabcde\r\n0\r\nName:  value \r\nb:\r\n\r\n",
    ].map { Array($0.utf8) }
  } run: { bytes in
    let head = Array("POST /whole HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n".utf8)
    HTTP1Conversation.check(head + bytes)
  }

  /// A connection: requests one after the other, with bodies that are gathered, passed on, or not wanted.
  static let http1Connection = FuzzTarget(name: "http1-connection") {
    let chunks = "transfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
    return [
      "GET / HTTP/1.1\r\nhost: a\r\n\r\nGET /b HTTP/1.1\r\nhost: a\r\n\r\n",
      "POST /whole HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\n\r\nabcGET / HTTP/1.0\r\n\r\n",
      "POST /parts HTTP/1.1\r\nhost: a\r\n\(chunks)POST /none HTTP/1.1\r\nhost: a\r\n\(chunks)",
      "POST /none HTTP/1.1\r\nhost: a\r\ncontent-length: 70000\r\nexpect: 100-continue\r\n\r\n",
      "HEAD /parts HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-length: 1\r\n\r\nx",
    ].map { Array($0.utf8) }
  } run: { bytes in
    HTTP1Conversation.check(bytes)
  }
}

/// A client's side of an HTTP/1 connection that answers whatever it is asked.
private struct HTTP1Conversation {
  /// What the application saw; a body that came in parts is one.
  private var events: [ConnectionEvent] = []

  private static let limits = {
    var limits = HTTP1Limits()
    limits.maxBodyBytes = 1000
    return limits
  }()

  /// The bytes in one piece and byte by byte come to the same.
  static func check(_ bytes: [UInt8]) {
    let whole = HTTP1Conversation(bytes, inPiecesOf: max(1, bytes.count))
    let pieces = HTTP1Conversation(bytes, inPiecesOf: 1)
    let isSame =
      pieces.endsUnread
      ? whole.complete.starts(with: pieces.complete) : whole.complete == pieces.complete
    precondition(isSame, "pieces make a difference to the application")
  }

  /// Whether the last request has a body that is not wanted, and whose client waits for 100 Continue: the connection ends with
  /// its answer, unless some of the body has come with the head.
  private var endsUnread: Bool {
    guard case .head(let request, _, _, isBodyWanted: false)? = events.last else { return false }
    return request.fields["expect"] != nil
  }

  /// What the application saw, without bodies that never came to their end: of one that turns out to be malformed, what stood
  /// before the mistake is seen only where it came by itself.
  private var complete: [ConnectionEvent] {
    let ended = events.compactMap { if case .end(let stream, _) = $0 { stream } else { nil } }
    return events.filter { event in
      switch event {
      case .request, .head, .end: true
      case .part(_, let stream): ended.contains(stream)
      case .abandoned: false
      }
    }
  }

  private init(_ bytes: [UInt8], inPiecesOf count: Int) {
    let connection = HTTP1Connection(limits: Self.limits) { head, _ in
      let body: Reception.Body =
        head.path.hasPrefix("/parts") ? .parts : head.path.hasPrefix("/none") ? .unwanted : .whole()
      return Reception(body) { _ in }
    }
    let nothing: [UInt8] = []
    var next = 0
    while next < bytes.count, connection.wantsInput {
      let end = min(bytes.count, next + count)
      take(connection.receive(bytes[next..<end].span), from: connection)
      while connection.hasBacklog { take(connection.receive(nothing.span), from: connection) }
      next = end
    }
    connection.endInput()
    take(connection.takeEvents(), from: connection)
    _ = connection.takeOutput()
  }

  private mutating func take(_ new: [ConnectionEvent], from connection: HTTP1Connection) {
    for event in new {
      switch event {
      case .request(let request, let stream, _):
        precondition(request.body.count <= Self.limits.maxBodyBytes, "a body beyond the limit")
        events.append(event)
        connection.respond(HTTPResponse(status: .ok, body: [1, 2, 3]), to: stream)
      case .head(_, let stream, _, let isBodyWanted):
        events.append(event)
        if !isBodyWanted { connection.respond(HTTPResponse(status: .ok), to: stream) }
      case .part(let bytes, let stream):
        connection.readBody(bytes.count, of: stream)
        if case .part(let before, stream)? = events.last {
          events[events.count - 1] = .part(before + bytes, stream)
        } else {
          events.append(event)
        }
      case .end(let stream, _):
        events.append(event)
        connection.respond(HTTPResponse(status: .ok), to: stream)
      case .abandoned: events.append(event)
      }
    }
    _ = connection.takeOutput()
  }
}
