extension SourceNode {
  /// The error that a graph with this node can't be imported.
  ///
  /// - Parameters:
  ///   - found: what the node has that is not supported.
  ///   - reason: why not; a sentence without a subject.
  ///   - remedy: what to do instead.
  func refusal(_ found: String, because reason: String, instead remedy: String? = nil)
    -> ImportError
  {
    ImportError(file: "", place: place, problem: "found \(found): \(reason)", remedy: remedy)
  }

  /// The name for a recurrent node: the module's, if the exporter kept it, else the operator's.
  var recurrentName: String {
    let parts = name.split(separator: "/").filter { !$0.isEmpty }
    if name.hasPrefix("/"), parts.count > 1 { return parts.dropLast().joined(separator: ".") }
    return op.lowercased()
  }

  /// Whether the node is part of a write over steps or elements.
  var isOfWrite: Bool { op == "ScatterElements" || integer("isOfWrite") == 1 }

  /// The attributes of PyTorch's divisions, which are not ONNX's: of whole numbers that rounds towards 0.
  static let trueDivision: [String: SourceAttribute] = ["division": .text("true")]
  static let floorDivision: [String: SourceAttribute] = ["division": .text("floor")]

  var isTrueDivision: Bool { text("division", default: "") == "true" }
  var isFloorDivision: Bool { text("division", default: "") == "floor" }

  /// The node's place, for errors.
  var place: String { "node \"\(name.prefix(200))\" (\(op))" }
}

extension ImportError {
  /// The error with its file.
  func of(_ file: String) -> ImportError {
    var error = self
    if error.file.isEmpty { error.file = file }
    return error
  }
}
