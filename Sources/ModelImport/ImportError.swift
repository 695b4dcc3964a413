import Glibc
import JSON
import ModelFormat
import NumPyFormat

/// Why a file was not imported: where in the file, what was found, and what to do instead.
package struct ImportError: Error, Sendable, Equatable {
  /// The file's path as given.
  package var file: String
  /// The place in the file: a node, a layer, a tensor, a byte; nil for the whole file.
  package var place: String?
  /// What was found, and why it can't be imported.
  package var problem: String
  /// What the person can do, such as another way to export the model.
  package var remedy: String?

  package init(file: String, place: String? = nil, problem: String, remedy: String? = nil) {
    self.file = file
    self.place = place
    self.problem = problem
    self.remedy = remedy
  }
}

extension ImportError: CustomStringConvertible {
  package var description: String {
    // Errors of the checks on folders name the file themselves.
    let isNamed = place == nil && problem.hasPrefix("\(file): ")
    // Lists of a hostile file have no end.
    let problem = problem.count > 2000 ? "\(problem.prefix(1000)) …" : problem
    let start = isNamed ? problem : "\(file): \(place.map { "\($0): " } ?? "")\(problem)"
    return remedy.map { "\(start); \($0)" } ?? start
  }
}

extension ImportError {
  /// An error of the checks on the model folder.
  package init(file: String, _ error: ModelError) {
    self.init(file: file, problem: "\(error)")
    switch error {
    case .tooMany("nodes", _, _): remedy = Remedy.tooManyNodes
    case .differentSteps(_, let op, let name, let found, let other, let expected):
      place = "node \(name.jsonExcerpt)"
      problem =
        "found \(op) of its steps, \(found), and of those of \(other.jsonExcerpt), \(expected): \(Remedy.whereStepsMeet)"
      remedy = Remedy.additive
    default: break
    }
  }

  package init(file: String, _ error: NumPyError) {
    self.init(file: file, problem: "\(error)")
  }

  package init(file: String, _ error: ZipError) {
    self.init(
      file: file, problem: "not a zip archive that Carousel reads: \(error)",
      remedy: Remedy.incomplete)
  }
}

/// The system's message for the error `code`.
package func errorText(_ code: Int32) -> String {
  // SAFETY: strerror gives a string that ends with a zero byte; it is copied at once.
  unsafe String(cString: strerror(code))
}
