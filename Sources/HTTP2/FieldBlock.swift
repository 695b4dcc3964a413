import CNGHTTP2

/// Fields as nghttp2 takes them: their bytes in a row, and where each stands among them.
struct FieldBlock {
  private var text: [UInt8] = []
  private var lengths: [(name: Int, value: Int)] = []

  /// So much room is kept for the next fields.
  private static let maxKeptBytes = 4096

  /// Takes out all fields.
  mutating func clear() {
    text.removeAll(keepingCapacity: text.capacity <= Self.maxKeptBytes)
    lengths.removeAll(keepingCapacity: true)
  }

  /// Adds a field that is valid.
  mutating func append(known name: String, _ value: String) {
    text.append(contentsOf: name.utf8)
    text.append(contentsOf: value.utf8)
    lengths.append((name.utf8.count, value.utf8.count))
  }

  /// Adds a field, in lower case; leaves out one that is not valid, as no pseudo-header field is.
  mutating func append(_ name: String, _ value: String) {
    guard !name.isEmpty else { return }
    let start = text.count
    append(known: name, value)
    let count = lengths[lengths.count - 1]
    // SAFETY: both lie within the text, and are read during the calls.
    let isValid = unsafe text.withUnsafeBufferPointer { text in
      let name = unsafe text.baseAddress! + start
      return unsafe name.pointee != UInt8(ascii: ":")
        && nghttp2_check_header_name(name, count.name) != 0
        && nghttp2_check_header_value_rfc9113(name + count.name, count.value) != 0
    }
    guard !isValid else { return }
    text.removeLast(text.count - start)
    lengths.removeLast()
  }

  /// Calls `body` with the fields, which it has to copy.
  func withPairs<Result>(_ body: (UnsafeBufferPointer<nghttp2_nv>) -> Result) -> Result {
    // SAFETY: the pairs are all written before they are read; they point into the text, which does not change meanwhile,
    // and nghttp2, whose type is not made for constants, only reads there.
    unsafe text.withUnsafeBufferPointer { text in
      unsafe withUnsafeTemporaryAllocation(of: nghttp2_nv.self, capacity: lengths.count) { pairs in
        var next = unsafe UnsafeMutablePointer(mutating: text.baseAddress)
        for (index, length) in lengths.enumerated() {
          let value = unsafe next.map { unsafe $0 + length.name }
          unsafe pairs.initializeElement(
            at: index,
            to: nghttp2_nv(
              name: next, value: value, namelen: length.name, valuelen: length.value,
              flags: UInt8(NGHTTP2_NV_FLAG_NONE.rawValue)))
          unsafe next = value.map { unsafe $0 + length.value }
        }
        return unsafe body(UnsafeBufferPointer(pairs))
      }
    }
  }
}
