import JSON

/// A path in the one form that all its spellings share, by which routes are told apart.
///
/// What RFC 3986 §6.2.2 calls equivalent is: unreserved characters stand as they are, digits of other escapes are
/// upper case, dot segments are removed. Here a slash at the end means nothing either. An escape of a reserved
/// character stays: `%2F` is no separator.
enum NormalizedPath {
  /// The form of `path`; empty, which is no path, where `badEscape` finds something in it.
  static func text(of path: String) -> String {
    if path.utf8.allSatisfy({ $0 != percent && $0 != dot }) { return withoutSlash(path) }
    guard let decoded = decoded(path) else { return "" }
    return withoutSlash(removingDotSegments(decoded))
  }

  /// What stands in `path` in place of a `%` with two hexadecimal digits, if anything does.
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

  /// The byte that the escape at `index` stands for.
  private static func escaped(_ bytes: [UInt8], _ index: Int) -> UInt8? {
    guard index + 2 < bytes.count, let high = bytes[index + 1].hexadecimalValue,
      let low = bytes[index + 2].hexadecimalValue
    else { return nil }
    return high << 4 | low
  }

  /// RFC 3986 §2.3.
  private static func isUnreserved(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"):
      true
    default: "-._~".utf8.contains(byte)
    }
  }

  /// RFC 3986 §6.2.2.1 and §6.2.2.2; nil where an escape is none.
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

  /// RFC 3986 §6.2.2.3, by §5.2.4.
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
