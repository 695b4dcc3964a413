extension Array where Element == UInt8 {
  /// Appends a copy of `bytes` as one block.
  package mutating func append(copying bytes: Span<UInt8>) {
    // SAFETY: the pointer is used within the closure only; append copies, so nothing aliases.
    unsafe bytes.withUnsafeBufferPointer { source in unsafe append(contentsOf: source) }
  }

  /// Appends the bytes of a literal as one block, with no string or array in between.
  package mutating func append(_ literal: StaticString) {
    // SAFETY: a literal of more than one scalar is stored as UTF-8 for as long as the program runs.
    unsafe append(
      contentsOf: UnsafeBufferPointer(
        start: literal.utf8Start, count: literal.utf8CodeUnitCount))
  }

  /// Appends a number from 0 in decimal digits.
  package mutating func append(decimal number: Int) {
    var digits = InlineArray<19, UInt8>(repeating: 0)
    var start = digits.count
    var rest = number
    repeat {
      start -= 1
      digits[start] = ASCII.zero + UInt8(rest % 10)
      rest /= 10
    } while rest > 0
    append(copying: digits.span.extracting(start...))
  }

  /// Makes capacity for `more` bytes. The capacity at least doubles, but does not exceed `total`, the most that the
  /// array will ever hold. So an announced length alone takes no memory, and a body never takes twice its length.
  package mutating func grow(for more: Int, total: Int) {
    let needed = count + more
    guard needed > capacity else { return }
    reserveCapacity(Swift.max(needed, Swift.min(capacity * 2, total)))
  }
}

extension String {
  /// Makes a string of bytes that the caller has found to be ASCII.
  init(ascii bytes: Span<UInt8>) {
    // SAFETY: ASCII is valid UTF-8; every caller has checked each byte against a `ByteSet`.
    self = unsafe String(copying: UTF8Span(unchecked: bytes, isKnownASCII: true))
  }

  /// Makes a string of bytes that are all in `set`; nil where others are among them.
  package init?(_ bytes: Span<UInt8>, of set: ByteSet) {
    for index in bytes.indices where !set.contains(bytes[index]) { return nil }
    self.init(ascii: bytes)
  }

  /// Makes a string of UTF-8 bytes; bytes that are not valid UTF-8 are read as ISO 8859-1, the former encoding of field
  /// values.
  package init(fieldValue bytes: Span<UInt8>) {
    if let text = try? UTF8Span(validating: bytes) {
      self = String(copying: text)
    } else {
      var latin = String()
      for index in bytes.indices { latin.unicodeScalars.append(Unicode.Scalar(bytes[index])) }
      self = latin
    }
  }
}

/// Searches through eight bytes at a time, by the test whether a word has a zero byte (Hacker's Delight, §6-1).
extension Span<UInt8> {
  /// The index of the first `byte` from `start` on; `count` where there is none.
  func index(of byte: UInt8, from start: Int) -> Int {
    let pattern = Self.ones &* UInt64(byte)
    var index = start
    while index + 8 <= count {
      let zeros = Self.zeros(of: word(at: index) ^ pattern)
      if zeros != 0 { return index + zeros.trailingZeroBitCount / 8 }
      index += 8
    }
    while index < count, self[index] != byte { index += 1 }
    return index
  }

  /// The first byte that a field value may not hold; nil where there is none.
  var firstNoFieldValue: UInt8? {
    var index = 0
    while index + 8 <= count {
      let word = word(at: index)
      // Control characters are below a space, or are delete; a tab, which is allowed, is among them.
      let controls = (word &- Self.ones &* UInt64(ASCII.space)) & ~word & Self.highBits
      if controls | Self.zeros(of: word ^ Self.ones &* UInt64(ASCII.delete)) != 0 { break }
      index += 8
    }
    while index < count, ASCII.isFieldValue(self[index]) { index += 1 }
    return index < count ? self[index] : nil
  }

  private static var ones: UInt64 { 0x0101_0101_0101_0101 }
  private static var highBits: UInt64 { 0x8080_8080_8080_8080 }

  /// The eight bytes from `index` on, the first one lowest.
  private func word(at index: Int) -> UInt64 {
    // SAFETY: any eight bytes are a number; that there are eight is checked.
    UInt64(littleEndian: unsafe bytes.unsafeLoadUnaligned(fromByteOffset: index, as: UInt64.self))
  }

  /// Has bits in the lowest byte of `word` that is zero, and in no lower one; 0 where no byte is zero.
  private static func zeros(of word: UInt64) -> UInt64 { (word &- ones) & ~word & highBits }
}

extension Span<UInt8> {
  /// Whether the bytes equal `text`, a lower-case ASCII string, ignoring case.
  @inline(__always)
  func equalsCaseless(_ text: String) -> Bool {
    let other = text.utf8.span
    guard count == other.count else { return false }
    for index in indices where ASCII.lowercase(self[index]) != other[index] { return false }
    return true
  }

  /// The indices without the spaces and tabs at either end (OWS, RFC 9110 §5.6.3).
  var trimmedIndices: Range<Int> {
    var start = 0
    var end = count
    while start < end, self[start] == ASCII.space || self[start] == ASCII.tab { start += 1 }
    while end > start, self[end - 1] == ASCII.space || self[end - 1] == ASCII.tab { end -= 1 }
    return start..<end
  }

  /// Whether this comma-separated list has the element `text`, which is in lower case; case is ignored.
  package func listContains(_ text: String) -> Bool {
    var isFound = false
    forEachElement { if $0.equalsCaseless(text) { isFound = true } }
    return isFound
  }

  /// Whether this comma-separated list has no element but `text`, which is in lower case; case is ignored. An empty list
  /// has none.
  package func listHasOnly(_ text: String) -> Bool {
    var isFine = true
    forEachElement { if !$0.isEmpty, !$0.equalsCaseless(text) { isFine = false } }
    return isFine
  }

  /// Calls `use` with each element of this comma-separated list, empty ones too, without the white space around it
  /// (RFC 9110 §5.6.1).
  func forEachElement(_ use: (Span<UInt8>) -> Void) {
    var start = 0
    while start <= count {
      var end = start
      while end < count, self[end] != ASCII.comma { end += 1 }
      let element = extracting(start..<end)
      use(element.extracting(element.trimmedIndices))
      start = end + 1
    }
  }

  /// The first 40 bytes at most, as text for an error message.
  var excerpt: String {
    let text = String(fieldValue: extracting(first: 40))
    return count > 40 ? text + "…" : text
  }
}
