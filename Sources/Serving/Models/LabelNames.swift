/// What the labels of an output are called.
package struct LabelNames: Sendable {
  /// A text a label; nil where labels are their indices.
  package let texts: [String]?
  /// The bytes of the longest in JSON at the most, with its quotes and a comma.
  package let maxBytes: Int

  package init(_ texts: [String]?, count: Int) {
    self.texts = texts
    var longest = String(max(0, count - 1)).utf8.count
    if let texts {
      longest = texts.reduce(0) { longest, text in
        // What is escaped takes six bytes at the most.
        let escaped = text.utf8.count { $0 < 0x20 || $0 == UInt8(ascii: "\"") || $0 == 0x5C }
        return max(longest, text.utf8.count + 5 * escaped + 2)
      }
    }
    maxBytes = longest + 1
  }
}
