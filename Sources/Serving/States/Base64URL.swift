/// Base64 for URLs, without padding (RFC 4648 §5).
enum Base64URL {
  /// The number of characters for `byteCount` bytes.
  static func characterCount(_ byteCount: Int) -> Int { (byteCount * 4 + 2) / 3 }

  static func encode(_ bytes: [UInt8]) -> [UInt8] {
    let alphabet = alphabet
    var text: [UInt8] = []
    text.reserveCapacity(characterCount(bytes.count))
    var (bits, count): (UInt32, Int) = (0, 0)
    for byte in bytes {
      bits = bits << 8 | UInt32(byte)
      count += 8
      while count >= 6 {
        count -= 6
        text.append(alphabet[Int(bits >> count & 63)])
      }
    }
    if count > 0 { text.append(alphabet[Int(bits << (6 - count) & 63)]) }
    return text
  }

  /// The index of the first character that is not allowed.
  struct BadCharacter: Error, Equatable {
    let position: Int
  }

  /// The bytes of `text`. Unused bits of the last character have to be zero, so that no two texts decode to the
  /// same bytes (§3.5).
  static func decode(_ text: ArraySlice<UInt8>) throws(BadCharacter) -> [UInt8] {
    let values = values
    var bytes: [UInt8] = []
    bytes.reserveCapacity(text.count / 4 * 3 + 2)
    var (bits, count): (UInt32, Int) = (0, 0)
    for index in text.indices {
      let value = values[Int(text[index])]
      guard value < 64 else { throw BadCharacter(position: index - text.startIndex) }
      bits = bits << 6 | UInt32(value)
      count += 6
      if count >= 8 {
        count -= 8
        bytes.append(UInt8(truncatingIfNeeded: bits >> count))
      }
    }
    guard count < 6, bits & (1 << count - 1) == 0 else {
      throw BadCharacter(position: text.count - 1)
    }
    return bytes
  }

  private static let alphabet = Array(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)

  /// The value of each character; 64 for characters outside the alphabet.
  private static let values: [UInt8] = {
    var values = [UInt8](repeating: 64, count: 256)
    for (value, character) in alphabet.enumerated() { values[Int(character)] = UInt8(value) }
    return values
  }()
}
