import JSON
import ModelFormat

/// Recurrent layers of one direction.
enum KerasRecurrentLayers {
  static let all = [
    KerasLayerKind(
      "LSTM", "GRU", "SimpleRNN", "CuDNNLSTM", "CuDNNGRU", "RNN",
      weights: { count($0) }, translate: recurrent)
  ]

  private static func recurrent(
    _ translation: inout KerasTranslation, _ given: KerasCall
  ) throws(ImportError) -> [KerasValue] {
    let call = try KerasFrameSteps.sequence(&translation, given)
    let network = try KerasNetwork(call)
    return try network.outputs(
      of: network.run(&translation, call, reverse: network.isReverse), &translation, call)
  }

  static func count(_ layer: KerasLayer) -> KerasWeightCount {
    KerasWeightCount(
      trained: ((try? KerasNetwork.cells(of: layer)) ?? []).reduce(0) { $0 + $1.weightCount })
  }
}

/// The stacked cells of a recurrent layer, and the values that it returns.
struct KerasNetwork {
  let layer: KerasLayer
  let cells: [KerasCell]
  let isReverse: Bool
  let returnsSequences: Bool
  let returnsState: Bool
  /// Whether the result at a masked step is zeros.
  var answersZeros: Bool

  init(_ call: KerasCall) throws(ImportError) { try self.init(call.layer) }

  init(_ layer: KerasLayer) throws(ImportError) {
    self.layer = layer
    cells = try Self.cells(of: layer)
    isReverse = try layer.bool("go_backwards")
    returnsSequences = try layer.bool("return_sequences")
    returnsState = try layer.bool("return_state")
    answersZeros = try layer.bool("zero_output_for_mask")
    if try layer.bool("time_major") {
      throw layer.refusal(
        "time_major: found true, expected sequences with the batch first",
        remedy:
          "build the model with time_major=False, and give it the weights: new.set_weights(model.get_weights())"
      )
    }
  }

  /// The cells of an RNN layer.
  static func cells(of layer: KerasLayer) throws(ImportError) -> [KerasCell] {
    if let cell = try KerasCell(layer) { return [cell] }
    guard let inner = try layer.layer("cell") else { throw KerasLayerTable.refusal(of: layer) }
    var layers = [inner]
    if inner.className == "StackedRNNCells" {
      layers = []
      for value in inner["cells"]?.elements ?? [] {
        layers.append(try KerasLayer(value, in: inner.path, source: layer.source))
      }
    }
    var cells: [KerasCell] = []
    for layer in layers {
      guard let cell = try KerasCell(layer) else { throw KerasLayerTable.refusal(of: layer) }
      cells.append(cell)
    }
    guard !cells.isEmpty else { throw inner.refusal("found no cells, expected one or more") }
    return cells
  }

  /// The weights of each cell.
  func weights(of cells: [KerasCell], in weights: KerasWeights) -> [KerasWeights] {
    // cuDNN's classes have no cell, so the weights are the layer's.
    guard !cells[0].isCuDNN else { return [weights] }
    guard layer["cell"]?["class_name"]?.string == "StackedRNNCells" else {
      return [weights.has("cell") ? weights.part("cell") : weights]
    }
    var counts: [String: Int] = [:]
    var first = 0
    return cells.map { cell in
      let name = KerasWeightStore.snakeCase(cell.layer.className)
      let count = counts[name, default: 0]
      counts[name] = count + 1
      let range = first..<(first + cell.weightCount)
      first = range.upperBound
      return weights.part(
        "cell/cells/\(count == 0 ? name : "\(name)_\(count)")", weights: range)
    }
  }

  // MARK: Nodes

  /// Returns the sequence of the last cell, and the name of each cell's node.
  struct Result {
    var sequence: KerasValue
    var nodes: [String]
  }

  /// Adds a node for each cell. The steps of a reverse cell are in the input's order.
  func run(
    _ translation: inout KerasTranslation, _ call: KerasCall, reverse: Bool
  ) throws(ImportError) -> Result {
    guard let given = call.inputs.first else { throw layer.refusal("found no input") }
    var value = try KerasMaskNodes.named(given, for: call, &translation)
    let (first, _) = try call.sequence(value)
    var states = call.inputs.dropFirst() + (call["initial_state"]?.values ?? [])
    let mask = try mask(of: value, hasStates: !states.isEmpty, &translation, call)
    var size = first
    let (prefix, isNew) = translation.names.prefix(of: layer, name: call.name)
    let cellWeights = weights(of: cells, in: call.weights)
    var nodes: [String] = []
    for (index, cell) in cells.enumerated() {
      let cellPrefix = cells.count == 1 ? prefix : "\(prefix).\(index)"
      if isNew {
        try cell.addTensors(
          to: &translation, prefix: cellPrefix, suffix: "l0", inputs: size,
          weights: cellWeights[index])
      }
      var inputs: [KerasValue?] = [value]
      for _ in 0..<(states.isEmpty ? 0 : cell.kind == .lstm ? 2 : 1) {
        inputs.append(try state(states.popFirst(), units: cell.units, &translation, call))
      }
      let name = try translation.add(
        cell.op(direction: reverse ? .reverse : nil, maskedOutput: maskedOutput(mask)), inputs,
        for: call, part: nodePart(ofCell: index), weights: cellPrefix, mask: mask)
      nodes.append(name)
      value = value.with(name: name, axes: [value.axes[0], .size(cell.units)])
      size = cell.units
    }
    guard states.isEmpty else {
      throw layer.refusal("found \(states.count) initial states too many")
    }
    return Result(sequence: value, nodes: nodes)
  }

  /// The node of the mask by which the layer passes over steps. Keras 3 gives a layer the mask of its input only if that is its
  /// only tensor; the mask of the result is the input's all the same.
  private func mask(
    of value: KerasValue, hasStates: Bool, _ translation: inout KerasTranslation, _ call: KerasCall
  ) throws(ImportError) -> String? {
    guard hasStates, layer.source.version == 3, value.mask != nil, call["mask"] == nil else {
      return try translation.maskNode(of: value, for: call)
    }
    translation.note(
      "\(layer.place) is called with initial_state and without mask: as in Keras 3, it does not pass over masked steps, as it "
        + "did in Keras 2; if it should, call it with mask=embedding.compute_mask(ids) and save the model again"
    )
    return nil
  }

  /// The answer at masked steps: zeros, if the layer asks for them.
  func maskedOutput(_ mask: String?) -> MaskedOutput? {
    mask != nil && answersZeros ? .zero : nil
  }

  /// The last node has the layer's name if it is the layer's result.
  private func nodePart(ofCell index: Int) -> String? {
    if index == cells.count - 1, returnsSequences, !isReverse { return nil }
    return cells.count == 1 ? "steps" : "steps.\(index)"
  }

  private func state(
    _ value: KerasValue?, units: Int, _ translation: inout KerasTranslation, _ call: KerasCall
  ) throws(ImportError) -> KerasValue {
    guard let value else { throw layer.refusal("found too few initial states") }
    guard value.axes == [.size(units)] else {
      throw call.refusal(of: value, expected: "an initial state of (\(units))")
    }
    return try translation.spreadOut(value, for: call)
  }

  /// The layer's results: all steps or the last, and the final states if asked for.
  func outputs(
    of result: Result, _ translation: inout KerasTranslation, _ call: KerasCall
  ) throws(ImportError) -> [KerasValue] {
    var outputs = [try output(of: result, reverse: isReverse, &translation, call)]
    if returnsState { outputs += states(of: result) }
    return outputs
  }

  /// Keras returns the steps of a reverse network in the order in which it read them.
  func output(
    of result: Result, reverse: Bool, _ translation: inout KerasTranslation, _ call: KerasCall
  ) throws(ImportError) -> KerasValue {
    let steps = result.sequence
    var value = steps
    switch (returnsSequences, reverse) {
    case (true, false): return steps
    case (true, true):
      return try translation.map(.reverse, steps, for: call)
    case (false, false):
      value = steps.with(name: try translation.add(.last, [steps], for: call))
    case (false, true):
      value = steps.with(name: try translation.add(.first, [steps], for: call))
    }
    value.axes = [steps.axes[1]]
    value.mask = nil
    return value
  }

  /// The final h of each cell, and the final c of an lstm.
  func states(of result: Result) -> [KerasValue] {
    zip(cells, result.nodes).flatMap { cell, node in
      let names = cell.kind == .lstm ? ["\(node).hidden", "\(node).cell"] : ["\(node).hidden"]
      return names.map { KerasValue(name: $0, axes: [.size(cell.units)]) }
    }
  }
}
