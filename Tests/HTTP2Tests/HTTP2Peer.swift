import CNGHTTP2
import HTTP2
import HTTPCore
import Testing

/// A frame as it stands on the wire (RFC 9113 §4.1).
struct Frame: Equatable {
  enum Kind: UInt8 {
    case data, headers, priority, reset, settings, pushPromise, ping, goAway, windowUpdate
    case continuation
  }
  static let endStream: UInt8 = 1
  static let acknowledgement: UInt8 = 1
  static let endHeaders: UInt8 = 4

  var kind: Kind
  var flags: UInt8 = 0
  var stream: Int = 0
  var payload: [UInt8] = []

  var bytes: [UInt8] {
    let head: [UInt8] = [
      UInt8(payload.count >> 16), UInt8(payload.count >> 8 & 255), UInt8(payload.count & 255),
      kind.rawValue, flags,
    ]
    return head + bigEndian(stream) + payload
  }

  var endsStream: Bool { (kind == .data || kind == .headers) && flags & Frame.endStream != 0 }

  /// The error code of RST_STREAM or GOAWAY.
  var errorCode: Int {
    let code = kind == .goAway ? payload[4..<8] : payload[0..<4]
    return code.reduce(0) { $0 << 8 | Int($1) }
  }

  static func headers(_ stream: Int, _ fields: [(String, String)], end: Bool) -> Frame {
    let flags = endHeaders | (end ? endStream : 0)
    return Frame(kind: .headers, flags: flags, stream: stream, payload: literal(fields))
  }

  static func data(_ stream: Int, _ payload: [UInt8], end: Bool = true) -> Frame {
    Frame(kind: .data, flags: end ? endStream : 0, stream: stream, payload: payload)
  }

  static func reset(_ stream: Int, code: Int = 8) -> Frame {
    Frame(kind: .reset, stream: stream, payload: bigEndian(code))
  }

  static func windowUpdate(_ stream: Int, _ by: Int) -> Frame {
    Frame(kind: .windowUpdate, stream: stream, payload: bigEndian(by))
  }

  static func get(_ stream: Int, _ path: String = "/") -> Frame {
    headers(stream, request("GET", path), end: true)
  }

  static func post(_ stream: Int, _ fields: [(String, String)] = []) -> Frame {
    headers(stream, request("POST", "/") + fields, end: false)
  }

  static func request(_ method: String, _ path: String) -> [(String, String)] {
    [(":method", method), (":scheme", "http"), (":path", path), (":authority", "here")]
  }

  /// A header block of literals, neither indexed nor Huffman-coded (RFC 7541 §6.2.2).
  static func literal(_ fields: [(String, String)]) -> [UInt8] {
    fields.flatMap { [0] + string($0.0) + string($0.1) }
  }

  private static func string(_ text: String) -> [UInt8] {
    let count = text.utf8.count
    guard count >= 127 else { return [UInt8(count)] + text.utf8 }
    var bytes: [UInt8] = [127]
    var rest = count - 127
    while rest >= 128 {
      bytes.append(UInt8(rest % 128 + 128))
      rest /= 128
    }
    return bytes + [UInt8(rest)] + text.utf8
  }
}

func bigEndian(_ value: Int) -> [UInt8] {
  [UInt8(value >> 24 & 255), UInt8(value >> 16 & 255), UInt8(value >> 8 & 255), UInt8(value & 255)]
}

/// The client's end of a connection under test: frames in both directions, by hand.
final class HTTP2Peer {
  static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)

  let connection: HTTP2Connection
  /// Every frame that the server sent.
  private(set) var received: [Frame] = []
  private(set) var events: [ConnectionEvent] = []
  private var fields: [Int: [[String: String]]] = [:]
  private let inflater = FieldInflater()
  private var unread: [UInt8] = []

  init(
    _ limits: HTTP2Limits = HTTP2Limits(), greets: Bool = true, date: String = "",
    body: Reception.Body = .whole(), fields: HTTPFields = HTTPFields(), server: String? = nil
  ) {
    connection = HTTP2Connection(limits: limits, date: ResponseDate(date, server: server)) {
      _, bodyBytes in
      Reception(bodyBytes == 0 ? .whole() : body, fields: fields) { _ in }
    }
    if greets {
      send(bytes: Self.preface)
      send(Frame(kind: .settings), Frame(kind: .settings, flags: Frame.acknowledgement))
    }
  }

  func send(_ frames: Frame...) { send(bytes: frames.flatMap(\.bytes)) }

  func send(bytes: [UInt8]) {
    events += connection.receive(bytes.span)
    read()
    while connection.hasBacklog {
      events += connection.receive([UInt8]().span)
      read()
    }
  }

  /// Has the connection look for slow readers, of which more than a byte in 10 ns is asked where `pace` says so; nil
  /// where there is none.
  func resetSlowReaders(
    now: Int, pace: TransferPace = TransferPace(window: 10)
  ) -> [ConnectionEvent]? {
    let (count, events) = connection.resetSlowReaders(now: now, pace: pace)
    return count > 0 ? events : nil
  }

  func refuseSlowBodies(now: Int, pace: TransferPace = TransferPace(window: 10)) -> Int {
    connection.refuseSlowBodies(now: now, pace: pace)
  }

  func respond(_ stream: Int, _ response: HTTPResponse) {
    connection.respond(response, to: StreamID(stream))
    read()
  }

  /// Takes what the server has to send.
  func read() {
    while true {
      let output = connection.takeOutput()
      if output.isEmpty { break }
      unread += output
    }
    var next = 0
    while unread.count - next >= 9 {
      let head = unread[next..<next + 9].map { Int($0) }
      let length = head[0] << 16 | head[1] << 8 | head[2]
      guard unread.count - next >= 9 + length, let kind = Frame.Kind(rawValue: UInt8(head[3]))
      else { break }
      let frame = Frame(
        kind: kind, flags: UInt8(head[4]),
        stream: head[5] << 24 | head[6] << 16 | head[7] << 8 | head[8],
        payload: Array(unread[next + 9..<next + 9 + length]))
      received.append(frame)
      if kind == .headers { fields[frame.stream, default: []].append(inflater.inflate(frame)) }
      next += 9 + length
    }
    unread.removeFirst(next)
  }

  /// The requests that came out, in order.
  var requests: [HTTPRequest] {
    events.compactMap { if case .request(let request, _, _) = $0 { request } else { nil } }
  }

  var abandoned: [Int] {
    events.compactMap { if case .abandoned(let stream) = $0 { stream.rawValue } else { nil } }
  }

  /// The heads that came on `stream`: informational ones, then the last.
  func heads(_ stream: Int) -> [[String: String]] { fields[stream] ?? [] }

  func status(_ stream: Int) -> String? { heads(stream).last?[":status"] }

  func body(_ stream: Int) -> [UInt8] {
    received.filter { $0.kind == .data && $0.stream == stream }.flatMap(\.payload)
  }

  func isEnded(_ stream: Int) -> Bool { received.contains { $0.stream == stream && $0.endsStream } }

  func resetCode(_ stream: Int) -> Int? {
    received.first { $0.kind == .reset && $0.stream == stream }?.errorCode
  }

  var goAwayCodes: [Int] { received.filter { $0.kind == .goAway }.map(\.errorCode) }
}

/// nghttp2's HPACK decoder.
@safe private final class FieldInflater {
  private let inflater: OpaquePointer

  init() {
    var inflater: OpaquePointer?
    // SAFETY: freed in deinit.
    precondition(unsafe nghttp2_hd_inflate_new(&inflater) == 0)
    unsafe self.inflater = inflater!
  }

  deinit {
    // SAFETY: made by init.
    unsafe nghttp2_hd_inflate_del(inflater)
  }

  func inflate(_ frame: Frame) -> [String: String] {
    var fields: [String: String] = [:]
    var rest = frame.payload[...]
    while true {
      var pair = unsafe nghttp2_nv()
      var flags: Int32 = 0
      // SAFETY: the input is alive for the call; name and value are copied before the next one.
      let taken = unsafe rest.withUnsafeBufferPointer {
        unsafe nghttp2_hd_inflate_hd2(inflater, &pair, &flags, $0.baseAddress, $0.count, 1)
      }
      guard taken >= 0 else {
        Issue.record("the header block does not decode")
        return fields
      }
      rest = rest.dropFirst(taken)
      if UInt32(flags) & NGHTTP2_HD_INFLATE_EMIT.rawValue != 0 {
        let name = unsafe UnsafeBufferPointer(start: pair.name, count: pair.namelen)
        let value = unsafe UnsafeBufferPointer(start: pair.value, count: pair.valuelen)
        unsafe fields[String(decoding: name, as: UTF8.self)] = unsafe String(
          decoding: value, as: UTF8.self)
      }
      if UInt32(flags) & NGHTTP2_HD_INFLATE_FINAL.rawValue != 0 {
        // SAFETY: the inflater is live.
        unsafe nghttp2_hd_inflate_end_headers(inflater)
        return fields
      }
    }
  }
}
