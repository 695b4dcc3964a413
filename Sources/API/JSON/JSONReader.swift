import CSimdJSON
import ModelFormat
import Synchronization

/// Reads request bodies through simdjson, with buffers that are used again.
final class JSONReaderPool: Sendable {
  /// As many readers wait for their next use; more come and go with the load.
  static let maxIdleReaders = 4
  /// A reader whose buffers grew to hold more than this is let go: they are some ten times the body.
  static let maxRetainedBodyBytes = 256 << 10

  private let idle = Mutex<[JSONReader]>([])

  /// Reads the JSON object in `body`, which may be any bytes; at most `maxDepth` arrays and objects nest.
  ///
  /// - Parameter members: the paths of the members that are read; nil for all. What others are is not looked at,
  ///   as long as it is JSON.
  func read(
    _ body: [UInt8], maxDepth: Int, members: [String]? = nil
  ) throws(APIError) -> JSONDocument {
    let reader = idle.withLock { $0.popLast() } ?? JSONReader()
    defer {
      if body.count <= Self.maxRetainedBodyBytes {
        idle.withLock { if $0.count < Self.maxIdleReaders { $0.append(reader) } }
      }
    }
    return try reader.read(body, maxDepth: maxDepth, members: members)
  }
}

/// The C reader. It serves one thread at a time, and so this class is `Sendable` only as the pool uses it:
/// a reader leaves the pool to one caller, which gives it back when it is done.
@safe private final class JSONReader: @unchecked Sendable {
  private let handle: OpaquePointer

  init() {
    guard let handle = unsafe csj_reader_create() else { fatalError("no memory for a JSON reader") }
    unsafe self.handle = handle
  }

  deinit { unsafe csj_reader_destroy(handle) }

  func read(
    _ body: [UInt8], maxDepth: Int, members: [String]?
  ) throws(APIError) -> JSONDocument {
    let members = members.map { $0.joined(separator: " ") + " " }
    // SAFETY: `body` outlives the call, which copies it; `members` does, and ends with a zero byte.
    let result = unsafe body.withUnsafeBufferPointer { bytes in
      unsafe csj_read(handle, bytes.baseAddress, bytes.count, UInt32(maxDepth), members)
    }
    // SAFETY: each buffer is the reader's own, as long as it says, and stays until the reader's next use.
    let status = unsafe result.status
    guard status == .ok else {
      if let flaw = APIError.JSONFlaw(signature: body) { throw .notJSON(flaw) }
      throw APIError(
        status, maxDepth: Int(unsafe result.max_depth), offset: unsafe result.offset,
        path: String(decoding: unsafe copy(result.path, result.path_length), as: UTF8.self),
        found: String(decoding: unsafe copy(result.found, result.found_length), as: UTF8.self))
    }
    return unsafe JSONDocument(
      nodes: copy(result.nodes, result.node_count),
      numbers: copy(result.numbers, result.number_count),
      text: copy(result.text, result.text_length))
  }
}

@unsafe private func copy<Element>(_ start: UnsafePointer<Element>?, _ count: Int) -> [Element] {
  unsafe Array(UnsafeBufferPointer(start: start, count: count))
}

extension APIError {
  fileprivate init(
    _ status: csj_status, maxDepth: Int, offset: Int, path: String, found: String
  ) {
    self =
      switch status {
      case .ok: preconditionFailure("a document that was read is no error")
      case .empty: .emptyBody
      case .too_large, .out_of_memory: .outOfMemory
      case .not_utf8: .notJSON(.invalidUTF8)
      case .control_character: .notJSON(.controlCharacter)
      case .incomplete: .notJSON(.incomplete(offset: offset))
      case .syntax: .notJSON(.syntax(offset: offset, path: path, found: found))
      case .trailing: .notJSON(.trailing(offset: offset, found: found))
      case .not_object: .notJSON(.notObject(found: found))
      case .too_deep: .tooDeep(path: path, limit: maxDepth)
      case .not_finite: .notFinite(path: path, found: found)
      case .mixed: .mixed(path: path, found: found)
      }
  }
}

extension APIError.JSONFlaw {
  /// What a body that is not JSON turns out to be, by its first bytes.
  fileprivate init?(signature body: [UInt8]) {
    switch (body.first, body.dropFirst().first) {
    case (0x1F, 0x8B): self = .gzip
    case (0xFF, 0xFE), (0xFE, 0xFF), (UInt8(ascii: "{"), 0), (0, UInt8(ascii: "{")):
      self = .otherUnicode
    case (0xEF, 0xBB) where body.dropFirst(2).first == 0xBF: self = .byteOrderMark
    default:
      // What starts as an object does was meant to be one.
      guard body.first(where: { !Self.isSpace($0) }) != UInt8(ascii: "{") else { return nil }
      if Self.isForm(body) {
        self = .form
      } else if let file = ForeignFile(body.span) {
        self = .foreign(file)
      } else if body.prefix(Self.headBytes).contains(where: { $0 < 0x20 && !Self.isSpace($0) }) {
        self = .binary(head: Array(body.prefix(Self.headBytes)))
      } else {
        return nil
      }
    }
  }

  /// The bytes by which text is told from what is none, and which an error repeats.
  private static let headBytes = 8
  /// The bytes of a body in which the head of a form's first part ends.
  private static let formHeadBytes = 512

  private static func isSpace(_ byte: UInt8) -> Bool {
    byte == 0x20 || (0x09...0x0D).contains(byte)
  }

  /// RFC 7578 §4: parts begin with two hyphens and the boundary, and say `form-data` in their heads.
  private static func isForm(_ body: [UInt8]) -> Bool {
    guard body.starts(with: "--".utf8) else { return false }
    return String(decoding: body.prefix(formHeadBytes), as: UTF8.self).lowercased()
      .contains("\r\ncontent-disposition: form-data")
  }
}
