import Compression

/// A zip archive in memory (PKWARE's APPNOTE 6.3.10, with 64-bit sizes). Files may be stored or deflated; their checksums
/// are checked.
package struct ZipArchive: Sendable {
  /// The names in the archive's order; all differ.
  package let names: [String]
  private let entries: [ZipDirectory.Entry]
  private let bytes: [UInt8]

  /// Whether `bytes` begin as a zip archive does.
  package static func isZip(_ bytes: [UInt8]) -> Bool {
    bytes.starts(with: "PK\u{3}\u{4}".utf8) || bytes.starts(with: "PK\u{5}\u{6}".utf8)
  }

  package init(_ bytes: [UInt8]) throws(ZipError) {
    self.bytes = bytes
    entries = try ZipDirectory(bytes).entries
    var known: Set<String> = []
    for entry in entries where !known.insert(entry.name).inserted {
      throw ZipError(entry: entry.name, problem: .twice)
    }
    names = entries.map(\.name)
  }

  /// The size before compression, as the directory gives it, of the file at index `place` of `names`.
  package func size(at place: Int) -> Int { entries[place].size }

  /// The content of the file at index `place` of `names`. Throws if its size or checksum is not the directory's.
  package func content(at place: Int) throws(ZipError) -> [UInt8] {
    let entry = entries[place]
    let content = try unpacked(entry)
    guard content.count == entry.size else {
      throw ZipError(
        entry: entry.name, problem: .size(found: content.count, expected: entry.size))
    }
    guard crc32(of: content.span) == entry.checksum else {
      throw ZipError(entry: entry.name, problem: .checksum)
    }
    return content
  }

  private func unpacked(_ entry: ZipDirectory.Entry) throws(ZipError) -> [UInt8] {
    let packed = Array(bytes[entry.data])
    switch entry.method {
    case .stored: return packed
    case .deflated:
      do {
        return try inflated(
          packed.span, from: .bareDeflate,
          limits: InflateLimits(maxBytes: entry.size, maxRatio: .max))
      } catch {
        throw ZipError(entry: entry.name, problem: .notInflated)
      }
    }
  }
}
