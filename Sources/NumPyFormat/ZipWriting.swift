import Compression

/// A zip archive (PKWARE's APPNOTE 6.3.10) of `files`, uncompressed. Like NumPy's `savez` it has 64-bit sizes and the date 1
/// January 1980, so that the same files make the same bytes.
package func zipArchive(of files: [(name: String, content: [UInt8])]) -> [UInt8] {
  var archive: [UInt8] = []
  var directory: [UInt8] = []
  for (name, content) in files {
    let offset = archive.count
    let checksum = UInt64(crc32(of: content.span))
    /// The fields that both records share: from the version needed to the lengths of name and extra field.
    func appendCommon(to bytes: inout [UInt8], extra: Int) {
      let wide: UInt64 = 0xFFFF_FFFF
      // Version 4.5; UTF-8 name; stored; 1 January 1980; sizes in the extra field.
      for (value, count) in [
        (45, 2), (1 << 11, 2), (0, 2), (0, 2), (0x21, 2), (checksum, 4), (wide, 4), (wide, 4),
        (UInt64(name.utf8.count), 2), (UInt64(extra), 2),
      ] as [(UInt64, Int)] {
        bytes.appendLittleEndian(value, bytes: count)
      }
    }
    func appendExtra(_ values: [Int], to bytes: inout [UInt8]) {
      bytes.appendLittleEndian(1, bytes: 2)
      bytes.appendLittleEndian(UInt64(8 * values.count), bytes: 2)
      for value in values { bytes.appendLittleEndian(UInt64(value), bytes: 8) }
    }
    archive += "PK\u{3}\u{4}".utf8
    appendCommon(to: &archive, extra: 20)
    archive += name.utf8
    appendExtra([content.count, content.count], to: &archive)
    archive += content

    directory += "PK\u{1}\u{2}".utf8
    directory.appendLittleEndian(45, bytes: 2)
    appendCommon(to: &directory, extra: 28)
    // No comment; disk 0; no attributes; offset in the extra field.
    for (value, count) in [(0, 2), (0, 2), (0, 2), (0, 4), (0xFFFF_FFFF, 4)] as [(UInt64, Int)] {
      directory.appendLittleEndian(value, bytes: count)
    }
    directory += name.utf8
    appendExtra([content.count, content.count, offset], to: &directory)
  }
  let start = archive.count
  archive += directory
  let end = archive.count
  archive += "PK\u{6}\u{6}".utf8
  for (value, count) in [
    (44, 8), (45, 2), (45, 2), (0, 4), (0, 4), (UInt64(files.count), 8), (UInt64(files.count), 8),
    (UInt64(directory.count), 8), (UInt64(start), 8),
  ] as [(UInt64, Int)] {
    archive.appendLittleEndian(value, bytes: count)
  }
  archive += "PK\u{6}\u{7}".utf8
  for (value, count) in [(0, 4), (UInt64(end), 8), (1, 4)] as [(UInt64, Int)] {
    archive.appendLittleEndian(value, bytes: count)
  }
  archive += "PK\u{5}\u{6}".utf8
  for (value, count) in [
    (0, 2), (0, 2), (0xFFFF, 2), (0xFFFF, 2), (0xFFFF_FFFF, 4), (0xFFFF_FFFF, 4), (0, 2),
  ] as [(UInt64, Int)] {
    archive.appendLittleEndian(value, bytes: count)
  }
  return archive
}

extension [UInt8] {
  /// Appends the lowest `count` bytes of `value`, the lowest first.
  package mutating func appendLittleEndian(_ value: UInt64, bytes count: Int) {
    for index in 0..<count { append(UInt8(truncatingIfNeeded: value >> (8 * UInt64(index)))) }
  }
}
