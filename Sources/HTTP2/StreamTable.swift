import HTTPCore

/// The streams of a connection by their ids, and totals over them: how many are at each stage, how much they hold.
///
/// Everything that changes a stage or a body goes through here, so that the totals are true. `RequestIntake` and
/// `ResponseOutput` share the table.
final class StreamTable {
  /// In the order of their ids: a peer opens streams of rising ids only (RFC 9113 §5.1.1), and nghttp2 sees to that.
  private var streams: [HTTP2Stream] = []
  /// The stream that was looked up last: several events of one stream come in a row.
  private var latest: HTTP2Stream?
  /// How many streams have an incomplete head.
  private(set) var headCount = 0
  /// How many streams have an incomplete body that is gathered.
  private(set) var bodyCount = 0
  /// How many streams have an incomplete body that is read in parts.
  private(set) var uploadCount = 0
  /// How many streams may still receive the rest of a request's body though they are answered.
  private var remainingUploadCount = 0
  /// How many streams are owed a response, or the rest of one.
  private(set) var owedCount = 0
  /// How many bytes are held of bodies that are incomplete, or not read.
  private(set) var incompleteCount = 0
  /// The memory that these bodies take, and the heads before them, in bytes.
  private(set) var incompleteBytes = 0
  /// The memory that bodies of responses take, in bytes, until all is framed or the stream has closed.
  private(set) var responseBytes = 0
  /// How many bytes of responses' bodies were framed in all.
  private var framedCount = 0
  /// Measures the responses together, as the peer opens the connection's window for them.
  private var meter = TransferMeter()

  /// About the memory that a stream takes besides its head and its bodies, here and in nghttp2.
  private static let bytesPerStream = 1024

  /// The memory that responses and the streams themselves take.
  var heldBytes: Int { responseBytes + streams.count * Self.bytesPerStream }

  /// The stream of `id`; nil before it is opened and once it has closed.
  subscript(id: Int32) -> HTTP2Stream? {
    if let latest, latest.id == id { return latest }
    guard let index = index(of: id) else { return nil }
    latest = streams[index]
    return latest
  }

  private func index(of id: Int32) -> Int? {
    var (low, high) = (0, streams.count)
    while low < high {
      let middle = (low + high) / 2
      if streams[middle].id < id { low = middle + 1 } else { high = middle }
    }
    return low < streams.count && streams[low].id == id ? low : nil
  }

  /// The stream of `id` if a response is owed to it and has not begun; else nil.
  func unanswered(_ id: StreamID) -> HTTP2Stream? {
    guard let stream = self[Int32(truncatingIfNeeded: id.rawValue)] else { return nil }
    return stream.stage == .owed && !stream.isOpen ? stream : nil
  }

  /// The stream of `id` while the body of its response is streamed; else nil.
  func open(_ id: StreamID) -> HTTP2Stream? {
    guard let stream = self[Int32(truncatingIfNeeded: id.rawValue)] else { return nil }
    return stream.isOpen ? stream : nil
  }

  /// The stream with the largest body that is incomplete, or not read.
  var largestBody: HTTP2Stream? {
    streams.filter { $0.stage == .body || $0.upload != nil }.max {
      ($0.incompleteCount, $0.id) < ($1.incompleteCount, $1.id)
    }
  }

  /// The streams at `stage`, in the order in which they were opened.
  func all(at stage: HTTP2Stream.Stage) -> [HTTP2Stream] {
    streams.filter { $0.stage == stage }
  }

  /// The streams whose responses are sent to the end, while the peer may still be sending.
  var answered: [HTTP2Stream] { streams.filter(\.isAnswered) }

  /// Whether a response is being sent that the application has completed.
  var isSending: Bool { streams.contains { $0.stage == .sending && !$0.isAnswered } }

  /// Adds a stream whose head begins.
  func insert(_ id: Int32) {
    let stream = HTTP2Stream(id)
    streams.append(stream)
    latest = stream
    headCount += 1
  }

  /// Removes a stream that has closed; returns it, and whether its response was still owed.
  func remove(_ id: Int32) -> (stream: HTTP2Stream, wasOwed: Bool)? {
    guard let index = index(of: id) else { return nil }
    let stream = streams.remove(at: index)
    if latest === stream { latest = nil }
    let wasOwed = stream.stage == .owed
    move(stream, to: .sending)
    setResponseBody([], of: stream)
    if stream.hasRemainingUpload { remainingUploadCount -= 1 }
    return (stream, wasOwed)
  }

  /// Whether bodies are incomplete, or the rest of one may come behind its response.
  var haveBodies: Bool { bodyCount + uploadCount + remainingUploadCount > 0 }

  /// Records that all of the response of `stream` is sent; `hasRemainingUpload` if the peer has not ended its side.
  func noteAnswer(of stream: HTTP2Stream, hasRemainingUpload: Bool) {
    stream.isAnswered = true
    stream.hasRemainingUpload = hasRemainingUpload
    if hasRemainingUpload { remainingUploadCount += 1 }
  }

  /// Begins the body of a request that is read in parts; its request has been handed out.
  func beginUpload(of stream: HTTP2Stream) {
    stream.upload = HTTP2Stream.Upload()
    uploadCount += 1
  }

  /// Counts `count` more bytes (fewer where it is negative) of a body read in parts that wait for its reader.
  func addUnread(_ count: Int, of stream: HTTP2Stream) {
    stream.upload?.unreadCount += count
    incompleteCount += count
    incompleteBytes += count
  }

  /// Ends the stream's body that is read in parts, if there is one: it is complete or given up.
  func endUpload(of stream: HTTP2Stream) {
    guard let upload = stream.upload else { return }
    addUnread(-upload.unreadCount, of: stream)
    stream.upload = nil
    uploadCount -= 1
  }

  /// Moves `stream` on to `stage`, and keeps the totals true.
  func move(_ stream: HTTP2Stream, to stage: HTTP2Stream.Stage) {
    switch stream.stage {
    case .head: headCount -= 1
    case .body:
      bodyCount -= 1
      incompleteCount -= stream.body.count
      incompleteBytes -= stream.body.capacity + stream.headBytes
      // The bytes of a body that is given up are not kept; a complete body is handed out.
      if stage != .owed {
        stream.body = []
        stream.request = nil
      }
    case .owed: owedCount -= 1
    case .sending: break
    }
    if stage == .sending { endUpload(of: stream) }
    stream.stage = stage
    stream.meter.pause()
    switch stage {
    case .head: headCount += 1
    case .body:
      bodyCount += 1
      incompleteBytes += stream.headBytes
    case .owed: owedCount += 1
    case .sending: break
    }
  }

  /// Adds a part to the body of a request, of which `total` bytes are expected; `bytes` are valid during the call only.
  func append(
    _ bytes: UnsafeBufferPointer<UInt8>, toRequestOf stream: HTTP2Stream, total: Int
  ) {
    let before = stream.body.capacity
    stream.body.grow(for: bytes.count, total: total)
    // SAFETY: copied during the callback that lends it.
    unsafe stream.body.append(contentsOf: bytes)
    incompleteBytes += stream.body.capacity - before
    incompleteCount += bytes.count
  }

  /// Takes the complete request out of `stream`, whose response is owed from now on; nil when it has none to hand out.
  func completeRequest(
    of stream: HTTP2Stream, trailers: HTTPFields
  ) -> HTTPRequest? {
    guard stream.stage == .body, var request = stream.request.take() else { return nil }
    move(stream, to: .owed)
    if !stream.body.isEmpty {
      request.body = stream.body
      stream.body = []
    }
    if !trailers.all.isEmpty { request.trailers = trailers }
    return request
  }

  /// Sets the beginning of the response's body. The request's body has been handed out, or given up, before.
  func setResponseBody(_ body: [UInt8], of stream: HTTP2Stream) {
    responseBytes += body.capacity - stream.body.capacity
    stream.body = body
    stream.sentBytes = 0
  }

  /// Adds a part to the body of a response.
  func append(_ bytes: [UInt8], toResponseOf stream: HTTP2Stream) {
    let before = stream.body.capacity
    stream.append(bytes)
    responseBytes += stream.body.capacity - before
  }

  /// Copies the next part of a response's body into `buffer`; returns its length and whether it is the last one, nil
  /// when there is none yet.
  func readResponse(
    of stream: HTTP2Stream, into buffer: UnsafeMutableBufferPointer<UInt8>
  ) -> (count: Int, isLast: Bool)? {
    let rest = stream.body.count - stream.sentBytes
    if rest == 0, stream.isOpen {
      stream.isDeferred = true
      return nil
    }
    let count = min(rest, buffer.count)
    // SAFETY: `count` is within both; the two do not overlap.
    unsafe stream.body.withUnsafeBufferPointer { body in
      _ = unsafe buffer.update(
        fromContentsOf: body[stream.sentBytes..<(stream.sentBytes + count)])
    }
    stream.sentBytes += count
    stream.framedCount += count
    framedCount += count
    let isLast = count == rest && !stream.isOpen
    // Dropped now: the peer may leave its own side of the stream open for as long as it likes.
    if isLast { setResponseBody([], of: stream) }
    return (count, isLast)
  }
}

/// How fast streams move: each has its own meter, and all share the least rate that the peer has to keep.
extension StreamTable {
  /// The streams whose request bodies come too slowly, each with its error, in the order of their ids.
  func slowBodies(
    now: Int, pace: TransferPace
  ) -> [(stream: HTTP2Stream, error: HTTP2Error)] {
    var late: [(stream: HTTP2Stream, error: HTTP2Error)] = []
    for stream in streams {
      switch stream.checkBody(
        now: now, pace: pace, sharers: bodyCount + uploadCount + remainingUploadCount)
      {
      case .inTime: break
      case .silent: late.append((stream, .timedOut))
      case .slow: late.append((stream, .bodyTooSlow(bytesPerSecond: pace.bytesPerSecond)))
      }
    }
    return late
  }

  /// Pauses the measuring of request bodies, which wait for this side now.
  func pauseBodies() {
    for stream in streams {
      if stream.stage == .body || stream.hasRemainingUpload { stream.meter.pause() }
      stream.upload?.meter.pause()
    }
  }

  /// The streams of which the peer takes too little, in the order of their ids. A stream whose own window is closed is
  /// measured by itself; those that wait for the connection's window are measured together, since this side decides
  /// which of them is sent first.
  ///
  /// - Parameter window: returns how many bytes the peer's window of a stream has room for.
  func slowReaders(
    now: Int, pace: TransferPace, window: (Int32) -> Int
  ) -> [HTTP2Stream] {
    var waiting: [HTTP2Stream] = []
    for stream in streams where stream.stage == .owed || stream.stage == .sending {
      if stream.hasRemainingUpload { continue }
      if stream.waitingBytes > 0, !stream.isAnswered {
        waiting.append(stream)
      } else {
        stream.meter.pause()
      }
    }
    var late: [HTTP2Stream] = []
    var haveWindows: [HTTP2Stream] = []
    for stream in waiting {
      if window(stream.id) > 0 {
        stream.meter.pause()
        haveWindows.append(stream)
      } else if stream.meter.check(
        count: stream.framedCount, now: now, pace: pace, sharers: waiting.count) != .inTime
      {
        late.append(stream)
      }
    }
    if haveWindows.isEmpty {
      meter.pause()
    } else if meter.check(count: framedCount, now: now, pace: pace) != .inTime {
      meter.pause()
      late += haveWindows
    }
    return late.sorted { $0.id < $1.id }
  }
}
