import ModelFormat

/// Translates a source graph into a model folder's nodes. Constants are folded. For every other value the roles of its axes
/// (batch, steps, elements) are tracked, and an operator becomes an op if the roles are those that the op works on.
///
/// Unusual numbers stand in for lengths that are known only when the model runs: arithmetic on shapes is then arithmetic on constants,
/// and an axis can be recognised by its size. A graph is translated with two sets of them: whatever differs between the two
/// depends on a length.
struct Lowering {
  var builder = FolderBuilder()
  let assumptions: Assumptions
  let isFromPyTorch: Bool
  let computesLengths: Bool
  /// The assumption that the refused operator needs.
  var requirement: Assumptions.Requirement?
  /// Whether the refused operator goes along the batch.
  var isMixing = false
  private(set) var values: [String: LoweredValue] = [:]
  private let interpreter: Interpreter
  private var atomCount = 0
  /// The atoms of batches and steps, by their sizes.
  private(set) var lengths: [Int: Atom] = [:]
  /// The batch of as many sequences as there are steps, or the steps of which there are as many as sequences.
  private var others: [Int: Atom] = [:]
  /// For each input, and each node that only selects or reorders elements: the inputs from which the elements come.
  private var origins: [String: Set<String>] = [:]
  private var inputs: [String: String] = [:]
  /// The names of the inputs' axes of steps.
  private(set) var stepNames: [Atom.Origin: String] = [:]
  /// The steps that are keys of attention, by the atoms of the same steps as queries.
  private(set) var queryAtoms: [Atom: Atom] = [:]
  /// The errors of inputs whose element axis has no size in the file.
  private(set) var missingSizes: [String: ImportError] = [:]
  /// For nodes of which a call of the source graph is one step: the final state that is the step's output.
  private(set) var finalStates: [String: String] = [:]
  let tableIndices: TableIndices
  var exampleSteps = ExampleSteps()
  var examples = StepExamples()

  init(_ graph: SourceGraph, assumptions: Assumptions) {
    interpreter = Interpreter(opset: graph.opset)
    constantRoom = graph.maxConstants
    tableIndices = TableIndices(graph)
    isFromPyTorch = graph.isFromPyTorch
    computesLengths = graph.computesLengths
    self.assumptions = assumptions
    for note in graph.notes { builder.note(note) }
  }

  var opset: Int { interpreter.opset }

  /// As of arrays that are computed, and the numbers that stand in for a batch and steps; elements of a step, or of a vector.
  static let (maxOpenExtent, maxElements) = (1 << 58, 1 << 22)

  /// Whether there are more nodes than can be merged and dropped to those that a folder may have.
  var hasTooManyNodes: Bool { builder.nodes.count > 8 * ModelLimits.nodes }

  // MARK: Graphs

  /// Translates a graph's nodes. A graph inside a node may use names of the surrounding graph.
  mutating func lower(_ graph: SourceGraph) throws(ImportError) {
    for (name, constant) in graph.constants where values[name] == nil {
      sources[name] = constant
    }
    for node in graph.nodes {
      let before = builder.elementCount
      let results = try lower(node)
      OnlySteps.record(&self, node, results)
      guard interpreter.budget.take(builder.elementCount - before) else {
        throw node.refusal(
          "\(builder.elementCount - before) weights more",
          because: "together they are more than the file's weights account for")
      }
      guard !hasTooManyNodes else {
        throw ImportError(
          file: "", .tooMany("nodes", found: builder.nodes.count, limit: ModelLimits.nodes))
      }
      for (index, value) in results.enumerated() {
        try check(value, node)
        guard let name = node.output(index) else { continue }
        define(name, value)
        exampleSteps.record(value, of: node, named: name, sizes: graph.examples[name])
      }
    }
  }

  private func check(_ value: LoweredValue, _ node: SourceNode) throws(ImportError) {
    guard RowMajor.count(value.shape, limit: Self.maxOpenExtent) != nil else {
      throw node.refusal("an array of \(value.shape)", because: "no array can be that large")
    }
    guard case .carried(let value) = value else { return }
    try BatchMixing.check(value, node)
    guard !value.shape.contains(0) else {
      throw node.refusal(
        "an array of \(value.shape), with nothing in it",
        because: "values have one element at least")
    }
    guard RowMajor.count(value.elements.map(\.size), limit: Self.maxElements) != nil else {
      throw node.refusal(
        "elements of \(value.elements.map(\.size))",
        because: "a step may have \(Self.maxElements) elements")
    }
  }

  /// Constants that are read when they are first used.
  private var sources: [String: SourceConstant] = [:]
  /// Elements of constants that may still be read.
  private var constantRoom: Int

  private mutating func lower(_ node: SourceNode) throws(ImportError) -> [LoweredValue] {
    if node.op == "If" { return try ControlLowering.branch(&self, node) }
    var operands: [SourceTensor?] = []
    var areConstant = true
    for index in node.inputs.indices where areConstant {
      switch try value(node, index) {
      case nil: operands.append(nil)
      case .constant(let tensor): operands.append(tensor)
      case .carried, .pending: areConstant = false
      }
    }
    if areConstant, let rows = try StepNumbers.rows(&self, node, operands) {
      return [.carried(rows)]
    }
    if areConstant, let results = try ExampleLength.evaluated(&self, interpreter, node, operands) {
      return results.map { .constant($0) }
    }
    try UniformConstants.check(&self, node)
    if let results = try StepSoftmax.moved(&self, node) { return results }
    do throws(ImportError) {
      if let results = try lowerCarried(node) { return results }
      throw node.refusal(
        "the operator \(node.op)", because: "no op of a model folder does that",
        instead: Remedy.unknown(node.op))
    } catch {
      if requirement == nil { try InputRequirements.lengths(&self, node, or: error) }
      if requirement == nil { try InputRequirements.numbers(&self, node, or: error) }
      throw error
    }
  }

  /// The outputs of a node, of whose values none is a part of a pattern.
  mutating func lowerCarried(_ node: SourceNode) throws(ImportError) -> [LoweredValue]? {
    if let results = try LoopLowering.lower(&self, node) { return results }
    if let results = try IdLowering.lower(&self, node) { return results }
    if let results = try ShapeLowering.lower(&self, node) { return results }
    if let results = try IndexLowering.lower(&self, node) { return results }
    if let results = try SelectionLowering.lower(&self, node) { return results }
    if let results = try ElementwiseLowering.lower(&self, node) { return results }
    if let results = try ComparisonLowering.lower(&self, node) { return results }
    if let results = try ActivationLowering.lower(&self, node) { return results }
    if let results = try MatrixLowering.lower(&self, node) { return results }
    if let results = try ReductionLowering.lower(&self, node) { return results }
    if let results = try CumulativeLowering.lower(&self, node) { return results }
    if let results = try ResizeLowering.lower(&self, node) { return results }
    if let results = try RecurrentLowering.lower(&self, node) {
      examples.recordRead(results)
      return results
    }
    if let results = try ConvolutionLowering.lower(&self, node) { return results }
    if let results = try QuantizedLowering.lower(&self, node) { return results }
    return try NormalizationLowering.lower(&self, node)
  }

  // MARK: Values

  mutating func define(_ name: String, _ value: LoweredValue) {
    values[name] = value
    if case .carried(let carried) = value { examples.record(carried) }
  }

  /// The value of a node's input; nil if it is omitted.
  mutating func value(_ node: SourceNode, _ index: Int) throws(ImportError) -> LoweredValue? {
    guard let name = node.input(index) else { return nil }
    return try value(named: name, of: node)
  }

  mutating func value(named name: String, of node: SourceNode) throws(ImportError) -> LoweredValue {
    if let value = values[name] { return value }
    guard let source = sources[name] else {
      throw node.refusal(
        "the input \"\(name.prefix(200))\"",
        because: "no node before this one computes it: nodes must not need each other in a cycle")
    }
    guard let count = RowMajor.count(source.shape), count <= constantRoom else {
      throw node.refusal(
        "the constant \"\(name.prefix(200))\" of \(source.shape)",
        because: "with those before it, it is more than a file of this size may hold")
    }
    constantRoom -= count
    let tensor = try source.tensor()
    interpreter.budget.add(tensor)
    let value = LoweredValue.constant(tensor)
    values[name] = value
    return value
  }

  mutating func required(_ node: SourceNode, _ index: Int) throws(ImportError) -> LoweredValue {
    guard let value = try value(node, index) else {
      throw node.refusal("no input \(index)", because: "\(node.op) needs it")
    }
    return value
  }

  /// An input that has to be constant; nil if it is omitted.
  mutating func constant(
    _ node: SourceNode, _ index: Int, _ what: String
  ) throws(ImportError) -> SourceTensor? {
    switch try value(node, index) {
    case nil: return nil
    case .constant(let tensor): return tensor
    case .carried(let value):
      let input = Set(origins(of: value.node)).sorted().first
      throw node.refusal(
        "\(what) that depends on the model's input\(input.map { " \"\($0)\"" } ?? "")",
        because: "it must be a constant",
        instead: input.map {
          "export the model with it as an initializer, or give its values: --set '\($0)=values.npy'"
        })
    case .pending:
      throw node.refusal(
        "\(what) that depends on the model's inputs", because: "it must be a constant")
    }
  }

  /// Whole numbers from an attribute (old operators) or an input.
  mutating func integers(
    _ node: SourceNode, _ key: String, input: Int
  ) throws(ImportError) -> [Int]? {
    if let values = node.integers(key) { return values }
    return try constant(node, input, key)?.integers
  }

  /// A number from an attribute or an input.
  mutating func number(
    _ node: SourceNode, _ key: String, input: Int, default value: Double
  ) throws(ImportError) -> Double {
    if let number = node.float(key) { return number }
    guard let tensor = try constant(node, input, key) else { return value }
    guard tensor.count == 1 else {
      throw node.refusal(
        "\(key) of \(tensor.shape)", because: "it is one number for all elements")
    }
    return tensor.first
  }

  /// An input that must not be constant.
  mutating func carried(_ node: SourceNode, _ index: Int) throws(ImportError) -> CarriedValue {
    switch try required(node, index) {
    case .carried(let value):
      return value
    case .constant(let tensor):
      throw node.refusal(
        "a constant of \(tensor.shape) as input \(index)",
        because: "this must depend on the model's inputs")
    case .pending(let value):
      if let softmax = try StepSoftmax.value(&self, value, node) { return softmax }
      throw PatternLowering.refusal(node, value)
    }
  }

  // MARK: Atoms

  mutating func newAtom(_ size: Int, _ role: Atom.Role = .element, origin: Atom.Origin? = nil)
    -> Atom
  {
    atomCount += 1
    return Atom(id: atomCount, size: size, role: role, origin: origin)
  }

  /// The atom of steps as queries, beside the same steps as keys.
  mutating func queryAtom(of steps: Atom) -> Atom {
    var atom = newAtom(steps.size, .time)
    atom.isOpen = steps.isOpen
    queryAtoms[atom] = steps
    return atom
  }

  /// The shared atom of a batch or of steps with this size.
  mutating func lengthAtom(
    _ size: Int, _ role: Atom.Role, origin: Atom.Origin?, isOpen: Bool = false
  ) -> Atom {
    if let atom = lengths[size], atom.role == role { return atom }
    if let atom = others[size] { return atom }
    var atom = newAtom(size, role, origin: origin)
    atom.isOpen = isOpen
    if lengths[size] == nil { lengths[size] = atom } else { others[size] = atom }
    return atom
  }

  /// The atom of a window's places along an axis of elements. If these are an input's, an operator may ask for them as steps.
  mutating func places(_ count: Int, along axis: [Atom]) -> Atom {
    var atom = newAtom(count, origin: axis.count == 1 ? axis[0].origin : nil)
    atom.isDerived = true
    return atom
  }

  /// The atoms of an element axis; none for a single element.
  mutating func elementAxis(_ size: Int) -> [Atom] { size == 1 ? [] : [newAtom(size)] }

  // MARK: Steps

  /// The atom of steps that an op made from those of `source`, with another number.
  mutating func steps(_ count: Int, like source: Atom) -> Atom {
    if count == source.size { return source }
    var atom = lengthAtom(count, .time, origin: source.origin)
    atom.isOpen = source.isOpen
    atom.isDerived = true
    return atom
  }

  /// The atoms of steps whose number is open and of which there is a sequence, or ids.
  var openSteps: [Atom] { examples.open }

  /// A sequence of zeros of size 1 with these steps; nil if no sequence has them.
  mutating func zeros(likeStepsOf atom: Atom, _ node: SourceNode) -> String? {
    examples.zeros(likeStepsOf: atom, &builder, named: node.outputs.first ?? node.name)
  }

  /// A vector repeated as a sequence; nil if no sequence has these steps.
  mutating func sequence(of value: CarriedValue, _ node: SourceNode) -> CarriedValue? {
    guard let atom = value.timeAtoms.first, let zeros = zeros(likeStepsOf: atom, node) else {
      return nil
    }
    let name = node.outputs.first ?? node.name
    var result = value
    result.node = builder.emit(.add, [value.node, zeros], named: "\(name).repeated")
    result.form = .sequence
    return result
  }

  // MARK: Origins

  /// The source graph's name for an input of the folder; nil for a node.
  func input(named node: String) -> String? { inputs[node] }

  mutating func setStepName(_ origin: Atom.Origin, _ name: String) { stepNames[origin] = name }

  mutating func setMissingSize(_ input: String, _ problem: ImportError) {
    missingSizes[input] = missingSizes[input] ?? problem
  }

  mutating func setInput(_ node: String, _ name: String) { inputs[node] = name }
  func origins(of node: String) -> Set<String> { origins[node] ?? [] }
  mutating func setFinalState(of node: String, _ state: String) { finalStates[node] = state }
  mutating func setOrigins(of node: String, _ inputs: Set<String>) { origins[node] = inputs }
}
