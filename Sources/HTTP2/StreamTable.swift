import HTTPCore

/// The streams of a connection by their ids, and what they come to together: how many are at each stage, what they hold.
///
/// What changes a stage or a body goes through here, so that the counts are true. The two sides of the connection share it.
final class StreamTable {
  private var streams: [Int32: HTTP2Stream] = [:]
  /// The stream that was asked for last: what comes on one comes in a row.
  private var latest: HTTP2Stream?
  /// How many streams have sent part of a head.
  private(set) var headCount = 0
  /// How many have sent part of a body.
  private(set) var bodyCount = 0
  /// How many send a body that is read in parts.
  private(set) var uploadCount = 0
  /// How many may still send of a body though they are answered.
  private var restCount = 0
  /// How many are owed a response, or the rest of one.
  private(set) var owedCount = 0
  /// How many bytes of bodies have come that are not complete, or not read.
  private(set) var incompleteCount = 0
  /// The memory that those bodies take, and the heads before them.
  private(set) var incompleteBytes = 0
  /// The memory that bodies of responses take, until their streams are over or all is sent.
  private(set) var responseBytes = 0
  /// How many bytes of responses' bodies were framed.
  private var framedCount = 0
  /// Measures them together, as the peer opens the connection's window.
  private var meter = TransferMeter()

  /// About what a stream takes beside its head and its bodies, here and in nghttp2.
  private static let bytesPerStream = 1024

  /// The memory that responses and the streams themselves take.
  var heldBytes: Int { responseBytes + streams.count * Self.bytesPerStream }

  subscript(id: Int32) -> HTTP2Stream? {
    if let latest, latest.id == id { return latest }
    guard let stream = streams[id] else { return nil }
    latest = stream
    return stream
  }

  /// The stream of `id` while no response of it has begun.
  func unanswered(_ id: StreamID) -> HTTP2Stream? {
    guard let stream = self[Int32(truncatingIfNeeded: id.rawValue)] else { return nil }
    return stream.stage == .owed && !stream.isOpen ? stream : nil
  }

  /// The stream of `id` while the body of its response goes on.
  func open(_ id: StreamID) -> HTTP2Stream? {
    guard let stream = self[Int32(truncatingIfNeeded: id.rawValue)] else { return nil }
    return stream.isOpen ? stream : nil
  }

  /// The stream with the largest body that is not complete, or not read.
  var largestBody: HTTP2Stream? {
    streams.values.filter { $0.stage == .body || $0.upload != nil }.max {
      ($0.incompleteCount, $0.id) < ($1.incompleteCount, $1.id)
    }
  }

  /// The streams of `stage`, in the order in which they were opened.
  func all(at stage: HTTP2Stream.Stage) -> [HTTP2Stream] {
    streams.values.filter { $0.stage == stage }.sorted { $0.id < $1.id }
  }

  /// The streams whose responses are sent whole, while the peer may still be sending.
  var answered: [HTTP2Stream] { streams.values.filter(\.isAnswered) }

  /// Whether a response is on its way that the application owes no more of.
  var isSending: Bool { streams.values.contains { $0.stage == .sending && !$0.isAnswered } }

  /// Adds a stream whose head begins.
  func insert(_ id: Int32) {
    let stream = HTTP2Stream(id)
    streams[id] = stream
    latest = stream
    headCount += 1
  }

  /// Takes out a stream that is over.
  func remove(_ id: Int32) -> (stream: HTTP2Stream, wasOwed: Bool)? {
    guard let stream = streams.removeValue(forKey: id) else { return nil }
    if latest === stream { latest = nil }
    let wasOwed = stream.stage == .owed
    move(stream, to: .sending)
    setResponseBody([], of: stream)
    if stream.hasRest { restCount -= 1 }
    return (stream, wasOwed)
  }

  /// Whether bodies come, or what is left of them.
  var haveBodies: Bool { bodyCount + uploadCount + restCount > 0 }

  /// The response of `stream` is sent whole; `hasRest` where the peer has not ended its side.
  func noteAnswer(of stream: HTTP2Stream, hasRest: Bool) {
    stream.isAnswered = true
    stream.hasRest = hasRest
    if hasRest { restCount += 1 }
  }

  /// Has the body of a request that is handed on read in parts.
  func beginUpload(of stream: HTTP2Stream) {
    stream.upload = HTTP2Stream.Upload()
    uploadCount += 1
  }

  /// Counts `count` more bytes of such a body, or fewer where it is negative, that wait for its reader.
  func addUnread(_ count: Int, of stream: HTTP2Stream) {
    stream.upload?.unreadCount += count
    incompleteCount += count
    incompleteBytes += count
  }

  /// Such a body, if there is one, is complete or given up.
  func endUpload(of stream: HTTP2Stream) {
    guard let upload = stream.upload else { return }
    addUnread(-upload.unreadCount, of: stream)
    stream.upload = nil
    uploadCount -= 1
  }

  /// Moves `stream` on.
  func move(_ stream: HTTP2Stream, to stage: HTTP2Stream.Stage) {
    switch stream.stage {
    case .head: headCount -= 1
    case .body:
      bodyCount -= 1
      incompleteCount -= stream.body.count
      incompleteBytes -= stream.body.capacity + stream.headBytes
      // What has come of a body that is given up is not kept; a complete one is handed on.
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

  /// Adds a part to the body of a request, of which `total` bytes are expected; `bytes` are lent for the call.
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

  /// Takes the request out of a stream that is complete.
  func completeRequest(
    of stream: HTTP2Stream, trailers: HTTPFields
  ) -> HTTPRequest? {
    guard stream.stage == .body, var request = stream.request else { return nil }
    move(stream, to: .owed)
    request.body = stream.body
    request.trailers = trailers
    stream.body = []
    stream.request = nil
    return request
  }

  /// Gives a stream whose request's body is handed on, or given up, what its response begins with.
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
  /// where there is none yet.
  func readResponse(
    of stream: HTTP2Stream, into buffer: UnsafeMutableBufferPointer<UInt8>
  ) -> (count: Int, isLast: Bool)? {
    let rest = stream.body[stream.sentBytes...]
    if rest.isEmpty, stream.isOpen {
      stream.isDeferred = true
      return nil
    }
    let count = min(rest.count, buffer.count)
    // SAFETY: `count` is within both; the two do not overlap.
    _ = unsafe buffer.update(fromContentsOf: rest.prefix(count))
    stream.sentBytes += count
    stream.framedCount += count
    framedCount += count
    let isLast = count == rest.count && !stream.isOpen
    // The peer may leave its own side of the stream open for as long as it likes.
    if isLast { setResponseBody([], of: stream) }
    return (count, isLast)
  }
}

/// How fast streams move: each has its own meter, and all share the least rate that their peer owes.
extension StreamTable {
  /// The streams whose bodies come too slowly, with what is wrong, in order.
  func slowBodies(
    now: Int, pace: TransferPace
  ) -> [(stream: HTTP2Stream, error: HTTP2Error)] {
    var late: [(stream: HTTP2Stream, error: HTTP2Error)] = []
    for stream in streams.values {
      switch stream.checkBody(now: now, pace: pace, sharers: bodyCount + uploadCount + restCount) {
      case .inTime: break
      case .silent: late.append((stream, .timedOut))
      case .slow: late.append((stream, .bodyTooSlow(bytesPerSecond: pace.bytesPerSecond)))
      }
    }
    return late.sorted { $0.stream.id < $1.stream.id }
  }

  /// Notes that bodies wait for this side.
  func pauseBodies() {
    for stream in streams.values {
      if stream.stage == .body || stream.hasRest { stream.meter.pause() }
      stream.upload?.meter.pause()
    }
  }

  /// The streams whose peer takes too little of what waits for it, in order: by stream where it is the stream's window
  /// that is closed, for all together where it is the connection's, since which of them comes first is decided here.
  ///
  /// - Parameter window: how much the peer takes on a stream.
  func slowReaders(
    now: Int, pace: TransferPace, window: (Int32) -> Int
  ) -> [HTTP2Stream] {
    var waiting: [HTTP2Stream] = []
    for stream in streams.values where stream.stage == .owed || stream.stage == .sending {
      if stream.hasRest { continue }
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
