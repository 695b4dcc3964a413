/// The names of an output's labels.
package struct LabelNames: Sendable {
  /// The text of each label; nil where labels are their indices.
  package let texts: [String]?
  /// A bound on the bytes of a label in JSON, with quotes and a comma.
  package let maxBytes: Int

  package init(_ texts: [String]?, count: Int) {
    self.texts = texts
    var longest = String(max(0, count - 1)).utf8.count
    if let texts {
      longest = texts.reduce(0) { longest, text in
        // An escaped character takes at most six bytes.
        let escaped = text.utf8.count { $0 < 0x20 || $0 == UInt8(ascii: "\"") || $0 == 0x5C }
        return max(longest, text.utf8.count + 5 * escaped + 2)
      }
    }
    maxBytes = longest + 1
  }
}
