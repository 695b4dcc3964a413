/// Why a NumPy file can't be read. Cases carry facts; `description` is the sentence.
package enum NumPyError: Error, Sendable, Equatable {
  /// A .npy file that can't be read; `offset` is the byte where reading stopped.
  case npy(offset: Int, problem: NPYProblem)
  /// An .npz file that can't be read; `entry` is the file in it, where the problem has one.
  case npz(entry: String?, problem: NPZProblem)

  /// The error, placed in the file `entry` of an archive.
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
