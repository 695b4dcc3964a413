// Phrases that several faults use.

/// The most items that an error lists.
private let maxListed = 20

/// The items joined by commas, and by `conjunction` before the last; at most `maxListed` of them.
package func list(_ items: [String], _ conjunction: String) -> String {
  guard items.count <= maxListed else {
    return items.prefix(maxListed).joined(separator: ", ")
      + " \(conjunction) \(items.count - maxListed) more"
  }
  guard let last = items.last, items.count > 1 else { return items.first ?? "nothing" }
  return items.dropLast().joined(separator: ", ") + " \(conjunction) " + last
}

/// The most characters of a client's text that an error repeats.
package let maxQuotedCharacters = 60

/// A client's text, cut to `maxQuotedCharacters`.
package func shortened(_ text: String) -> String {
  let end = text.unicodeScalars.index(
    text.startIndex, offsetBy: maxQuotedCharacters, limitedBy: text.endIndex)
  guard let end, end < text.endIndex else { return text }
  return String(text.unicodeScalars[..<end]) + "…"
}

/// A number and its noun, in the plural unless the number is 1.
package func counted(_ count: Int, _ noun: String) -> String {
  "\(count) \(noun)\(count == 1 ? "" : "s")"
}

/// A client's text in quotes, cut to `maxQuotedCharacters`.
package func quoted(_ text: String) -> String { "\"\(shortened(text))\"" }

/// A number as a client writes it: 3, not 3.0.
package func plain(_ number: Double) -> String {
  Int(exactly: number).map { "\($0)" } ?? "\(number)"
}

extension Float {
  /// The shortest decimal that reads back as this float, as a client writes it: 0.1, not 0.10000000149.
  package var decimal: Double { Double(description) ?? Double(self) }
}
