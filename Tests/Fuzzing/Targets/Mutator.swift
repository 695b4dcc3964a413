/// Changes bytes as hostile files are changed: above all their numbers.
package struct Mutator {
  private var random: UInt64

  package init(seed: UInt64) { random = seed &* 0x9E37_79B9_7F4A_7C15 | 1 }

  /// The bytes with one to four changes.
  package mutating func mutated(_ bytes: [UInt8]) -> [UInt8] {
    var bytes = bytes
    for _ in 0...below(4) { change(&bytes) }
    return bytes
  }

  /// Sizes around which arithmetic overflows, or memory ends.
  private static let numbers: [UInt64] = [
    0, 1, 2, 7, 8, 127, 128, 255, 256, 65_535, 65_536, 1 << 24, 1 << 30, (1 << 31) - 1, 1 << 31,
    (1 << 32) - 1, 1 << 32, (1 << 32) + 1, 1 << 40, (1 << 61) + 1, 1 << 62, (1 << 63) - 1, 1 << 63,
    UInt64.max - 1, UInt64.max, 0xFFFF_FFFF_8000_0000,
  ]

  private mutating func change(_ bytes: inout [UInt8]) {
    let at = below(bytes.count + 1)
    switch below(9) {
    case 0 where at < bytes.count: bytes[at] = UInt8(truncatingIfNeeded: next())
    case 1 where at < bytes.count: bytes[at] ^= 1 << UInt8(below(8))
    case 2: bytes.removeSubrange(at..<min(bytes.count, at + 1 + below(16)))
    case 3: bytes.insert(contentsOf: Array(bytes[at...].prefix(1 + below(32))), at: at)
    case 4: bytes.removeLast(below(bytes.count + 1) / 4)
    case 5: replaceDecimal(&bytes, from: at)
    case 6: replaceVarint(&bytes, at: at)
    case 7: replaceWord(&bytes, at: at)
    default: bytes.insert(UInt8(truncatingIfNeeded: next()), at: at)
    }
  }

  /// The next number in decimal digits becomes another.
  private mutating func replaceDecimal(_ bytes: inout [UInt8], from at: Int) {
    let isDigit: (UInt8) -> Bool = { (0x30...0x39).contains($0) }
    guard let start = bytes[at...].firstIndex(where: isDigit) else { return }
    let end = bytes[start...].firstIndex { !isDigit($0) } ?? bytes.count
    let number = pick()
    let text = below(3) == 0 ? "\(Int64(bitPattern: number))" : "\(number)"
    bytes.replaceSubrange(start..<end, with: text.utf8)
  }

  /// A number of Protocol Buffers, or one byte, becomes a long one.
  private mutating func replaceVarint(_ bytes: inout [UInt8], at: Int) {
    guard at < bytes.count else { return }
    let end = bytes[at...].firstIndex { $0 & 0x80 == 0 } ?? at
    var number = pick()
    var varint: [UInt8] = []
    while number >= 0x80 {
      varint.append(UInt8(truncatingIfNeeded: number) | 0x80)
      number >>= 7
    }
    bytes.replaceSubrange(at...end, with: varint + [UInt8(number)])
  }

  /// Bytes in place become a number of 2, 4 or 8 bytes, in either order.
  private mutating func replaceWord(_ bytes: inout [UInt8], at: Int) {
    let number = pick()
    let count = [2, 4, 8][below(3)]
    let isBigEndian = below(2) == 0
    for index in 0..<count where at + index < bytes.count {
      let shift = 8 * (isBigEndian ? count - 1 - index : index)
      bytes[at + index] = UInt8(truncatingIfNeeded: number >> UInt64(shift))
    }
  }

  private mutating func pick() -> UInt64 { Self.numbers[below(Self.numbers.count)] }

  private mutating func below(_ limit: Int) -> Int { Int(next() % UInt64(max(1, limit))) }

  /// xorshift64* (Vigna 2016).
  private mutating func next() -> UInt64 {
    random ^= random >> 12
    random ^= random << 25
    random ^= random >> 27
    return random &* 0x2545_F491_4F6C_DD1D
  }
}
