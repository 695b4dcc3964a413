extension Array where Element == UInt8 {
  /// Appends a copy of `bytes` as one block.
  package mutating func append(copying bytes: Span<UInt8>) {
    // SAFETY: the pointer is used within the closure only; append copies, so nothing aliases.
    unsafe bytes.withUnsafeBufferPointer { source in unsafe append(contentsOf: source) }
  }

  /// Appends a number from 0 in decimal digits.
  package mutating func append(decimal number: Int) {
    var power = 1
    // Divided by constants alone: a division by another number takes long.
    while number / 10 >= power { power *= 10 }
    var rest = number
    while power > 0 {
      var digit = ASCII.zero
      while rest >= power {
        rest -= power
        digit += 1
      }
      append(digit)
      power /= 10
    }
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
  func listContains(_ text: String) -> Bool {
    var start = 0
    while start <= count {
      var end = start
      while end < count, self[end] != ASCII.comma { end += 1 }
      let element = extracting(start..<end)
      if element.extracting(element.trimmedIndices).equalsCaseless(text) { return true }
      start = end + 1
    }
    return false
  }

  /// The first 40 bytes at most, as text for an error message.
  var excerpt: String {
    let text = String(fieldValue: extracting(first: 40))
    return count > 40 ? text + "…" : text
  }
}
