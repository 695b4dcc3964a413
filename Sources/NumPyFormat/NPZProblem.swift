/// What is wrong with an .npz file.
package enum NPZProblem: Sendable, Equatable {
  case zip(ZipProblem)
  case notNPY
  case tooLarge(bytes: Int, limit: Int)
  /// The file is a .npy file with a problem; `offset` counts from its start.
  case array(offset: Int, NPYProblem)
}

extension NPZProblem: CustomStringConvertible {
  package var description: String {
    switch self {
    case .zip(let problem): problem.description
    case .notNPY: "the file is no .npy file by its name"
    case .tooLarge(let bytes, let limit):
      "the array takes \(bytes) bytes, \(limit) are allowed for all"
    case .array(let offset, let problem): "at byte \(offset) of it, \(problem)"
    }
  }
}
