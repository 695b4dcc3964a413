/// Turns text into token ids. At each position the longest vocabulary entry that matches is the next token.
///
/// A trie over the entries' UTF-8. A vocabulary of single characters takes one look-up a character.
package struct Vocabulary: Sendable {
  /// Maps a node and a byte, as `node << 8 | byte`, to the child node; the root is 0.
  private var children: [UInt64: Int] = [:]
  /// The id of the entry that ends at a node.
  private var ids: [Int32?] = [nil]

  /// - Parameter entries: the text of each id. Of equal entries the first is used; an empty one never matches.
  package init(_ entries: [String]) {
    for (id, entry) in entries.enumerated() {
      var node = 0
      for byte in entry.utf8 {
        let key = UInt64(node) << 8 | UInt64(byte)
        if let child = children[key] {
          node = child
        } else {
          children[key] = ids.count
          node = ids.count
          ids.append(nil)
        }
      }
      if node != 0, ids[node] == nil { ids[node] = Int32(id) }
    }
  }

  /// A character of the text at which no entry starts.
  package struct UnknownCharacter: Error, Equatable {
    package let character: Character
    /// Its index in the text, in characters from 0.
    package let position: Int
  }

  /// The token ids of `text`, which is UTF-8.
  package func encode(_ text: ArraySlice<UInt8>) throws(UnknownCharacter) -> [Int32] {
    var tokens: [Int32] = []
    tokens.reserveCapacity(text.count)
    var start = text.startIndex
    while start < text.endIndex {
      guard let (id, end) = longestEntry(text[start...]) else {
        throw UnknownCharacter(
          character: String(decoding: text[start...].prefix(64), as: UTF8.self).first ?? "\u{FFFD}",
          position: String(decoding: text[..<start], as: UTF8.self).count)
      }
      tokens.append(id)
      start = end
    }
    return tokens
  }

  private func longestEntry(_ text: ArraySlice<UInt8>) -> (id: Int32, end: Int)? {
    var node = 0
    var longest: (id: Int32, end: Int)?
    for index in text.indices {
      guard let child = children[UInt64(node) << 8 | UInt64(text[index])] else { break }
      node = child
      if let id = ids[node] { longest = (id, index + 1) }
    }
    return longest
  }
}
