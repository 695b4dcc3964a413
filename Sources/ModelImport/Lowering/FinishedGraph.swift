import ModelFormat

/// Makes a translated graph a folder: removes unused nodes, and makes states that callers kept states of the sequence.
struct FinishedGraph {
  /// An input of the folder.
  struct Input: Equatable {
    let name: String
    /// Its name in the source graph.
    let source: String
    var form: CarriedValue.Form
    var size: Int
    let isScalar: Bool
    let kind: SourceTensor.Kind
    /// The name of its axis; nil for a vector.
    var steps: String?
    /// The number of steps that sequences must have; nil for any.
    var exactSteps: Int?
    /// How many steps the exporter's example had; nil if the file does not tell.
    var example: Int?
    /// Whether a call of the source graph takes one step of it.
    var isOneStep = false
    /// How many axes its array has in the source graph.
    var rank = 0

    /// What its steps have in common with those of other inputs; nil for a vector. The steps of calls have no name.
    var axis: String? { form == .vector ? nil : steps ?? "" }

    /// Takes what the translation found of the example's steps.
    mutating func takeSteps(of lowering: Lowering) {
      let value = lowering.values[source]
      exactSteps = lowering.exampleSteps.exact(value) ?? exactSteps
      example = lowering.exampleSteps.example(value)
      if form != .vector, case .carried(let value)? = value {
        isOneStep = value.timeAtoms.allSatisfy { $0.size == 1 && !$0.isOpen }
      }
    }
  }

  var builder: FolderBuilder
  var inputs: [Input]
  /// The inputs that are states which other nodes than a recurrent network read too.
  var callersStates: Set<String> = []
  /// The final states of nodes that compute one step, by the node.
  let states: [String: String]
  private(set) var outputs: [String] = []
  private(set) var renamed: [String: String] = [:]
  /// Whether all inputs of the source graph are vectors.
  private(set) var readsNoSequence = false
  /// Whether steps that were resized are combined with others.
  var meetsResizedSteps = false
  var reference: SourceReference?
  private var outputNames: [String: String] = [:]
  /// How many axes the outputs' arrays have in the source graph, by the node.
  private var outputRanks: [String: Int] = [:]
  /// What is said of outputs with several axes, by the node; not said where such an output becomes the state of the sequence.
  private var arrays: [(node: String, note: String)] = []
  /// Outputs that are decoded by argmax.
  private var decoded: Set<String> = []

  init(builder: FolderBuilder, inputs: [Input], states: [String: String]) {
    self.builder = builder
    self.inputs = inputs
    self.states = states
  }

  /// Adds an output: a node with the output's name and the elements in the source array's order.
  mutating func add(
    output: String, _ lowering: inout Lowering, _ graph: SourceGraph
  ) throws(ImportError) {
    let node = SourceNode(name: output, op: "output", inputs: [output], outputs: [output])
    // Nodes and notes are added to those of the translation.
    defer { builder = lowering.builder }
    let given = try lowering.value(named: output, of: node)
    switch given {
    case .constant:
      lowering.builder.note(
        "the output \"\(output)\" is left out: it is the same whatever the inputs are")
    case .pending(.largest(let value)):
      let arranged = Layout.inForeignOrder(&lowering, value, node)
      lowering.builder.note(
        "the output \"\(output)\" is the numbers that ArgMax chose from; the place of the largest stands beside them, as labels"
      )
      if !outputs.contains(arranged.node) {
        outputs.append(arranged.node)
        outputNames[arranged.node] = output
      }
      decoded.insert(arranged.node)
    case .pending, .carried:
      var value = try lowering.carried(node, 0)
      if case .pending = given { lowering.define(output, .carried(value)) }
      guard value.form != .tokens else {
        lowering.builder.note("the output \"\(output)\" is left out: it repeats an input")
        return
      }
      if value.kind == .boolean { value = ComparisonLowering.straight(&lowering, value, node) }
      // A vector that was expanded over the steps is an answer at each of them.
      if value.form == .vector, let repeated = lowering.sequence(of: value, node) {
        value = repeated
      }
      let arranged = Layout.inForeignOrder(&lowering, value, node)
      let sizes = value.axes.map { $0.filter { $0.role == .element }.reduce(1) { $0 * $1.size } }
        .filter { $0 > 1 }
      if sizes.count > 1 {
        arrays.append(
          (
            arranged.node,
            "the output \"\(output)\" is an array of \(sizes): its \(value.size) numbers are answered side by side, in that order"
          ))
      }
      if value.hasStepsLast {
        arrays.append(
          (
            arranged.node,
            "the output \"\(output)\" has its steps behind its elements in the file's array: an answer has the \(value.size) numbers of each step side by side, [steps, \(value.size)]"
          ))
      }
      var answer = arranged.node
      // An output before it may be the same, or the place of the largest of these numbers.
      if outputs.contains(answer), !decoded.contains(answer) {
        answer = lowering.builder.emit(.slice(), [answer], named: output)
      }
      if !decoded.contains(answer) { outputs.append(answer) }
      outputNames[answer] = output
      outputRanks[answer] = value.axes.count
    }
  }

  /// Removes nodes that no output needs, and gives outputs their names.
  mutating func finish(keepsStates: Bool) throws(ImportError) {
    guard !outputs.isEmpty else {
      throw ImportError(file: "", problem: "found no output that depends on an input")
    }
    var pass = FolderPass(
      nodes: builder.nodes, inputs: inputs, outputs: outputs, outputNames: outputNames,
      states: states, decoded: decoded)
    if !keepsStates { pass.adoptStates(ranks: outputRanks) }
    for (node, note) in arrays where pass.outputs.contains(node) || decoded.contains(node) {
      builder.note(note)
    }
    pass.fuseShifts()
    pass.prune()
    pass.fuseBiases(&builder)
    try pass.fuseAttention(&builder)
    let callersStates = pass.inputs.filter {
      $0.form == .vector && pass.isStateReadElsewhere($0.name)
    }
    pass.nameOutputs(builder)
    for note in pass.notes { builder.note(note) }
    for input in inputs where !pass.inputs.contains(input) && !pass.adopted.contains(input.name) {
      builder.note("the input \"\(input.source)\" is left out: no output depends on it")
    }
    decoded = pass.decoded
    (inputs, outputs) = (pass.inputs, pass.outputs)
    if inputs.allSatisfy({ $0.form == .vector }) {
      // A graph of vectors is applied to each step of a sequence.
      for index in inputs.indices { inputs[index].form = .sequence }
      readsNoSequence = true
      builder.note(
        "the model reads no sequence: it answers each step by itself, and a question is a sequence of one step"
          + (inputs.count > 1 && outputs.count > 1 ? Note.callersState : "")
      )
    }
    renamed = pass.renamed
    if !readsNoSequence { limitToOneCall(callersStates) }
    limitToFirstStep(pass.nodes)
    noteFewSteps(pass.nodes, keepsStates: !pass.adopted.isEmpty)
    // Removes the weights of removed nodes.
    let names = Set(pass.nodes.map { $0.weights ?? $0.name })
    for node in builder.nodes where !names.contains(node.name) {
      builder.removeTensors(of: node.name)
    }
    builder.replace(nodes: readsNoSequence ? takingVectors(pass.nodes) : pass.nodes)
  }

  /// The error that the size of an input is not in the file, if one is missing.
  func missingSize(_ lowering: Lowering) -> ImportError? {
    inputs.lazy.compactMap { lowering.missingSizes[$0.source] }.first
  }

  /// The nodes, with the last step of each input in the input's place if one of them makes a sequence of a vector.
  private mutating func takingVectors(
    _ nodes: [ModelDescription.Node]
  ) -> [ModelDescription.Node] {
    guard nodes.contains(where: { $0.op.name == "repeat" }) else { return nodes }
    var nodes = nodes
    for index in inputs.indices { inputs[index].exactSteps = 1 }
    for input in inputs {
      let vector = builder.unusedName("\(input.name).vector")
      for index in nodes.indices {
        nodes[index].inputs = nodes[index].inputs.map { $0 == input.name ? vector : $0 }
      }
      nodes.append(.init(name: vector, op: .last, inputs: [input.name]))
    }
    return nodes
  }

  /// Whether another translation of the same graph has the same nodes and weights.
  func hasSameWeights(as other: FinishedGraph) -> Bool {
    firstDifference(from: other) == nil && builder.nodes == other.builder.nodes
  }

  func firstDifference(from other: FinishedGraph) -> String? {
    for (node, twin) in zip(builder.nodes, other.builder.nodes) where node != twin {
      return node.name
    }
    for node in builder.nodes {
      // An output has a name of its own, and keeps its weights under the one before.
      let prefix = "\(node.weights ?? node.name)."
      for (name, tensor) in builder.tensors where name.hasPrefix(prefix) {
        guard let twin = other.builder.tensors[name], twin.shape == tensor.shape,
          twin.floats == tensor.floats
            || twin.floats.map(\.bitPattern) == tensor.floats.map(\.bitPattern)
        else { return node.name }
      }
    }
    return builder.nodes.count == other.builder.nodes.count ? nil : builder.nodes.last?.name
  }

  // MARK: The folder

  func draft(named name: String) throws(ImportError) -> FolderDraft {
    var draft = FolderDraft(name: name)
    // Inputs whose lengths have different names may differ in length. The steps of calls have no name in the source.
    let calls = inputs.first { $0.form != .vector && $0.steps == nil }?.name
    let axes = Set(inputs.compactMap { $0.form == .vector ? nil : $0.steps ?? calls })
    for input in inputs {
      let axis = axes.count > 1 && input.form != .vector ? input.steps ?? calls : nil
      draft.description.inputs.append(
        .init(name: input.name, kind: try kind(input), axis: axis, steps: input.exactSteps))
    }
    draft.description.nodes = builder.nodes
    draft.description.outputs = outputs.map {
      .init(name: $0, decode: decoded.contains($0) ? .argmax : nil)
    }
    for (name, tensor) in builder.tensors.sorted(by: { $0.key < $1.key }) {
      if let index = tensor.floats.firstIndex(where: { !$0.isFinite }) {
        throw ImportError(
          file: "", place: "tensor \"\(name)\"",
          problem:
            "found \(tensor.floats[index]) at \(index): weights must be finite in single precision",
          remedy: inputs.contains { $0.example == 1 }
            ? Remedy.moreSteps : "export a model whose weights are finite")
      }
      draft.add(tensor: name, shape: tensor.shape, tensor.floats)
    }
    draft.notes = builder.notes
    draft.callersStates = callersStates
    draft.reference = reference
    return draft
  }

  /// The rows of the smallest table that an input chooses from; nil if it chooses from none.
  private func tableSize(of input: Input) -> Int? {
    builder.nodes.filter { $0.inputs.contains(input.name) }
      .compactMap { builder.tensors["\($0.name).weight"]?.shape.first }.min()
  }

  private func missingTable(of input: Input) -> ImportError {
    ImportError(
      file: "", place: "input \"\(input.source)\"",
      problem: "found whole numbers that choose no rows of a table",
      remedy: "export the model with this input as floats")
  }

  /// Asks for whole numbers that choose no rows of a table as numbers, such as a mask that is compared with 0, and for ids of which
  /// steps are chosen; or as the elements of a vector, such as some ids of a series, where they are read one by one.
  func checkTables(_ l: inout Lowering) throws(ImportError) {
    for input in inputs where input.form == .tokens {
      let readers = builder.nodes.filter { $0.inputs.contains(input.name) }
      guard tableSize(of: input) == nil else {
        if readers.allSatisfy({ Self.takingIDs.contains($0.op.name) }) { continue }
        throw l.require(
          .numbers(input: input.source),
          or: ImportError(
            file: "", place: "input \"\(input.source)\"",
            problem: "found ids that are read otherwise than by a table",
            remedy: "let the model take them twice, as ids and as floats"))
      }
      if readers.count > 1, readers.allSatisfy(isOneStep),
        case .carried(let value)? = l.values[input.source],
        let origin = value.timeAtoms.first?.origin
      {
        throw l.require(.role(origin, .element), or: missingTable(of: input))
      }
      throw l.require(.numbers(input: input.source), or: missingTable(of: input))
    }
  }

  /// The names of ops that read ids.
  private static let takingIDs = [EmbeddingOp.name, EmbeddingBagOp.name, MaskOp.name]

  /// Whether a node is one step of its input, chosen by its index.
  private func isOneStep(_ node: ModelDescription.Node) -> Bool {
    let ends = [FirstOp.name, LastOp.name]
    let readers = builder.nodes.filter { $0.inputs.contains(node.name) }
    return ends.contains(node.op.name)
      || node.op.name == SliceStepsOp.name && readers.allSatisfy { ends.contains($0.op.name) }
  }

  private func kind(_ input: Input) throws(ImportError) -> ModelDescription.Input.Kind {
    switch input.form {
    case .vector: return .vector(size: input.size)
    case .sequence: return .features(size: input.size, mean: nil, scale: nil)
    case .tokens:
      guard let size = tableSize(of: input) else { throw missingTable(of: input) }
      return .tokens(size: size, vocabulary: nil)
    }
  }
}
