import HTTPCore

/// One request and its response; a class, so that a growing body is not copied on its way.
final class HTTP2Stream {
  /// How far it has come; it only moves on.
  enum Stage: Equatable {
    /// Fields are arriving.
    case head
    /// DATA is arriving.
    case body
    /// The application has the request and owes its response, or the rest of it.
    case owed
    /// The response is complete and on its way; DATA that still arrives is thrown away.
    case sending
  }

  /// RFC 9113 §5.1.1: odd, and rising on a connection.
  let id: Int32
  /// What the application knows it by.
  var publicID: StreamID { StreamID(Int(id)) }
  /// Changed by `StreamTable.move` alone, which counts.
  var stage = Stage.head
  /// The request's fields as they come.
  var head = RequestHead()
  /// What the fields of head and trailers have come to, counted as `max_head_bytes` is.
  var fieldBytes = 0
  /// The request without its body, from the end of its head to the end of its body.
  var request: HTTPRequest?
  /// What its response has beside its own fields.
  var fields = HTTPFields()
  /// What answers it.
  var answer: HTTPAnswer = { _ in }
  /// How much its body may come to, where that is gathered.
  var bodyLimit = BodyLimit.setting(0)
  /// The length of the body as announced; nil where it is not.
  var announcedCount: Int?
  /// Whether its peer waits to be told that the body is wanted.
  var awaitsContinue = false
  /// The body, while it comes in parts.
  var upload: Upload?
  /// What the request takes without its body, until it is handed on or given up.
  var headBytes = 0
  /// The request's body, then the response's.
  var body: [UInt8] = []
  /// How much of the response's body is sent.
  var sentBytes = 0
  /// Whether the response's body is streamed and goes on.
  var isOpen = false
  /// What follows that body.
  var trailers = HTTPFields()
  /// Whether nghttp2 asked for more of that body than there was, and waits to be told of it.
  var isDeferred = false
  /// How many bytes of the request's body have come.
  var receivedCount = 0
  /// How many bytes of the response's body were framed.
  var framedCount = 0
  /// Measures the request's body as it comes, then the response's as the peer opens the stream's window for it.
  var meter = TransferMeter()
  /// Whether the request's body came too slowly: behind the response, the stream ends.
  var isTimedOut = false
  /// Whether the response is sent whole.
  var isAnswered = false
  /// Whether the peer may still be sending then, though nobody wants it.
  var hasRest = false
  /// How much of the request's body was thrown away.
  var discardedBytes = 0
  /// Whether the method is HEAD.
  var omitsBody = false

  /// A body that is read in parts.
  struct Upload {
    /// What came of it and its reader has not taken.
    var unreadCount = 0
    /// Measures it while its reader waits.
    var meter = TransferMeter()
  }

  /// How much of the request's body is here.
  var incompleteCount: Int { upload?.unreadCount ?? (stage == .body ? body.count : 0) }

  /// Judges how the request's body comes, or what is left of it, while it is the peer that is waited for.
  func checkBody(now: Int, pace: TransferPace, sharers: Int) -> TransferMeter.Verdict {
    if stage == .body || hasRest {
      return meter.check(count: receivedCount, now: now, pace: pace, sharers: sharers)
    }
    guard var upload else { return .inTime }
    defer { self.upload = upload }
    guard upload.unreadCount == 0, !awaitsContinue else {
      upload.meter.pause()
      return .inTime
    }
    return upload.meter.check(count: receivedCount, now: now, pace: pace, sharers: sharers)
  }

  /// How many bytes of the response's body wait to be sent.
  var waitingBytes: Int { stage == .owed || stage == .sending ? body.count - sentBytes : 0 }

  /// A stream whose head begins.
  init(_ id: Int32) { self.id = id }

  /// Adds `bytes` to the response's body, and lets go of what is sent where that is half of it.
  func append(_ bytes: [UInt8]) {
    if sentBytes * 2 >= body.count {
      body.removeFirst(sentBytes)
      sentBytes = 0
    }
    body.append(contentsOf: bytes)
  }
}
