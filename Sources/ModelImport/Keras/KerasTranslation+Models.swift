import JSON
import ModelFormat

extension KerasTranslation {
  /// Translates a model for `inputs`, a value for each of its inputs, and returns its outputs.
  mutating func run(
    _ model: KerasModel, in container: KerasWeightStore.Container, inputs: [KerasValue]
  ) throws(ImportError) -> [KerasValue] {
    guard inputs.count == model.inputs.count else {
      throw model.layer.refusal(
        "found \(inputs.count) inputs, expected \(model.inputs.count)")
    }
    let weights = try store.weights(of: model, in: container)
    var run = KerasRun(model)
    for (name, value) in zip(model.inputs, inputs) { run.setInput(name, to: value) }
    while let ready = run.next() {
      let entry = model.layers[ready.layer]
      let call = KerasCall(
        layer: entry.layer, name: nodeName(of: entry.layer), weights: weights[ready.layer],
        arguments: ready.arguments, named: ready.named)
      run.record(try self.call(call), of: ready)
    }
    return try run.outputs()
  }

  /// A nested model's inputs in its own order: a dictionary has them by name.
  private static func inputs(
    _ call: KerasCall, of model: KerasModel
  ) throws(ImportError) -> [KerasValue] {
    guard case .dictionary(let keys, let members)? = call.arguments.first else {
      return call.inputs
    }
    var inputs: [KerasValue] = []
    for name in model.inputKeys ?? model.inputs {
      guard let values = keys.firstIndex(of: name).map({ members[$0].values }), values.count == 1
      else {
        throw call.layer.refusal(
          "found no input \(name.jsonExcerpt) in what the model is called with")
      }
      inputs += values
    }
    return inputs
  }

  /// The name of a layer's node: the layer's, with the names of surrounding models before it.
  private func nodeName(of layer: KerasLayer) -> String {
    String(layer.path.map { $0 == "/" ? "." : $0 })
  }

  /// Translates a call of a layer, and returns its results.
  mutating func call(_ call: KerasCall) throws(ImportError) -> [KerasValue] {
    let layer = call.layer
    try countCall(of: layer)
    try KerasTraining.check(&self, call)
    KerasPrecision.check(&self, layer)
    if layer.isModel {
      let model = try KerasModel(layer)
      let results = try run(
        model, in: KerasWeightStore.container(of: call.weights),
        inputs: Self.inputs(call, of: model))
      // Keras counts the outputs of a dictionary in the order of its keys.
      guard let keys = model.outputKeys else { return results }
      return keys.indices.sorted { keys[$0] < keys[$1] }.map { results[$0] }
    }
    guard let kind = KerasLayerTable.kind(of: layer) else {
      throw KerasLayerTable.refusal(of: layer)
    }
    let results = try KerasChannelsFirst.translate(kind, &self, call)
    for result in results { try result.check(layer) }
    return results
  }
}

/// The calls of a model's layers in an order in which each comes after the calls whose results it uses.
struct KerasRun {
  private let model: KerasModel
  private var results: [String: [Int: [KerasValue]]] = [:]
  /// The indices of layers and calls that are left.
  private var pending: [(layer: Int, call: Int)] = []

  /// A call whose arguments are known.
  struct Ready {
    let layer: Int
    let call: Int
    let arguments: [KerasCall.Operand]
    let named: [(key: String, value: KerasCall.Operand)]
  }

  init(_ model: KerasModel) {
    self.model = model
    for (index, entry) in model.layers.enumerated() {
      guard entry.layer.className != "InputLayer" else { continue }
      for call in entry.calls.indices { pending.append((index, call)) }
    }
  }

  mutating func setInput(_ name: String, to value: KerasValue) {
    results[name] = [0: [value]]
  }

  /// The first call whose arguments are known; nil if there is none.
  mutating func next() -> Ready? {
    for (place, (layer, index)) in pending.enumerated() {
      let call = model.layers[layer].calls[index]
      guard let arguments = operands(call.arguments),
        let named = operands(call.named.map(\.value))
      else { continue }
      pending.remove(at: place)
      return Ready(
        layer: layer, call: index, arguments: arguments,
        named: zip(call.named, named).map { ($0.key, $1) })
    }
    return nil
  }

  mutating func record(_ values: [KerasValue], of ready: Ready) {
    let entry = model.layers[ready.layer]
    results[entry.layer.name, default: [:]][ready.call] = values
  }

  private func operands(_ arguments: [KerasModel.Argument]) -> [KerasCall.Operand]? {
    var operands: [KerasCall.Operand] = []
    for argument in arguments {
      guard let operand = operand(argument) else { return nil }
      operands.append(operand)
    }
    return operands
  }

  private func operand(_ argument: KerasModel.Argument) -> KerasCall.Operand? {
    switch argument {
    case .constant(let value): .constant(value)
    case .tensor(let tensor): value(tensor).map { .value($0) }
    case .list(let arguments): operands(arguments).map { .list($0) }
    case .dictionary(let keys, let values):
      operands(values).map { .dictionary(keys: keys, $0) }
    }
  }

  private func value(_ tensor: KerasModel.Tensor) -> KerasValue? {
    guard let values = results[tensor.layer]?[tensor.call], values.indices.contains(tensor.output)
    else {
      return nil
    }
    return values[tensor.output]
  }

  func outputs() throws(ImportError) -> [KerasValue] {
    var values: [KerasValue] = []
    for output in model.outputs {
      guard let value = value(output) else {
        throw model.layer.refusal(
          "the output \(output.output) of call \(output.call) of \(output.layer.jsonExcerpt) "
            + "follows from no input: the graph has a cycle, or names a layer that it doesn't have")
      }
      values.append(value)
    }
    return values
  }
}
