/// What is wrong with an .npz file.
enum NPZProblem: Equatable {
  case noDirectory
  case noRecord(offset: Int)
  case truncated(offset: Int)
  case strayBytes(Int, offset: Int)
  case tooManyEntries(found: Int, limit: Int)
  case notNPY
  case twice
  case encrypted
  case method(Int)
  case tooLarge(bytes: Int, limit: Int)
  case notInflated
  case size(found: Int, expected: Int)
  case checksum
  /// The file is one, and no array that is read.
  case array(offset: Int, NPYProblem)
}

extension NPZProblem: CustomStringConvertible {
  var description: String {
    switch self {
    case .noDirectory: "found no directory at the end of the archive"
    case .noRecord(let offset): "found no record of an archive at byte \(offset)"
    case .truncated(let offset):
      "the archive ends before byte \(offset) and what should stand there"
    case .strayBytes(let count, let offset):
      "found \(count) bytes at byte \(offset) that belong to no file of the archive"
    case .tooManyEntries(let found, let limit): "found \(found) files, at most \(limit) are read"
    case .notNPY: "the file is no .npy file by its name"
    case .twice: "the name stands there twice"
    case .encrypted: "the file is encrypted"
    case .method(let method):
      "found compression method \(method), expected 0 (stored) or 8 (deflated)"
    case .tooLarge(let bytes, let limit):
      "the array takes \(bytes) bytes, \(limit) are allowed for all"
    case .notInflated: "the file can't be inflated, or to more than the archive says"
    case .size(let found, let expected): "found \(found) bytes, expected \(expected)"
    case .checksum: "the checksum is another"
    case .array(let offset, let problem): "at byte \(offset) of it, \(problem)"
    }
  }
}
