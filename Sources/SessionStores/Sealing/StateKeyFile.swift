import Cryptography
import FoundationEssentials

extension StateKey {
  /// The most keys of a file.
  static let maxCount = 100

  /// Parses a key file. Each line has a name and 32 bytes in hexadecimal digits or base64; the first key encrypts what
  /// is written. Empty lines and lines that begin with # are skipped.
  ///
  /// - Throws: what is wrong with which line, without its content, which may be a key.
  package static func keys(in text: String) throws(StateKeyFileError) -> [StateKey] {
    var keys: [StateKey] = []
    let lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
    for (index, line) in lines.enumerated() {
      let words = line.split(whereSeparator: \.isWhitespace).map(String.init)
      guard let name = words.first, !name.hasPrefix("#") else { continue }
      guard words.count == 2 else {
        throw .words(line: index + 1, found: words.count)
      }
      guard isName(name) else { throw .name(line: index + 1) }
      guard let bytes = bytes(of: words[1]), bytes.count == AuthenticatedCipher.keyByteCount else {
        throw .key(line: index + 1, name: name)
      }
      guard !keys.contains(where: { $0.name == name }) else {
        throw .twice(line: index + 1, name: name)
      }
      keys.append(StateKey(name: name, bytes: bytes))
    }
    guard (1...maxCount).contains(keys.count) else { throw .count(keys.count) }
    return keys
  }

  private static func bytes(of text: String) -> [UInt8]? {
    guard text.utf8.count == 2 * AuthenticatedCipher.keyByteCount else {
      return Data(base64Encoded: text).map { Array($0) }
    }
    var bytes: [UInt8] = []
    var digits = text[...]
    while !digits.isEmpty {
      guard digits.first?.isHexDigit ?? false, let byte = UInt8(digits.prefix(2), radix: 16) else {
        return nil
      }
      bytes.append(byte)
      digits = digits.dropFirst(2)
    }
    return bytes
  }
}

/// What is wrong with a key file. Of a line, it reveals only the number and the name.
package enum StateKeyFileError: Error, Equatable, Sendable, CustomStringConvertible {
  case words(line: Int, found: Int)
  case name(line: Int)
  case key(line: Int, name: String)
  case twice(line: Int, name: String)
  case count(Int)

  package var description: String {
    switch self {
    case .words(let line, let found):
      "line \(line): found \(found) word\(found == 1 ? "" : "s"), expected a name and a key"
    case .name(let line):
      "line \(line): found another name of a key, expected up to \(StateKey.maxNameLength) letters, digits, -, _ and ."
    case .key(let line, let name):
      "line \(line): found another key than expected behind \(name): \(AuthenticatedCipher.keyByteCount) bytes in hexadecimal digits or base64"
    case .twice(let line, let name):
      "line \(line): found a second key \(name), expected another name"
    case .count(let count):
      "found \(count) keys, expected 1 to \(StateKey.maxCount)"
    }
  }
}
