@testable import HTTPCore

/// The ways in which the same bytes may arrive.
enum Pieces: CaseIterable, Sendable {
  case whole
  case byteByByte
  case withBytesBehind

  /// What stands behind the input in the last of them: the start of another request.
  static let behind = "GET /behind HTTP/1.1\r\nHo"

  func of(_ text: String) -> [[UInt8]] {
    switch self {
    case .whole: [Array(text.utf8)]
    case .byteByByte: text.utf8.map { [$0] }
    case .withBytesBehind: [Array((text + Self.behind).utf8)]
    }
  }
}

extension HTTP1Parser {
  /// Parses a head that arrives in `pieces`; nil when it isn't complete.
  static func parse(
    _ text: String, _ pieces: Pieces = .whole, limits: HTTP1Limits = HTTP1Limits()
  ) throws(HTTP1Error) -> HTTP1Head? {
    var parser = HTTP1Parser(limits: limits)
    var bytes: [UInt8] = []
    for piece in pieces.of(text) {
      bytes += piece
      var offset = 0
      if let head = try parser.parse(bytes.span, &offset) {
        return head
      }
      bytes.removeFirst(offset)
    }
    return nil
  }
}

extension HTTP1Connection {
  /// Receives text, in as many calls as there are pieces.
  func receive(_ text: String, _ pieces: Pieces = .whole) -> [ConnectionEvent] {
    var events: [ConnectionEvent] = []
    for piece in pieces.of(text) { events += receive(piece.span) }
    return events
  }

  /// The output as text.
  func takeText() -> String { String(decoding: takeOutput(), as: UTF8.self) }
}
