import Compression

/// Arrays with names, as NumPy's `savez` and `savez_compressed` save them: a zip archive of .npy files (PKWARE's
/// APPNOTE 6.3.10, with its 64-bit sizes).
struct NPZFile {
  /// In the archive's order; no name twice.
  let arrays: [(name: String, array: NPYFile)]

  /// What one array may come to when it is inflated.
  static let maxArrayBytes = 1 << 30

  /// Whether `bytes` begin as a zip archive does.
  static func isZip(_ bytes: [UInt8]) -> Bool {
    bytes.starts(with: "PK\u{3}\u{4}".utf8) || bytes.starts(with: "PK\u{5}\u{6}".utf8)
  }

  init(_ bytes: [UInt8]) throws(CarouselError) {
    var arrays: [(name: String, array: NPYFile)] = []
    for entry in try ZipDirectory(bytes).entries {
      let suffix = ".npy"
      guard entry.name.hasSuffix(suffix) else { throw .badNPZ(entry: entry.name, problem: .notNPY) }
      let name = String(entry.name.dropLast(suffix.count))
      guard !arrays.contains(where: { $0.name == name }) else {
        throw .badNPZ(entry: entry.name, problem: .twice)
      }
      arrays.append((name, try NPYFile(try Self.content(of: entry, in: bytes))))
    }
    self.arrays = arrays
  }

  private static func content(
    of entry: ZipDirectory.Entry, in bytes: [UInt8]
  ) throws(CarouselError) -> [UInt8] {
    guard entry.size <= maxArrayBytes else {
      throw .badNPZ(
        entry: entry.name, problem: .tooLarge(bytes: entry.size, limit: maxArrayBytes))
    }
    let packed = Array(bytes[entry.data])
    let content: [UInt8]
    switch entry.method {
    case .stored: content = packed
    case .deflated:
      do {
        content = try inflated(
          packed.span, from: .bareDeflate,
          limits: InflateLimits(maxBytes: entry.size, maxRatio: .max))
      } catch {
        throw .badNPZ(entry: entry.name, problem: .notInflated)
      }
    }
    guard content.count == entry.size else {
      throw .badNPZ(
        entry: entry.name, problem: .size(found: content.count, expected: entry.size))
    }
    guard crc32(of: content) == entry.checksum else {
      throw .badNPZ(entry: entry.name, problem: .checksum)
    }
    return content
  }
}
