import ModelFormat
import NumPyFormat

/// Why a file was not turned into a model folder: where in it, what was found there, and what to do instead.
package struct ImportError: Error, Sendable, Equatable {
  /// The file, as it was named.
  package var file: String
  /// Where in the file: a node, a layer, a tensor, a byte. Nil: the file as a whole.
  package var place: String?
  /// What was found, and why it can't be carried.
  package var problem: String
  /// What the person can do: the line that exports the model otherwise, say.
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
    let start = place.map { "\(file): \($0): \(problem)" } ?? "\(file): \(problem)"
    return remedy.map { "\(start); \($0)" } ?? start
  }
}

extension ImportError {
  /// What the model folder's own checks say of what would be written.
  package init(file: String, _ error: ModelError) {
    self.init(file: file, problem: "\(error)")
  }

  package init(file: String, _ error: NumPyError) {
    self.init(file: file, problem: "\(error)")
  }

  package init(file: String, _ error: ZipError) {
    self.init(file: file, problem: "not a zip archive that Carousel reads: \(error)")
  }
}
