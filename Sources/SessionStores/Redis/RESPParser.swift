/// Reads replies of Redis (RESP2 and RESP3, https://redis.io/docs/latest/develop/reference/protocol-spec): bytes in, values out. Maps and
/// sets come as arrays, numbers that are no integers as texts.
///
/// What is not complete yet is read again from its beginning once more has come. That costs little: a string says how long it is.
struct RESPParser {
  /// The longest string of a reply, and the most elements of an array: far beyond what any question of ours can get.
  static let maxBytes = 64 << 20
  static let maxElements = 1 << 20
  /// Of arrays within arrays.
  static let maxDepth = 5
  /// The longest status, error or number.
  static let maxLineBytes = 16 << 10

  private var buffer: [UInt8] = []
  /// Where the next value begins.
  private var start = 0

  /// What has come and is no whole value yet.
  var pendingCount: Int { buffer.count - start }

  mutating func append(_ bytes: some Sequence<UInt8>) {
    if start > 0 {
      buffer.removeFirst(start)
      start = 0
    }
    buffer += bytes
  }

  /// The next reply; nil where it has not come whole.
  mutating func next() throws(RESPError) -> RESPValue? {
    var position = start
    guard let value = try value(&position, depth: 0) else { return nil }
    start = position
    return value
  }

  private func value(_ position: inout Int, depth: Int) throws(RESPError) -> RESPValue? {
    guard depth < Self.maxDepth else { throw .tooDeep }
    guard let line = try line(&position), let kind = line.first else { return nil }
    let rest = line.dropFirst()
    switch kind {
    case UInt8(ascii: "+"), UInt8(ascii: ","), UInt8(ascii: "("):
      return .simple(String(decoding: rest, as: UTF8.self))
    case UInt8(ascii: "-"): return .error(String(decoding: rest, as: UTF8.self))
    case UInt8(ascii: ":"): return .integer(try number(rest))
    case UInt8(ascii: "_"):
      guard rest.isEmpty else { throw .malformed }
      return .null
    case UInt8(ascii: "#"):
      guard rest.count == 1, let letter = rest.first else { throw .malformed }
      guard letter == UInt8(ascii: "t") || letter == UInt8(ascii: "f") else { throw .malformed }
      return .integer(letter == UInt8(ascii: "t") ? 1 : 0)
    case UInt8(ascii: "$"):
      return try string(of: try number(rest), &position).map { $0.map { .bytes($0) } ?? .null }
    case UInt8(ascii: "="):
      // Three letters and a colon say what text it is.
      guard let text = try string(of: try number(rest), &position) else { return nil }
      guard let text, text.count >= 4 else { throw .malformed }
      return .bytes(Array(text[4...]))
    case UInt8(ascii: "*"), UInt8(ascii: "~"):
      let count = try number(rest)
      if count == -1 { return .null }
      return try elements(count, &position, depth: depth).map { .array($0) }
    case UInt8(ascii: "%"):
      let count = try number(rest)
      guard (0...Self.maxElements).contains(count) else { throw .tooLong(count) }
      return try elements(2 * count, &position, depth: depth).map { .array($0) }
    case UInt8(ascii: ">"):
      guard depth == 0 else { throw .malformed }
      return try elements(try number(rest), &position, depth: depth).map { .push($0) }
    default: throw .malformed
    }
  }

  /// A string of so many bytes: nil where it has not come whole, and within that where it is null.
  private func string(of count: Int, _ position: inout Int) throws(RESPError) -> [UInt8]?? {
    if count == -1 { return .some(nil) }
    guard (0...Self.maxBytes).contains(count) else { throw .tooLong(count) }
    guard buffer.count - position >= count + 2 else { return nil }
    guard buffer[position + count] == 0x0D, buffer[position + count + 1] == 0x0A else {
      throw .malformed
    }
    defer { position += count + 2 }
    return Array(buffer[position..<position + count])
  }

  private func elements(
    _ count: Int, _ position: inout Int, depth: Int
  ) throws(RESPError) -> [RESPValue]? {
    guard (0...Self.maxElements).contains(count) else { throw .tooLong(count) }
    var elements: [RESPValue] = []
    for _ in 0..<count {
      guard let element = try value(&position, depth: depth + 1) else { return nil }
      elements.append(element)
    }
    return elements
  }

  /// The bytes up to the next CR LF, which are passed over; never empty.
  private func line(_ position: inout Int) throws(RESPError) -> ArraySlice<UInt8>? {
    let rest = buffer[position...]
    guard let end = rest.prefix(Self.maxLineBytes).firstIndex(of: 0x0D) else {
      guard rest.count < Self.maxLineBytes else { throw .tooLong(rest.count) }
      return nil
    }
    guard end + 1 < buffer.count else { return nil }
    guard end > position, buffer[end + 1] == 0x0A else { throw .malformed }
    defer { position = end + 2 }
    return buffer[position..<end]
  }

  private func number(_ digits: ArraySlice<UInt8>) throws(RESPError) -> Int {
    guard digits.first != UInt8(ascii: "+"), let text = String(validating: digits, as: UTF8.self),
      let number = Int(text)
    else { throw .malformed }
    return number
  }
}

/// What is no reply of Redis.
enum RESPError: Error, Equatable {
  case malformed
  case tooLong(Int)
  case tooDeep
}
