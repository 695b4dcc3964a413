import JSON
import ModelFormat

/// Wrapper layers: Bidirectional, TimeDistributed.
enum KerasWrapperLayers {
  static let all = [
    KerasLayerKind(
      "Bidirectional",
      weights: { layer in
        guard let forward = try? layer.layer("layer") else { return KerasWeightCount() }
        let backward = (try? layer.layer("backward_layer")) ?? forward
        return KerasRecurrentLayers.count(forward) + KerasRecurrentLayers.count(backward)
      }, translate: bidirectional),
    KerasLayerKind(
      "TimeDistributed",
      weights: { layer in
        (try? layer.layer("layer")).map { KerasLayerTable.weightCount(of: $0) }
          ?? KerasWeightCount()
      }, translate: timeDistributed),
    KerasLayerKind(
      "SpectralNormalization",
      weights: { layer in
        ((try? layer.layer("layer")).map { KerasLayerTable.weightCount(of: $0) }
          ?? KerasWeightCount()) + KerasWeightCount(fixed: 1)
      }, translate: spectrallyNormalised),
  ]

  // MARK: Bidirectional

  private static func bidirectional(
    _ translation: inout KerasTranslation, _ given: KerasCall
  ) throws(ImportError) -> [KerasValue] {
    let call = try KerasFrameSteps.sequence(&translation, given)
    let layer = call.layer
    guard let inner = try layer.layer("layer") else { throw layer.refusal("found no layer inside") }
    var other = try layer.layer("backward_layer") ?? inner
    if other.path == inner.path { other.path += ".backward" }
    var forward = try KerasNetwork(inner)
    var backward = try KerasNetwork(other)
    // Keras decides this for Bidirectional, whatever the layers say.
    forward.answersZeros = forward.returnsSequences && layer.source.answersZeros
    backward.answersZeros = forward.answersZeros
    let mode: String? =
      layer["merge_mode"] == nil && layer.members.contains { $0.key == "merge_mode" }
      ? nil : try layer.text("merge_mode") ?? "concat"
    let count = KerasRecurrentLayers.count(inner).total
    let halves = [
      call.weights.part("forward_layer", weights: 0..<count),
      call.weights.part(
        "backward_layer", weights: count..<(count + KerasRecurrentLayers.count(other).total)),
    ]
    if let values = try together(&translation, call, forward, backward, mode, halves) {
      return values
    }
    // A node for each direction; each takes half of the initial states.
    let states = Array(call.inputs.dropFirst()) + (call["initial_state"]?.values ?? [])
    guard let value = call.inputs.first, states.count % 2 == 0 else {
      throw layer.refusal("found \(states.count) initial states, expected an even number")
    }
    let half = states.count / 2
    var calls: [KerasCall] = []
    for (index, network) in [forward, backward].enumerated() {
      var one = call.inside(
        network.layer, weights: halves[index],
        name: "\(call.name).\(index == 0 ? "forward" : "backward")",
        arguments: [.value(value)]
          + states[(index * half)..<((index + 1) * half)].map { .value($0) })
      one.named = []
      if let mask = call["mask"] { one.named = [("mask", mask)] }
      calls.append(one)
    }
    let first = try forward.run(&translation, calls[0], reverse: false)
    let second = try backward.run(&translation, calls[1], reverse: true)
    let values = [answer(of: first, forward), answer(of: second, forward)]
    var outputs = try merged(values, mode, &translation, call)
    if forward.returnsState { outputs += forward.states(of: first) + backward.states(of: second) }
    return outputs
  }

  /// A single node with two directions, if that is enough for all results; else nil.
  private static func together(
    _ translation: inout KerasTranslation, _ call: KerasCall, _ forward: KerasNetwork,
    _ backward: KerasNetwork, _ mode: String?, _ halves: [KerasWeights]
  ) throws(ImportError) -> [KerasValue]? {
    guard mode == "concat", !forward.returnsState, call.inputs.count == 1,
      call["initial_state"] == nil, forward.cells.count == 1, backward.cells.count == 1
    else { return nil }
    let (cell, other) = (forward.cells[0], backward.cells[0])
    guard cell.kind == other.kind, cell.units == other.units, cell.biasCount == other.biasCount,
      cell.isResetAfter == other.isResetAfter
    else { return nil }
    let value = try KerasMaskNodes.named(try call.input(), for: call, &translation)
    let (size, _) = try call.sequence(value)
    let mask = try translation.maskNode(of: value, for: call)
    let (prefix, isNew) = translation.names.prefix(of: call.layer, name: call.name)
    if isNew {
      let sides = zip([forward, backward], zip(["l0", "l0_reverse"], halves))
      for (network, (suffix, weights)) in sides {
        try network.cells[0].addTensors(
          to: &translation, prefix: prefix, suffix: suffix, inputs: size,
          weights: network.weights(of: network.cells, in: weights)[0])
      }
    }
    let name = try translation.add(
      cell.op(backward: other, maskedOutput: forward.maskedOutput(mask)), [value], for: call,
      part: forward.returnsSequences ? nil : "steps", weights: prefix, mask: mask)
    if forward.returnsSequences {
      return [value.with(name: name, axes: [value.axes[0], .size(2 * cell.units)])]
    }
    // The last step of the forward direction, and the first, which the other direction reads last.
    return [KerasValue(name: "\(name).hidden", axes: [.size(2 * cell.units)])]
  }

  /// The steps in the input's order, or the final state.
  private static func answer(
    of result: KerasNetwork.Result, _ network: KerasNetwork
  ) -> KerasValue {
    let steps = result.sequence
    if network.returnsSequences { return steps }
    return KerasValue(name: "\(result.nodes[result.nodes.count - 1]).hidden", axes: [steps.axes[1]])
  }

  private static func merged(
    _ values: [KerasValue], _ mode: String?, _ translation: inout KerasTranslation,
    _ call: KerasCall
  ) throws(ImportError) -> [KerasValue] {
    guard let mode else { return values }
    guard mode == "concat" || values[0].size == values[1].size else {
      throw call.layer.refusal(
        "found \(values[0].size) and \(values[1].size) units, expected as many of each for \(mode)")
    }
    let first = values[0]
    switch mode {
    case "concat":
      var axes = first.axes
      axes[axes.count - 1] = .size(first.size + values[1].size)
      return [first.with(name: try translation.add(.concat, values, for: call), axes: axes)]
    case "sum": return [try translation.combine(.add, values, as: first, for: call)]
    case "mul": return [try translation.combine(.multiply, values, as: first, for: call)]
    case "ave":
      let sum = try translation.combine(.add, values, as: first, for: call, part: "sum")
      return [try translation.map(.affine(scale: [0.5], shift: nil), sum, for: call)]
    default:
      throw call.layer.refusal(
        "merge_mode: found \(mode.jsonExcerpt), expected concat, sum, mul, ave or none")
    }
  }

  /// The inner layer alone: the norm of its weights is that which they were saved with.
  private static func spectrallyNormalised(
    _ translation: inout KerasTranslation, _ call: KerasCall
  ) throws(ImportError) -> [KerasValue] {
    guard let inner = try call.layer.layer("layer") else {
      throw call.layer.refusal("found no layer inside")
    }
    let count = KerasLayerTable.weightCount(of: inner).total
    return try translation.call(
      call.inside(inner, weights: call.weights.part("layer", weights: 0..<count)))
  }

  // MARK: TimeDistributed

  /// Calls the inner layer with the values of a step.
  private static func timeDistributed(
    _ translation: inout KerasTranslation, _ given: KerasCall
  ) throws(ImportError) -> [KerasValue] {
    let call = try KerasFrameSteps.sequence(&translation, given)
    guard let inner = try call.layer.layer("layer") else {
      throw call.layer.refusal("found no layer inside")
    }
    var value = try KerasMaskNodes.named(try call.input(), for: call, &translation)
    guard case .steps = value.axes.first, value.axes.count >= 2, !value.isStepped else {
      throw call.refusal(of: value, expected: "a sequence: (steps, …)")
    }
    if case .flattened = value.content {
      throw call.refusal(of: value, expected: "a sequence")
    }
    let steps = value.axes.removeFirst()
    let mask = value.mask
    value.mask = nil
    value.isStepped = true
    let weights = translation.store.resolved(call.weights.part("layer"), of: inner)
    var one = call.inside(inner, weights: weights, arguments: [.value(value)])
    one.named = []
    var results: [KerasValue] = []
    for var result in try translation.call(one) {
      result.axes.insert(steps, at: 0)
      result.isStepped = false
      result.mask = mask
      results.append(result)
    }
    return results
  }
}
