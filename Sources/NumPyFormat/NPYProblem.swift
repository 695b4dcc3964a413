/// What is wrong with a .npy file.
package enum NPYProblem: Sendable, Equatable {
  case notNPY
  case version(major: UInt8, minor: UInt8)
  case truncated(expected: Int, found: Int)
  case headerTooLong(bytes: Int, limit: Int)
  case syntax(expected: String)
  case key(String)
  case missingKey(String)
  case elementType(String)
  case shapeTooLarge
  case tooManyAxes(found: Int, limit: Int)
  case emptyAxis
  case trailingBytes(Int)
  case notFinite(element: Int)
  case notWhole(element: Int)
  case tokenRange(element: Int, found: Double, size: Int)
}

extension NPYProblem: CustomStringConvertible {
  package var description: String {
    switch self {
    case .notNPY: "found no \"\\x93NUMPY\""
    case .version(let major, let minor): "found version \(major).\(minor), expected 1.0, 2.0 or 3.0"
    case .truncated(let expected, let found): "found \(found) bytes, expected \(expected)"
    case .headerTooLong(let bytes, let limit):
      "the header is \(bytes) bytes long, \(limit) are allowed"
    case .syntax(let expected): "expected \(expected)"
    case .key(let key): "unknown or repeated key '\(key)'"
    case .missingKey(let key): "the header has no '\(key)'"
    case .elementType(let type):
      "elements are '\(type)', expected little-endian floats, integers or booleans (astype(\"<f4\") makes them so)"
    case .shapeTooLarge: "the shape has more elements than memory could hold"
    case .tooManyAxes(let found, let limit):
      "the array has \(found) axes, at most \(limit) are read"
    case .emptyAxis: "an axis has length 0"
    case .trailingBytes(let count): "\(count) bytes behind the data"
    case .notFinite(let element): "element \(element) is not a finite number"
    case .notWhole(let element): "element \(element) is no whole number, as an id is"
    case .tokenRange(let element, let found, let size):
      "element \(element) is \(Int(exactly: found).map { "\($0)" } ?? "\(found)"), expected a token id, a whole number from 0 to \(size - 1)"
    }
  }
}
