/// Translates calls of PyTorch's operators to a source graph with ONNX's operators.
struct AtenTranslation {
  /// The version of ONNX's operators in the graph.
  static let opset = 18

  private(set) var graph = SourceGraph(opset: opset)
  private var names: Set<String> = []
  /// The number that the next name of those letters gets.
  private var counts: [String: Int] = [:]
  /// The values that are true or false.
  private var booleans: Set<String> = []
  var storage = AtenStorage()
  /// Lengths in the order of which sequences are to be put together.
  private var sorted: Set<String> = []

  /// - Parameter maxConstants: elements of all constants together.
  init(maxConstants: Int, computesLengths: Bool = false) {
    graph.maxConstants = maxConstants
    graph.computesLengths = computesLengths
  }

  // MARK: Values

  /// A new name for a value.
  mutating func unusedName(_ wanted: String) -> String {
    var name = wanted.isEmpty ? "value" : wanted
    while !names.insert(name).inserted {
      let count = counts[wanted, default: 2]
      counts[wanted] = count + 1
      name = "\(wanted).\(count)"
    }
    return name
  }

  /// Records the sizes that a value has in the exporter's example.
  mutating func recordExample(_ sizes: [Int?], of value: AtenTensor) {
    graph.examples[value.name] = sizes
  }

  mutating func addInput(_ input: SourceGraph.Input) -> AtenTensor {
    var input = input
    input.name = unusedName(input.name)
    graph.inputs.append(input)
    if input.kind == .boolean { booleans.insert(input.name) }
    return storage.added(
      AtenTensor(
        name: input.name, rank: input.dimensions.count, isWhole: input.kind != .float))
  }

  mutating func addOutput(_ tensor: AtenTensor, named wanted: String) throws(ImportError) {
    let output = AtenCall("output", [], place: "output \"\(wanted)\"")
    let source = try current(tensor, output).name
    var name = source
    // An output keeps its name, and a value may be several outputs.
    if name != wanted {
      name = unusedName(wanted)
      graph.nodes.append(
        SourceNode(name: name, op: "Identity", inputs: [source], outputs: [name]))
    }
    graph.outputs.append(name)
  }

  /// A constant of the file.
  mutating func constant(_ constant: SourceConstant, named wanted: String) -> AtenTensor {
    let name = unusedName(wanted)
    graph.constants[name] = constant
    if constant.kind == .boolean { booleans.insert(name) }
    return storage.added(
      AtenTensor(name: name, rank: constant.shape.count, isWhole: constant.kind != .float))
  }

  mutating func ints(_ values: [Int]) -> AtenTensor {
    constant(SourceConstant(SourceTensor(integers: values)), named: "ints")
  }

  mutating func scalar(_ value: Double, isWhole: Bool = false) -> AtenTensor {
    constant(
      SourceConstant(
        SourceTensor(shape: [], kind: isWhole ? .integer : .float, elements: [value])),
      named: "number")
  }

  /// The shape of a constant; nil for a computed value.
  func shape(of tensor: AtenTensor) -> [Int]? { graph.constants[tensor.name]?.shape }

  // MARK: Nodes

  /// Adds a node with one output.
  mutating func emit(
    _ op: String, _ inputs: [AtenTensor?], _ attributes: [String: SourceAttribute] = [:],
    rank: Int?, isWhole: Bool = false, of call: AtenCall
  ) -> AtenTensor {
    let name = emit(op, inputs, attributes, outputs: 1, of: call)[0]
    // What takes more axes than there are is refused when it is lowered.
    return AtenTensor(
      name: name, rank: rank.map { max($0, 0) }, isWhole: isWhole || booleans.contains(name))
  }

  /// The operators whose results are true or false, of which the last three also read such values.
  private static let truths: Set<String> = [
    "Equal", "Less", "Greater", "LessOrEqual", "GreaterOrEqual", "IsNaN", "IsInf", "And", "Or",
    "Not",
  ]
  /// The operators that read any values, and those that hand them on.
  private static let readers: Set<String> = ["And", "Or", "Not", "Cast", "Where", "Shape", "Size"]
  private static let movers: Set<String> = [
    "Identity", "Unsqueeze", "Squeeze", "Reshape", "Transpose", "Slice", "Gather", "Expand",
    "Concat", "Flatten", "Tile", "Split",
  ]

  /// Adds a node, and returns the names of its outputs. What computes with values that are true or false, as PyTorch's operators
  /// may and ONNX's may not, gets them as numbers.
  mutating func emit(
    _ op: String, _ inputs: [AtenTensor?], _ attributes: [String: SourceAttribute] = [:],
    outputs count: Int, of call: AtenCall
  ) -> [String] {
    let moves = Self.movers.contains(op)
    let names = inputs.map { input in
      guard let name = input?.name else { return "" }
      guard !moves, !Self.readers.contains(op), booleans.contains(name) else { return name }
      return emit("Cast", [input], ["to": .integer(1)], outputs: 1, of: call)[0]
    }
    let outputs = (0..<count).map { _ in unusedName("\(call.label).\(op)") }
    graph.nodes.append(
      SourceNode(
        name: call.nodeName, op: op, inputs: names, outputs: outputs, attributes: attributes))
    var isTruth = Self.truths.contains(op)
    if op == "Cast", case .integer(9)? = attributes["to"] { isTruth = true }
    if isTruth || moves && names.contains(where: { booleans.contains($0) }) {
      booleans.formUnion(outputs)
    }
    return outputs
  }

  // MARK: Numbers

  /// An argument as a tensor, even if it is a number.
  mutating func operand(_ value: AtenValue?, _ call: AtenCall) throws(ImportError) -> AtenTensor {
    switch value {
    case .tensor(let tensor)?: return tensor
    case .int(let value)?: return scalar(Double(value), isWhole: true)
    case .float(let value)?: return scalar(value)
    case .bool(let value)?: return scalar(value ? 1 : 0, isWhole: true)
    default:
      throw call.failure("an argument that is no number", because: "it needs a tensor or a number")
    }
  }

  /// A size or an index as an array of one.
  mutating func entry(_ value: AtenValue, _ call: AtenCall) throws(ImportError) -> AtenTensor {
    switch value {
    case .int(let value): return ints([value])
    case .tensor(let tensor) where tensor.rank ?? 0 == 0:
      return emit("Unsqueeze", [tensor, ints([0])], rank: 1, isWhole: true, of: call)
    default: throw call.failure("a size that is no number", because: "it needs a whole number")
    }
  }

  /// Sizes as one array; some may be known only when the model runs.
  mutating func sizes(_ values: [AtenValue], _ call: AtenCall) throws(ImportError) -> AtenTensor {
    let known = values.compactMap { value in if case .int(let int) = value { int } else { nil } }
    if known.count == values.count { return ints(known) }
    var entries: [AtenTensor] = []
    for value in values { entries.append(try entry(value, call)) }
    return emit("Concat", entries, ["axis": .integer(0)], rank: 1, isWhole: true, of: call)
  }

  /// The size of an axis, as a number.
  mutating func size(of tensor: AtenTensor, axis: Int, _ call: AtenCall) -> AtenValue {
    if let shape = shape(of: tensor), shape.indices.contains(axis < 0 ? axis + shape.count : axis) {
      return .int(shape[axis < 0 ? axis + shape.count : axis])
    }
    let shape = emit("Shape", [tensor], rank: 1, isWhole: true, of: call)
    var size = emit(
      "Gather", [shape, scalar(Double(axis), isWhole: true)], ["axis": .integer(0)], rank: 0,
      isWhole: true, of: call)
    size.isNumber = true
    return .tensor(size)
  }

  /// Whether the elements of a value are other than 0.
  mutating func asBoolean(_ value: AtenTensor, _ call: AtenCall) -> AtenTensor {
    emit("Cast", [value], ["to": .integer(9)], rank: value.rank, of: call)
  }

  /// Whether a value is true or false.
  func isBoolean(_ tensor: AtenTensor) -> Bool { booleans.contains(tensor.name) }

  mutating func note(_ text: String) { graph.notes.append(text) }

  // MARK: Lengths

  /// Records that lengths were sorted; they have to be used as lengths later.
  mutating func noteSorted(_ lengths: AtenTensor) { sorted.insert(lengths.name) }

  /// Records that sequences with these lengths were packed.
  mutating func notePacked(_ lengths: AtenTensor) { sorted.remove(lengths.name) }

  /// The graph, after all calls.
  func finished() throws(ImportError) -> SourceGraph {
    guard let name = sorted.min() else { return withoutUnused }
    throw ImportError(
      file: "", place: "sort of \"\(name)\"",
      problem: "found whole numbers that are sorted, and no sequences of these lengths",
      remedy: "leave what sorts out of the export")
  }

  /// The graph without nodes that lead to no output, such as the weights of attention that nobody reads.
  private var withoutUnused: SourceGraph {
    var needed = Set(graph.outputs)
    var kept: [SourceNode] = []
    for node in graph.nodes.reversed() where !needed.isDisjoint(with: node.outputs) {
      needed.formUnion(node.inputs)
      kept.append(node)
    }
    var result = graph
    result.nodes = kept.reversed()
    return result
  }

  // MARK: Calls

  /// The result of a call. Errors of the translation name the call's place; later errors name its module.
  mutating func call(_ call: AtenCall) throws(ImportError) -> AtenValue {
    let call = try current(call)
    return tracked(try renamed(call), of: call)
  }

  private mutating func renamed(_ call: AtenCall) throws(ImportError) -> AtenValue {
    let first = graph.nodes.count
    let value = try translated(call)
    guard case .tensor(var tensor) = value else { return value }
    guard graph.nodes.count > first, graph.nodes[graph.nodes.count - 1].outputs == [tensor.name]
    else {
      return .tensor(tensor)
    }
    let name = unusedName(call.label)
    graph.nodes[graph.nodes.count - 1].outputs = [name]
    if booleans.remove(tensor.name) != nil { booleans.insert(name) }
    tensor.name = name
    return .tensor(tensor)
  }

  private mutating func translated(_ call: AtenCall) throws(ImportError) -> AtenValue {
    if let value = try AtenPacking.translate(&self, call) { return value }
    if let value = try AtenNumbers.translate(&self, call) { return value }
    if let value = try AtenShapes.translate(&self, call) { return value }
    if let value = try AtenSelections.translate(&self, call) { return value }
    if let value = try AtenWrites.translate(&self, call) { return value }
    if let value = try AtenElementwise.translate(&self, call) { return value }
    if let value = try AtenWeights.translate(&self, call) { return value }
    if let value = try AtenPools.translate(&self, call) { return value }
    if let value = try AtenAttention.translate(&self, call) { return value }
    if let value = try AtenReductions.translate(&self, call) { return value }
    if let value = try AtenRecurrent.translate(&self, call) { return value }
    throw ImportError(
      file: "", place: call.place, problem: "found the operator \(call.name), which is not carried",
      remedy: AtenTranslation.scripted.contains(call.name)
        ? "torch.jit.trace(model.eval(), (x,)) writes the graph without it"
        : "\(Remedy.unknown(call.name)); \(Remedy.otherThanTorch)")
  }

  /// What scripted modules compute in Python beside their tensors.
  private static let scripted: Set<String> = [
    "append", "extend", "insert", "pop", "format", "__is__", "__isnot__", "__not__",
    "is_floating_point", "is_nested", "__contains__", "keys", "values", "items",
    "__range_length", "__derive_index",
  ]
}
