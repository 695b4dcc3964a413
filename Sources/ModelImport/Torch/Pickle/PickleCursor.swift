/// Reads the operands of a pickle's operations, in order.
struct PickleCursor {
  private let bytes: [UInt8]
  private(set) var offset: Int

  init(_ bytes: [UInt8], at offset: Int) {
    self.bytes = bytes
    self.offset = offset
  }

  mutating func byte() throws(PickleError) -> UInt8 {
    guard offset < bytes.count else { throw failure(.truncated) }
    offset += 1
    return bytes[offset - 1]
  }

  mutating func take(_ count: Int) throws(PickleError) -> ArraySlice<UInt8> {
    guard count >= 0, count <= bytes.count - offset else { throw failure(.truncated) }
    offset += count
    return bytes[offset - count..<offset]
  }

  /// An unsigned little-endian number of `count` bytes.
  mutating func number(_ count: Int) throws(PickleError) -> Int {
    let word = try take(count).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    guard let number = Int(exactly: word) else { throw failure(.truncated) }
    return number
  }

  /// A signed number of four bytes.
  mutating func int32() throws(PickleError) -> Int {
    Int(Int32(truncatingIfNeeded: try number(4)))
  }

  /// A two's complement number of `count` bytes; nil if an Int can't hold it.
  mutating func integer(_ count: Int) throws(PickleError) -> Int? {
    let digits = try take(count)
    guard let highest = digits.last else { return 0 }
    let isNegative = highest & 0x80 != 0
    let filler: UInt8 = isNegative ? 0xFF : 0
    guard digits.dropFirst(8).allSatisfy({ $0 == filler }) else { return nil }
    var word: UInt64 = isNegative ? .max : 0
    for digit in digits.prefix(8).reversed() { word = word << 8 | UInt64(digit) }
    let value = Int(truncatingIfNeeded: word)
    // The sign of the eight lowest bytes must be the number's.
    return (value < 0) == isNegative ? value : nil
  }

  /// A big-endian double.
  mutating func double() throws(PickleError) -> Double {
    Double(bitPattern: try take(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) })
  }

  /// The bytes up to the next line feed, which is skipped.
  mutating func line() throws(PickleError) -> ArraySlice<UInt8> {
    guard let end = bytes[offset...].firstIndex(of: 0x0A) else { throw failure(.truncated) }
    defer { offset = end + 1 }
    return bytes[offset..<end]
  }

  mutating func textLine() throws(PickleError) -> String {
    String(decoding: try line(), as: UTF8.self)
  }

  func failure(_ problem: PickleProblem) -> PickleError {
    PickleError(offset: offset, problem: problem)
  }
}
