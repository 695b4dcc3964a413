import Compression

/// Arrays with names, as NumPy's `savez` and `savez_compressed` save them: a zip archive of .npy files (PKWARE's
/// APPNOTE 6.3.10, with its 64-bit sizes).
struct NPZFile {
  /// In the archive's order; no name twice.
  let names: [String]
  private let entries: [ZipDirectory.Entry]
  private let bytes: [UInt8]

  /// What the arrays that are read may come to together when they are inflated.
  static let maxBytes = 1 << 30

  /// What `savez` calls the first array that it is given without a name.
  static let unnamed = "arr_0"

  /// Whether `bytes` begin as a zip archive does.
  static func isZip(_ bytes: [UInt8]) -> Bool {
    bytes.starts(with: "PK\u{3}\u{4}".utf8) || bytes.starts(with: "PK\u{5}\u{6}".utf8)
  }

  init(_ bytes: [UInt8]) throws(CarouselError) {
    self.bytes = bytes
    entries = try ZipDirectory(bytes).entries
    var names: [String] = []
    var known: Set<String> = []
    for entry in entries {
      let suffix = ".npy"
      guard entry.name.hasSuffix(suffix) else { throw .badNPZ(entry: entry.name, problem: .notNPY) }
      let name = String(entry.name.dropLast(suffix.count))
      guard known.insert(name).inserted else { throw .badNPZ(entry: entry.name, problem: .twice) }
      names.append(name)
    }
    self.names = names
  }

  /// What `read` makes of each array, by its place in `names`; nothing is inflated before all are known to fit.
  func arrays<Value>(
    at places: [Int], _ read: (_ place: Int, NPYFile) throws(CarouselError) -> Value
  ) throws(CarouselError) -> [Value] {
    var room = Self.maxBytes
    for place in places {
      guard entries[place].size <= room else {
        throw .badNPZ(
          entry: entries[place].name,
          problem: .tooLarge(bytes: entries[place].size, limit: Self.maxBytes))
      }
      room -= entries[place].size
    }
    var values: [Value] = []
    for place in places {
      do throws(CarouselError) {
        values.append(try read(place, try NPYFile(try content(of: entries[place]))))
      } catch .badNPY(let offset, let problem) {
        throw .badNPZ(entry: entries[place].name, problem: .array(offset: offset, problem))
      }
    }
    return values
  }

  private func content(of entry: ZipDirectory.Entry) throws(CarouselError) -> [UInt8] {
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
