import JSON
import ModelFormat

/// The translation of a Keras model to a graph: the nodes and tensors so far.
struct KerasTranslation {
  private(set) var draft: FolderDraft
  let store: KerasWeightStore
  let source: KerasSource
  let mode: Mode
  /// The places of inputs whose ids are numbers in the folder.
  var numbers: Set<Int> = []
  var inputs: [KerasInput] = []
  var names = KerasNodeNames()
  /// The calls of layers so far.
  private(set) var callCount = 0
  var maskNodes: [KerasMask: String] = [:]
  /// The masked values that attention reads, and whether a MultiHeadAttention does.
  var attendedValues: [String: Bool] = [:]

  /// How the axes of an input are read, whose meaning Keras does not say; in the order in which they are tried.
  enum Mode: CaseIterable {
    /// The first axis is the steps of a sequence.
    case steps
    /// The whole input is one frame: a vector.
    case frames
    /// As `steps`, but all steps of a sequence may be flattened to a vector.
    case flattening
    /// As `steps`, where sequences of different origin are known to be of as many steps only because their number is fixed:
    /// what came of pools and strides is cropped to what did not.
    case cropping
    /// As `frames`, of a model of images alone: a request has one as a step.
    case images

    var readsFrames: Bool { self == .frames || self == .images }
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
  mutating func unify(_ values: [KerasValue]) { inputs.unify(values) }

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

  /// The node of a value's mask, or of the mask that a call names; nil if there is none.
  mutating func maskNode(
    of value: KerasValue, for call: KerasCall, key: String = "mask"
  ) throws(ImportError) -> String? {
    let node = try KerasMaskNodes.node(of: value, for: call, key: key, &self)
    if let node, let origin = value.origin { inputs[origin].masks.insert(node) }
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
      return try KerasSideBySide.flat(value, steps: steps, &self, call)
    case .wholeNumbers: throw KerasLookup.refusal(call.layer)
    case .attentionScores: throw KerasAttentionScores.refusal(call.layer)
    case .mask:
      throw call.layer.refusal("found a mask in the place of numbers, which is not carried")
    case .scores:
      throw call.layer.refusal(
        "found a score of each step for each other, whose softmax and product alone are carried")
    }
  }

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
  mutating func finish(
    _ outputs: [KerasValue], keys: [String]?, model: KerasLayer
  ) throws(ImportError) -> FolderDraft {
    var taken: Set<String> = []
    for (index, output) in outputs.enumerated() {
      var value = output
      let call = KerasCall(layer: model, name: keys?[index] ?? "output", file: store.file)
      value = try spreadOut(value, for: call)
      guard value.stepAxis ?? 0 == 0 else {
        throw model.refusal(
          "an output has the sizes \(value.shape), expected the steps first: end with Permute((2, 1))"
        )
      }
      if value.content != .floats || taken.contains(value.name)
        || keys.map({ $0[index] != value.name }) ?? false
      {
        value = try map(.affine(scale: [1], shift: [0]), value, for: call)
      }
      taken.insert(value.name)
      draft.description.outputs.append(ModelDescription.Output(name: value.name))
    }
    draft.outputKeys = keys
    let axes = Set(inputs.filter(\.isSequence).map(\.axis))
    let masks = Set(draft.description.nodes.compactMap(\.mask))
    for input in inputs {
      let axis = axes.count > 1 ? inputs[input.axis].name : nil
      guard let description = input.description(axis: axis) else {
        throw model.refusal("the input \(input.name.jsonExcerpt) leads to no output")
      }
      let isMasked = inputs.contains { $0.axis == input.axis && !$0.masks.isDisjoint(with: masks) }
      for text in input.notes(on: description, isMasked: isMasked) { note(text) }
      draft.description.inputs.append(description)
      draft.examples.append(input.example(steps: ExampleInput.steps))
    }
    // In the other modes, these are sequences that were read as vectors.
    let isOfImages = mode == .images && inputs.allSatisfy { $0.axes.count >= 3 }
    if mode == .steps || mode == .cropping || isOfImages {
      draft.readVectorAsStep(names: &names)
    }
    return draft
  }
}
