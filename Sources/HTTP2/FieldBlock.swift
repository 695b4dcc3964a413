import CNGHTTP2
import HTTPCore

/// Header fields in the form that nghttp2 takes: the bytes of all names and values in a row, and the length of each.
struct FieldBlock {
  private var text: [UInt8] = []
  private var lengths: [(name: Int, value: Int)] = []

  /// `clear()` keeps up to this much storage for the next fields.
  private static let maxKeptBytes = 4096

  /// Removes all fields.
  mutating func clear() {
    text.removeAll(keepingCapacity: text.capacity <= Self.maxKeptBytes)
    lengths.removeAll(keepingCapacity: true)
  }

  /// Adds a field that is known to be valid.
  mutating func append(known name: String, _ value: String) {
    // By spans: the bytes of a span are appended at once, those of a string's view are not.
    text.append(copying: name.utf8.span)
    text.append(copying: value.utf8.span)
    lengths.append((name.utf8.count, value.utf8.count))
  }

  /// Adds a field that is known to be valid and whose value is a number from 0.
  mutating func append(known name: String, _ value: Int) {
    text.append(copying: name.utf8.span)
    let start = text.count
    text.append(decimal: value)
    lengths.append((name.utf8.count, text.count - start))
  }

  /// Adds the fields of `other`.
  mutating func append(_ other: FieldBlock) {
    text.append(copying: other.text.span)
    lengths.append(contentsOf: other.lengths)
  }

  /// Adds a field, whose name has to be in lower case; leaves out one that is not valid, pseudo-header fields included.
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

  /// Calls `body` with the fields, which are valid during the call only.
  func withPairs<Result>(_ body: (UnsafeBufferPointer<nghttp2_nv>) -> Result) -> Result {
    // SAFETY: the pairs are all written before they are read. They point into the text, which does not change
    // meanwhile; nghttp2 only reads there, though its type has mutable pointers.
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
