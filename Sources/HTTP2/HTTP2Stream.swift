import HTTPCore

/// A stream: one request and its response. A class, so that a growing body is not copied on its way.
final class HTTP2Stream {
  /// How far the stream has come; it only moves on.
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

  /// The stream's identifier, odd and rising on a connection (RFC 9113 §5.1.1).
  let id: Int32
  /// The identifier by which the application knows the stream.
  var publicID: StreamID { StreamID(Int(id)) }
  /// The current stage; changed by `StreamTable.move` alone, which counts streams by stage.
  var stage = Stage.head
  /// The size of the fields of head and trailers so far, counted as for `max_head_bytes`.
  var fieldBytes = 0
  /// The request without its body, from the end of its head to the end of its body.
  var request: HTTPRequest?
  /// The fields that any response to the request has besides its own.
  var fields = HTTPFields()
  /// The application's function that answers the request.
  var answer: HTTPAnswer = { _ in }
  /// The most that the request's body may come to, if it is gathered.
  var bodyLimit = BodyLimit.setting(0)
  /// The length of the request's body by Content-Length; nil when there is none.
  var announcedCount: Int?
  /// Whether the peer holds its body back until it gets 100 (Continue).
  var awaitsContinue = false
  /// The request's body while it comes, if it is read in parts.
  var upload: Upload?
  /// The memory that the request takes without its body, until it is handed out or given up.
  var headBytes = 0
  /// The request's body, then the response's.
  var body: [UInt8] = []
  /// How many bytes of the response's body, from the start of `body`, are framed.
  var sentBytes = 0
  /// Whether the response is streamed and its body has not ended.
  var isOpen = false
  /// The trailers of a streamed response.
  var trailers = HTTPFields()
  /// Whether nghttp2 asked for more of the response's body than there was, and waits for `HTTP2Session.resume`.
  var isDeferred = false
  /// How many bytes of the request's body have come.
  var receivedCount = 0
  /// How many bytes of the response's body were framed in all.
  var framedCount = 0
  /// Measures the request's body as it comes, then the response's as the peer opens the stream's window for it.
  var meter = TransferMeter()
  /// Whether the rest of the request's body is not waited for, as it came too slowly or the connection ends: the stream is
  /// reset at the check after its response.
  var isUploadOver = false
  /// Whether all of the response is sent.
  var isAnswered = false
  /// Whether the peer may still be sending the request's body although the response is sent; that rest is thrown away.
  var hasRemainingUpload = false
  /// How many bytes of the request's body were thrown away.
  var discardedBytes = 0
  /// Whether the response is sent without its body, as the method is HEAD.
  var omitsBody = false

  /// A body that is read in parts.
  struct Upload {
    /// How many bytes have come that the body's reader has not taken.
    var unreadCount = 0
    /// Measures the body while its reader waits for it.
    var meter = TransferMeter()
  }

  /// How many bytes are held of a request's body that is incomplete, or not read.
  var incompleteCount: Int { upload?.unreadCount ?? (stage == .body ? body.count : 0) }

  /// Judges how fast the request's body, or the rest of it behind the response, comes. A body that waits for its
  /// reader, not for the peer, is in time.
  func checkBody(now: Int, pace: TransferPace, sharers: Int) -> TransferMeter.Verdict {
    if isUploadOver, hasRemainingUpload { return .silent }
    if stage == .body || hasRemainingUpload {
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

  /// Adds `bytes` to the response's body; first drops the bytes that are framed, once they are half of it.
  func append(_ bytes: [UInt8]) {
    if sentBytes * 2 >= body.count {
      body.removeFirst(sentBytes)
      sentBytes = 0
    }
    body.append(contentsOf: bytes)
  }
}
