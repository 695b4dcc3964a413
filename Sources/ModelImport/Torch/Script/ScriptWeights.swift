/// The tensors of a TorchScript archive as constants of a source graph, read on demand.
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

  /// A tensor's name in the state dict.
  func name(of reference: PickleGraph.Reference) -> String? { names[reference] }

  /// The constant of an object; nil if it is not a tensor.
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
    let file = file
    return tensor.constant(name: name) { () throws(ImportError) in
      try file.bytes(of: tensor.storage)
    }
  }
}
