import FoundationEssentials
import JSON

/// `value` as JSON for people and scripts: indented, keys sorted.
func prettyJSON(_ value: some Encodable) throws -> String {
  try json(value, [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes])
}

/// `value` as JSON on one line, keys sorted.
func lineJSON(_ value: some Encodable) throws -> String {
  try json(value, [.sortedKeys, .withoutEscapingSlashes])
}

private func json(
  _ value: some Encodable, _ formatting: JSONEncoder.OutputFormatting
) throws -> String {
  let encoder = JSONEncoder()
  encoder.outputFormatting = formatting
  return String(decoding: try encoder.encode(value), as: UTF8.self).printableJSON
}

extension String {
  /// JSON with characters that control a terminal escaped. Line ends stay: they are between values, not in strings.
  var printableJSON: String {
    split(separator: "\n", omittingEmptySubsequences: false).map(\.description.printable)
      .joined(separator: "\n")
  }
}
