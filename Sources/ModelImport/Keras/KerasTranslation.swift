import JSON
import ModelFormat

/// The translation of a Keras model to a graph: the nodes and tensors so far.
struct KerasTranslation {
  private(set) var draft: FolderDraft
  let store: KerasWeightStore
  let source: KerasSource
  let mode: Mode
  var inputs: [KerasInput] = []
  var names = KerasNodeNames()
  private var callCount = 0
  private var maskNodes: [KerasMask: String] = [:]

  /// How the axes of an input are read, whose meaning Keras does not say.
  enum Mode {
    /// The first axis is the steps of a sequence.
    case steps
    /// The whole input is one frame: a vector.
    case frames
    /// As `steps`, but all steps of a sequence may be flattened to a vector.
    case flattening
  }

  init(name: String, store: KerasWeightStore, source: KerasSource, mode: Mode) {
    draft = FolderDraft(name: name)
    self.store = store
    self.source = source
    self.mode = mode
  }

  mutating func note(_ text: String) {
    if !draft.notes.contains(text) { draft.notes.append(text) }
  }

  /// Counts a call, and throws if there are too many: nested models that are each called many times would take for ever.
  mutating func countCall(of layer: KerasLayer) throws(ImportError) {
    callCount += 1
    guard callCount <= Self.maxCalls else {
      throw layer.refusal("the model calls its layers more than \(Self.maxCalls) times")
    }
  }

  private static let maxCalls = 10_000

  /// Records that values have the same steps, and so the inputs behind them.
  mutating func unify(_ values: [KerasValue]) {
    let origins = values.filter { $0.stepAxis != nil }.compactMap(\.origin)
    guard let first = origins.first else { return }
    let axis = inputs[first].axis
    for origin in origins {
      let other = inputs[origin].axis
      for index in inputs.indices where inputs[index].axis == other { inputs[index].axis = axis }
    }
  }

  // MARK: Nodes

  /// Adds a node and returns its name; `part` is a suffix for a node that is not the layer's result.
  mutating func add(
    _ op: ModelDescription.Op, _ inputs: [KerasValue?], for call: KerasCall, part: String? = nil,
    weights: String? = nil, mask: String? = nil
  ) throws(ImportError) -> String {
    var operands: [String?] = []
    for input in inputs {
      operands.append(try input.map { value throws(ImportError) in try operand(value, for: call) })
    }
    let name = names.unused(part.map { "\(call.name).\($0)" } ?? call.name)
    guard draft.description.nodes.count < Self.maxNodes else {
      throw call.layer.refusal("the graph has more than \(Self.maxNodes) nodes by here")
    }
    draft.description.nodes.append(
      ModelDescription.Node(
        name: name, op: op, inputs: operands, weights: weights == name ? nil : weights,
        mask: mask))
    return name
  }

  /// The most nodes that a graph may have.
  static let maxNodes = 1000

  /// The node of a value's mask, or of the mask that a call names, which has to be the same or an input; nil if there is none.
  mutating func maskNode(
    of value: KerasValue, for call: KerasCall, key: String = "mask"
  ) throws(ImportError) -> String? {
    var mask = value.mask
    if let named = call[key]?.values.first {
      guard case .mask(let other) = named.content else {
        throw call.layer.refusal("\(key): found a mask that the model makes, which is not carried")
      }
      mask = other
    }
    guard let mask, mask != .everything else { return nil }
    if let node = maskNodes[mask] { return node }
    var number: Float = 0
    var masked = value
    switch mask {
    case .zeroTokens(let input):
      masked = KerasValue(name: input, axes: [.steps(nil)])
    case .padding(let name, let padding, true):
      masked = KerasValue(name: name, axes: [.steps(nil)])
      number = padding
      for index in inputs.indices where inputs[index].name == name {
        try inputs[index].declareFloats(for: call)
      }
    case .mixed, .nothing, .everything, .padding(_, _, false):
      try call.refuseMask(of: value)
      throw call.layer.refusal("\(key): \(mask.text), which is not carried")
    }
    let node = try add(.mask(value: number), [masked], for: call, part: "mask")
    maskNodes[mask] = node
    return node
  }

  /// The value without its mask, as Keras's layers that don't support masks return it.
  mutating func withoutMask(_ value: KerasValue, for call: KerasCall) -> KerasValue {
    guard value.mask != nil else { return value }
    note("\(call.layer.place) knows of no masks: as in Keras, the steps behind it are not masked")
    var value = value
    value.mask = nil
    return value
  }

  /// Adds a node that works on each step by itself and keeps the value's axes.
  mutating func map(
    _ op: ModelDescription.Op, _ value: KerasValue, for call: KerasCall, part: String? = nil
  ) throws(ImportError) -> KerasValue {
    let isSpread = value.isSpread
    var result = value.with(name: try add(op, [value], for: call, part: part))
    result.isSpread = isSpread
    return result
  }

  /// Adds one op after another; the last has the call's name.
  mutating func chain(
    _ ops: [ModelDescription.Op], _ value: KerasValue, for call: KerasCall, part: String? = nil
  ) throws(ImportError) -> KerasValue {
    var value = value
    for (index, op) in ops.enumerated() {
      value = try map(
        op, value, for: call, part: index == ops.count - 1 ? part : part ?? op.name)
    }
    return value
  }

  /// Adds a node of several values; its axes are those of one of them.
  mutating func combine(
    _ op: ModelDescription.Op, _ values: [KerasValue], as model: KerasValue, for call: KerasCall,
    part: String? = nil
  ) throws(ImportError) -> KerasValue {
    var result = model.with(name: try add(op, values, for: call, part: part))
    result.isSpread = values.allSatisfy(\.isSpread)
    return result
  }

  mutating func add(tensor name: String, shape: [Int], _ floats: [Float]) {
    draft.add(tensor: name, shape: shape, floats)
  }

  /// The name of a value that a node uses; if it is an input, this decides its kind.
  private mutating func operand(
    _ value: KerasValue, for call: KerasCall
  ) throws(ImportError) -> String {
    switch value.content {
    case .floats: return value.name
    case .input(let index):
      try inputs[index].declareFloats(for: call)
      return value.name
    case .flattened(let steps):
      return try sideBySide(value, steps: steps, for: call)
    case .mask:
      throw call.layer.refusal("found a mask in the place of numbers, which is not carried")
    case .scores:
      throw call.layer.refusal(
        "found a score of each step for each other, of which only a softmax and a product with "
          + "the values are carried")
    }
  }

  /// Flattens all steps of a sequence to a vector, step by step.
  private mutating func sideBySide(
    _ value: KerasValue, steps: Int, for call: KerasCall
  ) throws(ImportError) -> String {
    let size = value.size / steps
    let sequence = value.with(name: value.name, axes: [.steps(steps), .size(size)])
    let channels = try channels(sequence, for: call)
    return try add(.transpose(rows: size), [channels], for: call, part: "flat")
  }

  /// All steps of a sequence of a fixed length as a vector, channel by channel: by a convolution over all steps in which each
  /// output picks one element.
  mutating func channels(
    _ sequence: KerasValue, for call: KerasCall
  ) throws(ImportError) -> KerasValue {
    let (steps, size) = (sequence.stepCount ?? 1, sequence.size)
    let all = steps * size
    guard all * steps <= Self.maxPickedWeights else {
      throw call.layer.refusal(
        "found \(steps) steps of \(size) elements side by side, which only a Dense right behind the Flatten "
          + "can take where there are so many")
    }
    KerasLength.keep(&self, sequence, steps: steps, in: call.layer)
    let picks = sequence.with(
      name: try add(.conv(padding: .valid, groups: size), [sequence], for: call, part: "picks"))
    // Channel by channel, and within a channel step by step.
    var weight = [Float](repeating: 0, count: all * steps)
    for output in 0..<all { weight[output * steps + output % steps] = 1 }
    add(tensor: "\(picks.name).weight", shape: [all, 1, steps], weight)
    return sequence.with(
      name: try add(.last, [picks], for: call, part: "all"), axes: [.size(all)])
  }

  private static let maxPickedWeights = 1 << 22

  /// A value with all elements of its axes: a single element that stands for all is repeated.
  mutating func spreadOut(
    _ value: KerasValue, for call: KerasCall
  ) throws(ImportError) -> KerasValue {
    guard value.isSpread, value.size > 1 else { return value }
    let name = try add(.linear, [value], for: call, part: "spread")
    add(tensor: "\(name).weight", shape: [value.size, 1], Array(repeating: 1, count: value.size))
    return value.with(name: name)
  }

  // MARK: The folder

  /// The folder, with the model's inputs and outputs.
  mutating func finish(_ outputs: [KerasValue], model: KerasLayer) throws(ImportError)
    -> FolderDraft
  {
    var taken: Set<String> = []
    for output in outputs {
      var value = output
      let call = KerasCall(layer: model, name: "output", file: store.file)
      value = try spreadOut(value, for: call)
      guard value.stepAxis ?? 0 == 0 else {
        throw model.refusal(
          "an output has the sizes \(value.shape), expected the steps first: end with Permute((2, 1))"
        )
      }
      if value.content != .floats || taken.contains(value.name) {
        value = try map(.affine(scale: [1], shift: [0]), value, for: call)
      }
      taken.insert(value.name)
      draft.description.outputs.append(ModelDescription.Output(name: value.name))
    }
    let axes = Set(inputs.filter(\.isSequence).map(\.axis))
    for input in inputs {
      let axis = axes.count > 1 ? inputs[input.axis].name : nil
      guard let description = input.description(axis: axis) else {
        throw model.refusal("the input \(input.name.jsonExcerpt) leads to no output")
      }
      draft.description.inputs.append(description)
    }
    // In the other modes, these are sequences that were read as vectors.
    if mode == .steps { draft.readVectorAsStep(names: &names) }
    return draft
  }
}
