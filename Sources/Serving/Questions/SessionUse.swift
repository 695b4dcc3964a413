import Scheduling

/// How a sequence of a request uses a session.
package struct SessionUse: Sendable, Equatable {
  package let opening: SessionTable.Opening
  /// Whether to wait while another request uses the session.
  package var waits = false

  package init(opening: SessionTable.Opening, ends: Bool = false, waits: Bool = false) {
    var opening = opening
    opening.ends = ends
    self.opening = opening
    self.waits = waits
  }

  package var id: String { opening.id }
  /// Whether the session ends with the request.
  package var ends: Bool { opening.ends }

  /// The most characters of an id.
  package static let maxIDLength = 128

  /// Whether `text` is a valid id: only characters that need no escape in a path (RFC 3986 §2.3, and the colon), and not a
  /// dot segment (§3.3).
  package static func isID(_ text: String) -> Bool {
    text != "." && text != ".." && (1...maxIDLength).contains(text.utf8.count)
      && text.utf8.allSatisfy { isIDCharacter($0) }
  }

  private static func isIDCharacter(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"):
      true
    default: "-._~:".utf8.contains(byte)
    }
  }
}
