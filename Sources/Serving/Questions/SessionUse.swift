import Scheduling

/// What a sequence of a request does with a session.
package struct SessionUse: Sendable, Equatable {
  package let opening: SessionTable.Opening
  /// Whether the session ends with the request.
  package var ends = false
  /// Whether to wait for it where another request has it.
  package var waits = false

  package init(opening: SessionTable.Opening, ends: Bool = false, waits: Bool = false) {
    self.opening = opening
    self.ends = ends
    self.waits = waits
  }

  package var id: String { opening.id }

  /// The characters of an id at most.
  package static let maxIDLength = 128

  /// Whether an id is one: it stands in paths as it is (RFC 3986 §2.3, and the colon), and is no dot segment (§3.3).
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
