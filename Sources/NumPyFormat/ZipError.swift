/// What is wrong with a zip archive; `entry` is the file in it, where the problem has one.
package struct ZipError: Error, Sendable, Equatable {
  package let entry: String?
  package let problem: ZipProblem
}

package enum ZipProblem: Sendable, Equatable {
  case noDirectory
  case noRecord(offset: Int)
  case truncated(offset: Int)
  case strayBytes(Int, offset: Int)
  case tooManyEntries(found: Int, limit: Int)
  case twice
  case encrypted
  case method(Int)
  case notInflated
  case size(found: Int, expected: Int)
  case checksum
}

extension ZipError: CustomStringConvertible {
  package var description: String { entry.map { "\($0): \(problem)" } ?? "\(problem)" }
}

extension ZipProblem: CustomStringConvertible {
  package var description: String {
    switch self {
    case .noDirectory: "found no directory at the end of the archive"
    case .noRecord(let offset): "found no record of an archive at byte \(offset)"
    case .truncated(let offset):
      "the archive ends before byte \(offset), where more should follow"
    case .strayBytes(let count, let offset):
      "found \(count) bytes at byte \(offset) that belong to no file of the archive"
    case .tooManyEntries(let found, let limit): "found \(found) files, at most \(limit) are read"
    case .twice: "the archive has two files of this name"
    case .encrypted: "the file is encrypted"
    case .method(let method):
      "found compression method \(method), expected 0 (stored) or 8 (deflated)"
    case .notInflated: "the file can't be inflated, or is larger than the archive says"
    case .size(let found, let expected): "found \(found) bytes, expected \(expected)"
    case .checksum: "the checksum does not match"
    }
  }
}
