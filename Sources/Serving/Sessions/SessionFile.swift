import Inference
import Scheduling

/// The head of a file of sessions: what it is, of which process, and whether it may still be gone on with.
///
/// A file is this head and blocks. The head: the magic text with the version of this layout (20 bytes), the wall clock's
/// seconds since 1970 (8), the number of sessions (8), the generation (8), 1 where the file is spent (8), and the SHA-256
/// of all that (32). It is written again in place when a process takes the file over: that is what makes a file spent.
/// Numbers are little-endian. Whoever may write the file is trusted, so nothing is signed: hashes find what broke.
package struct SessionFileHead: Equatable, Sendable {
  /// When the sessions were written: seconds since 1970.
  package var time: Double
  /// Sessions in the file.
  package var count: Int
  /// Which process wrote it or, where it is spent, took it over; later ones have higher numbers.
  package var generation: UInt64
  /// Whether a process has gone on with its sessions, or has begun without any: no other may.
  package var isSpent: Bool

  package init(time: Double, count: Int, generation: UInt64, isSpent: Bool) {
    self.time = time
    self.count = count
    self.generation = generation
    self.isSpent = isSpent
  }

  static let name = "carousel sessions "
  static let version = 2
  static let magic = Array("\(name)\(version)\n".utf8)
  package static let byteCount = magic.count + 4 * 8 + Digest.byteCount

  package var bytes: [UInt8] {
    var bytes = Self.magic
    for word in [time.bitPattern, UInt64(count), generation, isSpent ? 1 : 0] {
      bytes.append(littleEndian: word, 8)
    }
    return bytes + Digest.hash(bytes.span)
  }

  /// - Parameter bytes: the first `byteCount` of a file, or all of one that has fewer.
  package init(bytes: [UInt8]) throws(SessionFileFlaw) {
    guard bytes.starts(with: Self.name.utf8) else { throw .magic }
    guard bytes.starts(with: Self.magic) else {
      let rest = bytes.dropFirst(Self.name.utf8.count).prefix { $0 != UInt8(ascii: "\n") }
      throw .version(String(decoding: rest.prefix(8), as: UTF8.self))
    }
    guard bytes.count == Self.byteCount else { throw .truncated }
    let end = Self.byteCount - Digest.byteCount
    guard bytes[end...].elementsEqual(Digest.hash(bytes.span.extracting(first: end))) else {
      throw .damaged(offset: 0)
    }
    let words = (0..<4).map { bytes[...].word(at: Self.magic.count + 8 * $0, 8) }
    time = Double(bitPattern: words[0])
    guard time.isFinite, abs(time) < 0x1p53, let count = Int(exactly: words[1]), words[3] <= 1,
      words[2] < Self.generationLimit
    else { throw .damaged(offset: Self.magic.count) }
    self.count = count
    generation = words[2]
    isSpent = words[3] == 1
  }

  /// Whether the first bytes of a file, as many as a head has or all of fewer, may be what is left of one: cut short, or
  /// with up to a quarter of its name wrong. Others' files don't begin so.
  package static func isDamagedStart(_ bytes: [UInt8]) -> Bool {
    4 * zip(bytes, name.utf8).count { $0 != $1 } <= min(bytes.count, name.utf8.count)
  }

  /// What stands in a head's place while the rest of the file is written: known as ours, and no head.
  package static var placeholder: [UInt8] {
    magic + Array(repeating: 0, count: byteCount - magic.count)
  }

  /// Beyond any that a clock gives, and with room for those that come after it.
  static let generationLimit: UInt64 = 1 << 62
}

/// Why bytes are no file of sessions.
package enum SessionFileFlaw: Error, Equatable, Sendable {
  /// They begin otherwise.
  case magic
  /// They are of another version of the layout.
  case version(String)
  /// They end early.
  case truncated
  /// The block at this byte is not what was written: its hash is another, or it holds what can't be.
  case damaged(offset: Int)
  /// More follows where the file should end.
  case trailing(offset: Int)
  /// The system could not read them.
  case unreadable(code: Int32)
}

extension SessionFileFlaw: CustomStringConvertible {
  package var description: String {
    switch self {
    case .magic: "it is no file of sessions"
    case .version(let found):
      "it is a file of sessions of version \(found), expected version \(SessionFileHead.version)"
    case .truncated: "it ends early"
    case .damaged(let offset): "it is damaged, in what follows byte \(offset)"
    case .trailing(let offset): "it goes on behind its end, at byte \(offset)"
    case .unreadable(let code): "it can't be read (error \(code))"
    }
  }
}

/// What follows the head: blocks of a kind (a byte), the length of their content (4 bytes), the content, and the SHA-256 of
/// the hash before and all that, so that no block can be lost or change its place.
enum SessionFileBlock: UInt8 {
  /// The models, once and first: each the length of its name (2) and the name, its fingerprint (16) and the
  /// number of floats of a state (4).
  case models = 1
  /// Sessions, the least recently used first: each its model's place among these (2), the length of its id (1) and the
  /// id, the steps done (8), its age and idle time in milliseconds (8 each), and its floats.
  case sessions = 2
  /// Sessions that are gone: each its model's place (2), the length of its id (1) and the id, and why (1).
  case ends = 3
  /// The end: the number of sessions (8).
  case end = 4
  /// Sessions that processes before this one did not hand over, first those lost first, before all sessions: of each the
  /// hash of its key (8). A file has none where there are none.
  case lost = 5

  /// How long a block's content becomes before the next one begins.
  static let byteCount = 1 << 18
  /// Kind and length.
  static let headByteCount = 5
}
