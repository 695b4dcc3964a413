/// The central directory of a zip archive (PKWARE's APPNOTE 6.3.10, §4.3.12 to §4.3.16).
struct ZipDirectory {
  /// One file of the archive.
  struct Entry: Equatable {
    enum Method {
      case stored, deflated
    }

    let name: String
    let method: Method
    /// CRC-32 of the content.
    let checksum: UInt32
    /// The content's size in bytes, before compression.
    let size: Int
    /// The range in the archive of the bytes that are stored for the file.
    let data: Range<Int>
  }

  private(set) var entries: [Entry] = []
  private let bytes: [UInt8]

  /// The most files in an archive.
  static let maxEntries = 10_000

  init(_ bytes: [UInt8]) throws(ZipError) {
    self.bytes = bytes
    let (count, start, directoryEnd) = try directory()
    guard count <= Self.maxEntries else {
      throw ZipError(entry: nil, problem: .tooManyEntries(found: count, limit: Self.maxEntries))
    }
    var at = start
    var records: [Range<Int>] = []
    for _ in 0..<count {
      let (entry, record) = try entry(&at)
      entries.append(entry)
      records.append(record)
    }
    try Self.check(records + [start..<at], cover: directoryEnd)
  }

  /// Throws if a byte before `end` belongs to none of `records`. NumPy ignores such bytes, but a user might think that
  /// they are read.
  private static func check(_ records: [Range<Int>], cover end: Int) throws(ZipError) {
    var reached = 0
    for record in records.sorted(by: { $0.lowerBound < $1.lowerBound }) {
      guard record.lowerBound <= reached else {
        throw ZipError(
          entry: nil, problem: .strayBytes(record.lowerBound - reached, offset: reached))
      }
      reached = max(reached, record.upperBound)
    }
    guard reached >= end else {
      throw ZipError(entry: nil, problem: .strayBytes(end - reached, offset: reached))
    }
  }

  /// The number of entries, and the start and end of the central directory in the archive.
  private func directory() throws(ZipError) -> (count: Int, start: Int, end: Int) {
    // The end record has 22 bytes, and a comment of at most 65,535 follows.
    let earliest = max(0, bytes.count - 22 - 65_535)
    var end = bytes.count - 22
    while end >= earliest, !(try has("PK\u{5}\u{6}", at: end)) { end -= 1 }
    guard end >= earliest else { throw ZipError(entry: nil, problem: .noDirectory) }
    let fileEnd = end + 22 + (try number(at: end + 20, bytes: 2))
    guard fileEnd >= bytes.count else {
      throw ZipError(
        entry: nil, problem: .strayBytes(bytes.count - fileEnd, offset: fileEnd))
    }
    guard fileEnd == bytes.count else {
      throw ZipError(entry: nil, problem: .truncated(offset: fileEnd))
    }
    let (count, start) = (try number(at: end + 10, bytes: 2), try number(at: end + 16, bytes: 4))
    // The locator of a 64-bit end record directly precedes the end record. PyTorch always writes the 64-bit record,
    // even if the numbers fit the shorter one.
    guard end >= 20, try has("PK\u{6}\u{7}", at: end - 20) else { return (count, start, end) }
    let wide = try number(at: end - 20 + 8, bytes: 8)
    guard try has("PK\u{6}\u{6}", at: wide) else {
      throw ZipError(entry: nil, problem: .noDirectory)
    }
    // The record's length field does not count its first 12 bytes.
    let wideEnd = wide.addingReportingOverflow(try number(at: wide + 4, bytes: 8))
    guard !wideEnd.overflow, wideEnd.partialValue == end - 20 - 12 else {
      throw ZipError(entry: nil, problem: .noRecord(offset: wide))
    }
    return (
      try number(at: wide + 32, bytes: 8), try number(at: wide + 48, bytes: 8), wide
    )
  }

  /// The entry whose record begins at `at`, and the range of its file's bytes; moves `at` to the next record.
  private func entry(_ at: inout Int) throws(ZipError) -> (Entry, record: Range<Int>) {
    guard try has("PK\u{1}\u{2}", at: at) else {
      throw ZipError(entry: nil, problem: .noRecord(offset: at))
    }
    let flags = try number(at: at + 8, bytes: 2)
    let method = try number(at: at + 10, bytes: 2)
    let checksum = UInt32(try number(at: at + 16, bytes: 4))
    var packed = try number(at: at + 20, bytes: 4)
    var size = try number(at: at + 24, bytes: 4)
    let nameLength = try number(at: at + 28, bytes: 2)
    let extraLength = try number(at: at + 30, bytes: 2)
    let commentLength = try number(at: at + 32, bytes: 2)
    var header = try number(at: at + 42, bytes: 4)
    let name = String(decoding: try slice(at: at + 46, count: nameLength), as: UTF8.self)
    // The 64-bit extra field (id 1) has the size, the packed size and the header's offset, in this order, but only
    // those that don't fit their own fields (§4.5.3).
    var field = at + 46 + nameLength
    let end = field + extraLength
    while field + 4 <= end {
      let length = try number(at: field + 2, bytes: 2)
      if try number(at: field, bytes: 2) == 1 {
        var value = field + 4
        for (isWide, set) in [
          (size == 0xFFFF_FFFF, { size = $0 }), (packed == 0xFFFF_FFFF, { packed = $0 }),
          (header == 0xFFFF_FFFF, { header = $0 }),
        ] as [(Bool, (Int) -> Void)] where isWide {
          set(try number(at: value, bytes: 8))
          value += 8
        }
      }
      field += 4 + length
    }
    at = end + commentLength
    guard flags & 1 == 0 else { throw ZipError(entry: name, problem: .encrypted) }
    guard method == 0 || method == 8 else {
      throw ZipError(entry: name, problem: .method(method))
    }
    guard try has("PK\u{3}\u{4}", at: header) else {
      throw ZipError(entry: name, problem: .noRecord(offset: header))
    }
    // The local header has lengths of name and extra field of its own, which may differ.
    let start =
      header + 30 + (try number(at: header + 26, bytes: 2))
      + (try number(at: header + 28, bytes: 2))
    let data = try slice(at: start, count: packed).indices
    let entry = Entry(
      name: name, method: method == 0 ? .stored : .deflated, checksum: checksum, size: size,
      data: data)
    return (entry, header..<data.upperBound + (try descriptorBytes(at: data.upperBound, flags)))
  }

  /// The size of the data descriptor (§4.3.9), which writers that can't seek put after a file; 0 if there is none.
  private func descriptorBytes(at offset: Int, _ flags: Int) throws(ZipError) -> Int {
    guard flags & 8 != 0 else { return 0 }
    // The descriptor is an optional signature, a checksum and two sizes of 32 or 64 bits. Its length is recognised by
    // the signature of the record that follows.
    for count in [12, 16, 20, 24] where bytes.count - offset >= count + 4 {
      let isBehindFile = try has("PK\u{3}\u{4}", at: offset + count)
      let isBehindLastFile = try has("PK\u{1}\u{2}", at: offset + count)
      if isBehindFile || isBehindLastFile { return count }
    }
    return 0
  }

  private func has(_ signature: String, at offset: Int) throws(ZipError) -> Bool {
    try slice(at: offset, count: 4).elementsEqual(signature.utf8)
  }

  /// A little-endian number, which must fit an Int.
  private func number(at offset: Int, bytes count: Int) throws(ZipError) -> Int {
    let value = try slice(at: offset, count: count).reversed().reduce(UInt64(0)) {
      $0 << 8 | UInt64($1)
    }
    guard let number = Int(exactly: value) else {
      throw ZipError(entry: nil, problem: .noRecord(offset: offset))
    }
    return number
  }

  private func slice(at offset: Int, count: Int) throws(ZipError) -> ArraySlice<UInt8> {
    guard offset >= 0, count >= 0, offset <= bytes.count, count <= bytes.count - offset else {
      throw ZipError(entry: nil, problem: .truncated(offset: offset))
    }
    return bytes[offset..<offset + count]
  }
}
