import JSON
import ModelFormat
import Serving

/// Reads the bodies of requests, which have to be JSON objects.
struct BodyReader: Sendable {
  private let readers = JSONReaderPool()

  /// Reads the JSON object in `body`, which may hold any bytes.
  ///
  /// - Parameter members: the paths of the members to read; nil for all (see `JSONReaderPool.read`).
  func read(_ body: [UInt8], members: [String]? = nil) throws(Fault) -> JSONDocument {
    do throws(JSONReadError) {
      return try readers.read(body, maxDepth: ServiceSettings.maxJSONDepth, members: members)
    } catch {
      throw Fault(
        BodyError.OtherFormat(body).map { BodyError.otherFormat($0) } ?? .unreadable(error))
    }
  }
}

extension BodyError.OtherFormat {
  /// The format of a body that is not JSON, by its first bytes; nil where it is not recognised.
  fileprivate init?(_ body: [UInt8]) {
    switch (body.first, body.dropFirst().first) {
    case (0x1F, 0x8B): self = .gzip
    case (0xFF, 0xFE), (0xFE, 0xFF), (UInt8(ascii: "{"), 0), (0, UInt8(ascii: "{")):
      self = .otherUnicode
    case (0xEF, 0xBB) where body.dropFirst(2).first == 0xBF: self = .byteOrderMark
    default:
      // A body that starts with { was meant to be a JSON object.
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

  /// The number of bytes that decide whether a body is text, and that an error repeats.
  private static let headBytes = 8
  /// The number of bytes in which the head of a form's first part is expected.
  private static let formHeadBytes = 512

  private static func isSpace(_ byte: UInt8) -> Bool {
    byte == 0x20 || (0x09...0x0D).contains(byte)
  }

  /// RFC 7578 §4: parts begin with two hyphens and the boundary, and their heads contain `form-data`.
  private static func isForm(_ body: [UInt8]) -> Bool {
    guard body.starts(with: "--".utf8) else { return false }
    return String(decoding: body.prefix(formHeadBytes), as: UTF8.self).lowercased()
      .contains("\r\ncontent-disposition: form-data")
  }
}
