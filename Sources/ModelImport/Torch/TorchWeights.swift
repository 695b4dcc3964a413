import ModelFormat

extension WeightTable {
  /// The tensors of a file of `torch.save` or `pickle.dump`.
  ///
  /// - Parameter hasGraph: whether the person gave a graph; without one, a module that was saved whole is refused.
  init(torch file: TorchFile, fileBytes: Int, hasGraph: Bool) throws(ImportError) {
    self.init(file: file.path)
    let pickled = PickledTensors(file.graph, isBigEndian: file.isBigEndian)
    let state = StateDict(pickled, root: file.root)
    if let name = state.quantised {
      throw ImportError(
        file: file.path, place: name, problem: "the weights are quantised",
        remedy:
          "save them as they were before: torch.save(model.state_dict(), 'weights.pt') ahead of "
          + "quantize_dynamic; \"precision\": \"int8\" in model.json then makes them int8 here")
    }
    if let object = state.object, !hasGraph || object.module == nil {
      let step = object.module.map { ", with a module in its attribute \($0.step)" } ?? ""
      throw ImportError(
        file: file.path,
        problem: "found an object of \(object.className)\(step), expected a model's weights",
        remedy: object.remedy(path: file.path, isOfTorch: file.isOfTorch))
    }
    guard !state.tensors.isEmpty else {
      throw ImportError(
        file: file.path,
        problem: state.unreadable.first.map { "\($0.name) is \($0.reason)" }
          ?? (state.passedOver.isEmpty
            ? "found no tensors" : "found no weights beside \(excerpt(state.passedOver))"),
        remedy: "torch.save(model.state_dict(), 'weights.pt') writes a file that has them")
    }
    let names = state.tensors.map(\.name)
    guard !names.allSatisfy({ name in Self.optimizerParts.contains { name.hasSuffix($0) } }) else {
      throw ImportError(
        file: file.path,
        problem: "found the state of an optimizer alone, expected the model's weights",
        remedy: "torch.save(model.state_dict(), 'weights.pt') writes them")
    }
    guard names != [""] else {
      throw ImportError(
        file: file.path, problem: "found one tensor without a name, expected a model's weights",
        remedy: "torch.save(model.state_dict(), 'weights.pt') writes them with their names")
    }
    if let name = state.moduleClass {
      guard hasGraph else {
        throw ImportError(
          file: file.path,
          problem:
            "found a whole module (\(name)), as torch.save(model, …) writes it: its code is not in the file, and code would not be run",
          remedy: Self.moduleRemedy)
      }
      notes.append(
        "a whole module was saved (\(name)), whose code is not in the file: its weights alone were read; "
          + "torch.save(model.state_dict(), 'weights.pt') saves just these")
    }
    if !state.passedOver.isEmpty { notes.append("passed over: \(excerpt(state.passedOver))") }
    for (key, scaler) in ForeignPickle.scalers(in: file) {
      let name = file.graph.globalName(scaler).flatMap { $0.split(separator: ".").last } ?? ""
      notes.append(
        "\(key) of the checkpoint is scikit-learn's \(name), which is not read: "
          + ForeignPickle.beside(of: file.path, step: "['\(key)']"))
    }
    texts = CheckpointTexts.lists(in: file)
    weights = try Self.read(state.tensors, of: file, fileBytes: fileBytes)
    unread = state.unreadable.filter { $0.reason != PickledTensors.noNumbers }
    if let (name, reason) = state.unreadable.first { notes.append("\(name) is \(reason)") }
  }

  /// The ends of the names in an optimizer's state (Adam, RMSprop, SGD with momentum).
  private static let optimizerParts = [
    ".exp_avg", ".exp_avg_sq", ".max_exp_avg_sq", ".momentum_buffer", ".square_avg", ".step",
  ]

  private static let moduleRemedy =
    "where the module can be loaded, export it with its graph, torch.onnx.export(model.eval(), (example,), 'model.onnx', dynamo=True), "
    + "or its weights, torch.save(model.state_dict(), 'weights.pt'); with --graph model.json this file's weights are read"

  /// Reads each storage once, with all tensors that are views of it.
  private static func read(
    _ tensors: [(name: String, tensor: StridedTensor)], of file: TorchFile, fileBytes: Int
  ) throws(ImportError) -> [Weight] {
    var places: [StridedTensor.Storage: [Int]] = [:]
    var order: [StridedTensor.Storage] = []
    var room = maxElements(fileBytes: fileBytes)
    for (place, (name, tensor)) in tensors.enumerated() {
      guard let count = tensor.elementCount, count <= room else {
        throw ImportError(
          file: file.path, place: name,
          problem: "found a tensor of shape \(tensor.shape), more than a file of this size may hold"
        )
      }
      room -= count
      if places[tensor.storage] == nil { order.append(tensor.storage) }
      places[tensor.storage, default: []].append(place)
    }
    var weights: [Weight?] = Array(repeating: nil, count: tensors.count)
    for storage in order {
      let bytes = try file.bytes(of: storage)
      for place in places[storage] ?? [] {
        let (name, tensor) = tensors[place]
        guard let bytes, let floats = tensor.floats(from: bytes) else {
          throw ImportError(
            file: file.path, place: name,
            problem: "found \(bytes.map { "\($0.count) bytes" } ?? "no data") for a tensor of "
              + "\(tensor.type.rawValue) of shape \(tensor.shape), strides \(tensor.strides) and offset \(tensor.offset)",
            remedy: Remedy.incomplete)
        }
        weights[place] = Weight(
          name: name, shape: tensor.shape, floats: floats, isWhole: !tensor.type.isConvertible)
      }
    }
    return weights.compactMap { $0 }
  }
}
