/// The tensors of a TorchScript archive as constants of a source graph, each read when it is needed.
struct ScriptWeights {
  private let file: TorchFile
  private let pickled: PickledTensors
  private let names: [PickleGraph.Reference: String]
  /// Of all of them together.
  let maxElements: Int

  init(_ file: TorchFile, fileBytes: Int) {
    self.file = file
    pickled = PickledTensors(file.graph, isBigEndian: file.isBigEndian)
    maxElements = WeightTable.maxElements(fileBytes: fileBytes)
    names = StateDict(pickled, root: file.root).references
  }

  /// The name that the state dict has for a tensor.
  func name(of reference: PickleGraph.Reference) -> String? { names[reference] }

  /// Nil where the object is no tensor.
  func constant(
    _ reference: PickleGraph.Reference, name: String, place: String
  ) throws(ImportError) -> SourceConstant? {
    let tensor: StridedTensor
    switch pickled.finding(reference) {
    case nil: return nil
    case .tensor(let found): tensor = found
    case .unreadable(let reason):
      throw ImportError(file: "", place: place, problem: "found \(name), \(reason)")
    case .quantised:
      throw ImportError(
        file: "", place: place, problem: "found \(name), which is quantised",
        remedy:
          "export the model as it was before it was quantised; \"precision\": \"int8\" in model.json makes its weights int8 here"
      )
    }
    guard let count = tensor.elementCount, count <= maxElements else {
      throw ImportError(
        file: "", place: place,
        problem: "found \(name) of shape \(tensor.shape), more than a file of this size may hold")
    }
    let kind: SourceTensor.Kind = tensor.type.isConvertible ? .float : .integer
    let file = file
    return SourceConstant(shape: tensor.shape, kind: kind) { () throws(ImportError) in
      guard let bytes = try file.bytes(of: tensor.storage), let floats = tensor.floats(from: bytes)
      else {
        throw ImportError(
          file: "", place: name,
          problem: "found too few bytes for a tensor of shape \(tensor.shape)")
      }
      if kind == .float, let index = floats.firstIndex(where: { !$0.isFinite }) {
        throw ImportError(
          file: "", place: name,
          problem: "element \(index) is \(floats[index]), expected finite weights")
      }
      return floats.map(Double.init)
    }
  }
}
