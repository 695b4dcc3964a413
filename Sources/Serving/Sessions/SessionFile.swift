import Cryptography
import Inference
import Scheduling

/// The head of a session file: its time, its process, and whether its sessions may still continue.
///
/// A file is this head and blocks. The head: the magic text with the version of this layout (20 bytes), the wall clock's
/// seconds since 1970 (8), the number of sessions (8), the generation (8), 1 if the file is spent and 2 if a session store has
/// taken it over (8), and the SHA-256 of all that (32). Numbers are little-endian. A process that takes the file over marks it as spent: it writes the head again
/// in place. Whoever may write the file is trusted, so nothing is signed; the hashes detect damage.
package struct SessionFileHead: Equatable, Sendable {
  /// When the sessions were written: seconds since 1970.
  package var time: Double
  /// The number of sessions in the file.
  package var count: Int
  /// The process that wrote the file or, if spent, took it over; later processes have higher numbers.
  package var generation: UInt64
  /// Whether a process has taken the sessions over, or started without them: no other process may use them.
  package var isSpent: Bool
  /// Whether it is spent because a session store has all that it held.
  package var isInStore = false

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
    for word in [time.bitPattern, UInt64(count), generation, isInStore ? 2 : isSpent ? 1 : 0] {
      bytes.append(littleEndian: word, 8)
    }
    return bytes + Digest.hash(bytes.span)
  }

  /// - Parameter bytes: the first `byteCount` bytes of a file, or all of a shorter one.
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
    guard time.isFinite, abs(time) < 0x1p53, let count = Int(exactly: words[1]), words[3] <= 2,
      words[2] < Self.generationLimit
    else { throw .damaged(offset: Self.magic.count) }
    self.count = count
    generation = words[2]
    isSpent = words[3] > 0
    isInStore = words[3] == 2
  }

  /// Reads all blocks behind the head, and keeps nothing.
  ///
  /// - Throws: where the file is damaged.
  package func checkBlocks(
    byteCount: Int, from read: @escaping (Int) throws(SessionFileFlaw) -> [UInt8]
  ) throws(SessionFileFlaw) {
    var reader = try SessionFileReader(head: self, byteCount: byteCount, read: read)
    while try reader.next() != nil {}
  }

  /// Whether a file's first bytes (as many as a head has, or fewer) look like a damaged head: cut short, or with up to a
  /// quarter of the magic text wrong. Other programs' files don't begin so.
  package static func isDamagedStart(_ bytes: [UInt8]) -> Bool {
    4 * zip(bytes, name.utf8).count { $0 != $1 } <= min(bytes.count, name.utf8.count)
  }

  /// The bytes in the head's place while the rest of the file is written: recognised as ours, but not valid.
  package static var placeholder: [UInt8] {
    magic + Array(repeating: 0, count: byteCount - magic.count)
  }

  /// A bound above any generation made from a clock, with room for later ones.
  static let generationLimit: UInt64 = 1 << 62
}

/// Why bytes are not a usable session file.
package enum SessionFileFlaw: Error, Equatable, Sendable {
  /// They don't begin with the magic text.
  case magic
  /// They have another version of the layout.
  case version(String)
  /// They end early.
  case truncated
  /// The block at this byte is damaged: its hash does not match, or its content is impossible.
  case damaged(offset: Int)
  /// More bytes follow the end.
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

/// A block behind the head: its kind (1 byte), the length of its content (4 bytes), the content, and the SHA-256 of the
/// previous hash and all that, so that no block can be lost or moved unnoticed.
enum SessionFileBlock: UInt8 {
  /// The models, in the first block only: for each the length of its name (2) and the name, its fingerprint (16) and
  /// the number of floats of a state (4).
  case models = 1
  /// Sessions, the least recently used first: for each the index of its model (2), the length of its id (1) and the
  /// id, the steps done (8), its age and idle time in milliseconds (8 each), and its floats.
  case sessions = 2
  /// Sessions that are gone: for each the index of its model (2), the length of its id (1) and the id, and why (1).
  case ends = 3
  /// The end: the number of sessions (8).
  case end = 4
  /// Sessions that earlier processes did not hand over, the earliest lost first: the hash of each key (8). These blocks
  /// precede those of sessions; a file may have none.
  case lost = 5

  /// The length of content at which a block is closed.
  static let byteCount = 1 << 18
  /// The bytes of kind and length.
  static let headByteCount = 5
}
