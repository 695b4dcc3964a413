import JSON

/// The normal form of a path, which all its equivalent spellings share; routes are matched by it.
///
/// Spellings are equivalent by RFC 3986 §6.2.2: unreserved characters are not escaped, other escapes have upper-case
/// digits, dot segments are removed. Here a slash at the end is ignored, too. An escaped reserved character stays
/// escaped: `%2F` is no separator.
enum NormalizedPath {
  /// The normal form of `path`; empty, which matches no route, where `badEscape` finds a malformed escape.
  static func text(of path: String) -> String {
    if path.utf8.allSatisfy({ $0 != percent && $0 != dot }) { return withoutSlash(path) }
    guard let decoded = decoded(path) else { return "" }
    return withoutSlash(removingDotSegments(decoded))
  }

  /// The first malformed escape in `path`, a `%` without two hexadecimal digits after it; nil where there is none.
  static func badEscape(in path: String) -> String? {
    let bytes = Array(path.utf8)
    for index in bytes.indices where bytes[index] == percent && escaped(bytes, index) == nil {
      return String(decoding: bytes[index...].prefix(3), as: UTF8.self)
    }
    return nil
  }

  private static let percent = UInt8(ascii: "%")
  private static let dot = UInt8(ascii: ".")

  private static func withoutSlash(_ path: String) -> String {
    path.utf8.count > 1 && path.utf8.last == UInt8(ascii: "/") ? String(path.dropLast()) : path
  }

  /// The byte that the escape at `index` stands for; nil where it is malformed.
  private static func escaped(_ bytes: [UInt8], _ index: Int) -> UInt8? {
    guard index + 2 < bytes.count, let high = bytes[index + 1].hexadecimalValue,
      let low = bytes[index + 2].hexadecimalValue
    else { return nil }
    return high << 4 | low
  }

  /// The unreserved characters of RFC 3986 §2.3.
  private static func isUnreserved(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"):
      true
    default: "-._~".utf8.contains(byte)
    }
  }

  /// Normalises escapes by RFC 3986 §6.2.2.1 and §6.2.2.2; nil where one is malformed.
  private static func decoded(_ path: String) -> String? {
    let bytes = Array(path.utf8)
    var result: [UInt8] = []
    var index = 0
    while index < bytes.count {
      if bytes[index] != percent {
        result.append(bytes[index])
        index += 1
        continue
      }
      guard let byte = escaped(bytes, index) else { return nil }
      if isUnreserved(byte) {
        result.append(byte)
      } else {
        result += [percent] + byte.hexadecimalDigits(uppercase: true)
      }
      index += 3
    }
    return String(decoding: result, as: UTF8.self)
  }

  /// Removes dot segments by RFC 3986 §6.2.2.3 and §5.2.4.
  private static func removingDotSegments(_ path: String) -> String {
    guard path.utf8.first == UInt8(ascii: "/") else { return path }
    let segments = path.dropFirst().split(separator: "/", omittingEmptySubsequences: false)
    var kept: [Substring] = []
    for (index, segment) in segments.enumerated() {
      let isLast = index == segments.count - 1
      switch segment {
      case ".": if isLast { kept.append("") }
      case "..":
        _ = kept.popLast()
        if isLast { kept.append("") }
      default: kept.append(segment)
      }
    }
    return "/" + kept.joined(separator: "/")
  }
}
