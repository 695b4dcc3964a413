/// What stops the reading of NumPy's files, as facts; `description` is the sentence.
package enum NumPyError: Error, Sendable, Equatable {
  /// A .npy file that can't be read; `offset` is the byte where reading stopped.
  case npy(offset: Int, problem: NPYProblem)
  /// An .npz file that can't be read, where that is known by the file in it.
  case npz(entry: String?, problem: NPZProblem)

  /// The same error of a file in an archive.
  func inArchive(entry: String) -> NumPyError {
    switch self {
    case .npy(let offset, let problem):
      .npz(entry: entry, problem: .array(offset: offset, problem))
    case .npz: self
    }
  }
}

extension NumPyError: CustomStringConvertible {
  package var description: String {
    switch self {
    case .npy(let offset, let problem):
      "not a .npy file that Carousel reads: at byte \(offset), \(problem)"
    case .npz(let entry?, let problem):
      "not an .npz file that Carousel reads: \(entry): \(problem)"
    case .npz(nil, let problem): "not an .npz file that Carousel reads: \(problem)"
    }
  }
}
