extension SourceNode {
  /// Why a graph with this node isn't carried.
  ///
  /// - Parameters:
  ///   - found: what the node has that can't be carried.
  ///   - reason: why not, a sentence without a subject of its own.
  ///   - remedy: what to do instead.
  func refusal(_ found: String, because reason: String, instead remedy: String? = nil)
    -> ImportError
  {
    ImportError(file: "", place: place, problem: "found \(found): \(reason)", remedy: remedy)
  }

  /// Where the node is, for errors.
  var place: String { "node \"\(name.prefix(200))\" (\(op))" }
}

extension ImportError {
  /// The error with the file that it is of.
  func of(_ file: String) -> ImportError {
    var error = self
    if error.file.isEmpty { error.file = file }
    return error
  }
}
