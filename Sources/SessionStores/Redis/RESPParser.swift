/// Reads replies of Redis (RESP2 and RESP3, https://redis.io/docs/latest/develop/reference/protocol-spec): bytes in, values out. Maps and
/// sets come as arrays, numbers that are no integers as texts.
///
/// Of a reply that has not come whole, the values that have are kept, so that no byte of theirs is read twice.
package struct RESPParser {
  /// The longest string of a reply, and the most elements of all its arrays: far beyond what any question of ours can get.
  static let maxBytes = 64 << 20
  static let maxElements = 1 << 20
  /// Of arrays within arrays.
  static let maxDepth = 5
  /// The longest status, error or number.
  static let maxLineBytes = 16 << 10

  /// An array whose elements have not all come.
  private struct OpenArray {
    let count: Int
    let isPush: Bool
    var elements: [RESPValue] = []

    var value: RESPValue { isPush ? .push(elements) : .array(elements) }
  }

  private enum Item {
    case value(RESPValue)
    case array(OpenArray)
  }

  /// The longest reply.
  private let maxReplyBytes: Int
  private var buffer: [UInt8] = []
  /// Where the next item begins.
  private var start = 0
  /// The arrays that the next item is in, the outermost first.
  private var open: [OpenArray] = []
  /// Of the reply that is under way: the bytes of its items, and the elements that its arrays are to have.
  private var replyBytes = 0
  private var replyElements = 0

  /// - Parameter maxReplyBytes: by default, a few of the longest strings.
  package init(maxReplyBytes: Int = 4 * Self.maxBytes) { self.maxReplyBytes = maxReplyBytes }

  /// What has come and is no whole reply yet.
  var pendingCount: Int { buffer.count - start + replyBytes }

  package mutating func append(_ bytes: some Sequence<UInt8>) {
    if start > 0 {
      buffer.removeFirst(start)
      start = 0
    }
    buffer += bytes
  }

  /// The next reply; nil where it has not come whole.
  package mutating func next() throws(RESPError) -> RESPValue? {
    while let item = try item() {
      switch item {
      case .array(let array) where array.count > 0: open.append(array)
      case .array(let empty):
        if let reply = close(empty.value) { return reply }
      case .value(let value):
        if let reply = close(value) { return reply }
      }
    }
    guard pendingCount <= maxReplyBytes else { throw .tooLong(pendingCount) }
    return nil
  }

  /// Adds a value to the array that it is in, which may be whole with it; returns the reply once that is.
  private mutating func close(_ value: RESPValue) -> RESPValue? {
    var value = value
    while let last = open.indices.last {
      open[last].elements.append(value)
      guard open[last].elements.count == open[last].count else { return nil }
      value = open.removeLast().value
    }
    (replyBytes, replyElements) = (0, 0)
    return value
  }

  /// The next value that is no array, or the beginning of an array; nil where it has not come whole.
  private mutating func item() throws(RESPError) -> Item? {
    var position = start
    guard let line = try line(&position), let kind = line.first else { return nil }
    guard open.count < Self.maxDepth else { throw .tooDeep }
    guard let item = try item(kind, line.dropFirst(), &position) else { return nil }
    replyBytes += position - start
    start = position
    return item
  }

  /// - Parameter rest: what stands behind the kind, in its line.
  private mutating func item(
    _ kind: UInt8, _ rest: ArraySlice<UInt8>, _ position: inout Int
  ) throws(RESPError) -> Item? {
    switch kind {
    case UInt8(ascii: "+"), UInt8(ascii: ","), UInt8(ascii: "("):
      return .value(.simple(String(decoding: rest, as: UTF8.self)))
    case UInt8(ascii: "-"): return .value(.error(String(decoding: rest, as: UTF8.self)))
    case UInt8(ascii: ":"): return .value(.integer(try number(rest)))
    case UInt8(ascii: "_"):
      guard rest.isEmpty else { throw .malformed }
      return .value(.null)
    case UInt8(ascii: "#"):
      guard rest.count == 1, let letter = rest.first else { throw .malformed }
      guard letter == UInt8(ascii: "t") || letter == UInt8(ascii: "f") else { throw .malformed }
      return .value(.integer(letter == UInt8(ascii: "t") ? 1 : 0))
    case UInt8(ascii: "$"):
      return try string(of: try number(rest), &position)
        .map { .value($0.map { .bytes($0) } ?? .null) }
    case UInt8(ascii: "="):
      // Three letters and a colon say what text it is.
      guard let text = try string(of: try number(rest), &position) else { return nil }
      guard let text, text.count >= 4 else { throw .malformed }
      return .value(.bytes(Array(text[4...])))
    case UInt8(ascii: "*"), UInt8(ascii: "~"):
      let count = try number(rest)
      return count == -1 ? .value(.null) : .array(try array(of: count))
    case UInt8(ascii: "%"):
      let count = try number(rest)
      guard (0...Self.maxElements).contains(count) else { throw .tooLong(count) }
      return .array(try array(of: 2 * count))
    case UInt8(ascii: ">"):
      guard open.isEmpty else { throw .malformed }
      return .array(try array(of: try number(rest), isPush: true))
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

  private mutating func array(
    of count: Int, isPush: Bool = false
  ) throws(RESPError) -> OpenArray {
    guard count >= 0, count <= Self.maxElements - replyElements else { throw .tooLong(count) }
    replyElements += count
    return OpenArray(count: count, isPush: isPush)
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
package enum RESPError: Error, Equatable {
  case malformed
  case tooLong(Int)
  case tooDeep
}
