import ModelFormat

/// Translates a source graph to a folder: finds the roles of its inputs' axes, translates the nodes, and keeps those that lead
/// to an output.
package struct GraphTranslation {
  private(set) var graph: SourceGraph
  var options: Options
  /// The graph with which the folder's values are compared, if it is another.
  private var original: SourceGraph?
  /// The inputs of the original that are zeros at a sequence's beginning.
  private var caches: [SourceGraph.Input] = []
  /// The axes of inputs that hold steps because caches stand before them.
  private var cachedAxes: Set<Atom.Origin> = []

  /// The person's options for a model.
  package struct Options: Sendable {
    /// Inputs that are constants.
    package var fixed: [String: SourceTensor] = [:]
    /// The sizes of inputs' axes.
    package var shapes: [String: [Int]] = [:]
    /// Whether inputs with a recurrent network's states stay inputs.
    package var keepsStates = false
    /// Whether the model is the decoder of a pair, whose states stay inputs and whose cells are nodes all the same.
    var isDecoder = false
    /// Whether the elements of a vector may become steps. Not where other meanings of the inputs' axes are still to be tried.
    var makesStepsOfVectors = true
    /// Whether inputs of whole numbers may be numbers, and not ids. Not where that they are whole is a guess.
    var takesWholeNumbers = true
    /// Whether steps that were resized are cropped to those that they meet.
    var cropsSteps = false

    package init() {}
  }

  package init(_ graph: SourceGraph, options: Options = Options()) {
    self.graph = Einsum.expanded(graph)
    if let moved = QuantizedBias.behindScales(self.graph) {
      (self.graph, original) = (moved, self.graph)
    }
    if graph.constants.values.contains(where: \.isHalf) {
      self.graph.notes.append(Note.halfWeights)
    }
    self.options = options
    for (name, tensor) in options.fixed.sorted(by: { $0.key < $1.key }) where tensor.count == 1 {
      guard let input = self.graph.inputs.first(where: { $0.name == name }), input.isOpen(from: 1),
        self.graph.fill(name, with: tensor[0])
      else { continue }
      self.options.fixed[name] = nil
      self.graph.notes.append(Note.fixed(name, tensor))
    }
  }

  /// The most translations that are tried.
  private static let maxAttempts = 64

  /// The steps are odd in one and even in the other: half of them, or what a stride leaves, differs by which they are.
  static let standIns = [
    StandIns(batch: 7919, steps: [1009, 1499, 1999, 2503], elements: [3001, 3253, 3511, 3761]),
    StandIns(batch: 8101, steps: [1006, 1502, 1994, 2498], elements: [3089, 3347, 3593, 3847]),
  ]

  /// The folder.
  ///
  /// - Throws: if a node can't be translated.
  package func folder(named name: String) throws(ImportError) -> FolderDraft {
    guard !options.keepsStates, let cached = CachedSteps(graph) else {
      return try withCells(named: name)
    }
    var translation = self
    (translation.graph, translation.original) = (cached.graph, graph)
    (translation.caches, translation.cachedAxes) = (cached.inputs, cached.axes)
    if var draft = try? translation.withCells(named: name), CachedSteps.areCallsParts(of: draft) {
      draft.keepsCaches = true
      return draft
    }
    return try withCells(named: name)
  }

  private func withCells(named name: String) throws(ImportError) -> FolderDraft {
    // States that stay with the caller are those of the graph as it is written.
    guard !options.keepsStates || options.isDecoder, let cells = WrittenCells(graph) else {
      return try plain(named: name)
    }
    var translation = self
    (translation.graph, translation.original) = (cells.graph, original ?? graph)
    if options.isDecoder { return try translation.plain(named: name) }
    let plain = Result { () throws(ImportError) in try self.plain(named: name) }
    let names = Set(cells.states.map(FolderDraft.name(from:)))
    guard let draft = try? translation.plain(named: name),
      draft.description.inputs.allSatisfy({ !names.contains($0.name) })
    else { return try plain.get() }
    // Where an input has steps beside the cell's one, as what a decoder attends to, they would be its elements.
    let inputs = (try? plain.get())?.description.inputs ?? []
    let isBeside = draft.description.inputs.contains { input in
      inputs.contains { $0.name == input.name && $0.kind.size != input.kind.size }
    }
    return isBeside ? try plain.get() : draft
  }

  private func plain(named name: String) throws(ImportError) -> FolderDraft {
    let first = try translated(Self.standIns[0])
    guard hasOpenSizes else { return try draft(of: first, named: name) }
    let second = try translated(Self.standIns[1])
    if first.hasSameWeights(as: second) { return try draft(of: first, named: name) }
    for divides in [false, true] {
      if let draft = try? draftCarryingLengths(named: name, divides: divides) { return draft }
    }
    throw ImportError(
      file: "", place: first.firstDifference(from: second).map { "node \"\($0)\"" },
      problem:
        "found numbers that depend on how many steps or sequences there are: a folder's weights are the same for all",
      remedy: Remedy.ofTheLength)
  }

  private var hasOpenSizes: Bool { graph.inputs.contains { $0.isOpen() } }

  /// The source graph with the places of its values in the folder.
  private func reference(
    _ lowering: Lowering, _ finished: FinishedGraph
  ) -> SourceReference {
    let assumptions = lowering.assumptions
    var (inputs, others): ([(String, CarriedValue)], [(String, [Int], SourceReference.Fill)]) = (
      [], []
    )
    let states = StateInputs(graph)
    for input in graph.inputs {
      guard let value = lowering.values[input.name] else { continue }
      if let steps = assumptions.lengths[input.name] {
        others.append((input.name, value.shape, .steps(steps)))
      } else if case .constant(let tensor) = value {
        others.append((input.name, tensor.shape, .constant(tensor)))
      } else if case .carried(let carried) = value {
        if finished.inputs.contains(where: { $0.source == input.name }) {
          inputs.append((input.name, carried))
        } else {
          var shape = value.shape
          // Rows of states that no operator counts.
          if shape.count == 3, let rows = states.rows(input.name),
            let axis = carried.axes.prefix(2).firstIndex(where: { atoms in
              atoms.contains { $0.isOpen && $0.role == .element }
            })
          {
            shape[axis] = rows
          }
          others.append((input.name, shape, .zeros))
        }
      }
    }
    let batch = lowering.lengths.filter { $0.value.role == .batch }.keys.min() ?? 1
    for cache in caches {
      let shape = cache.dimensions.indices.map { $0 == 0 ? batch : cache.size($0) ?? 1 }
      others.append((cache.name, shape, .zeros))
    }
    let nodes = Set(finished.builder.nodes.map(\.name))
    var values: [(String, CarriedValue)] = []
    for name in graph.nodes.flatMap(\.outputs) {
      guard case .carried(var value)? = lowering.values[name], value.kind == .float,
        !value.isRounded
      else { continue }
      value.node = finished.renamed[value.node] ?? value.node
      if nodes.contains(value.node) { values.append((name, value)) }
    }
    for name in graph.outputs {
      guard case .carried(var value)? = lowering.values[name] else { continue }
      value.node = FolderDraft.name(from: name)
      value.elements = value.foreignOrder
      if nodes.contains(value.node), finished.outputs.contains(value.node) {
        values.append((name, value))
      }
    }
    var source = original ?? graph
    for index in source.inputs.indices {
      source.inputs[index].takeExample(lowering.values[source.inputs[index].name], of: lowering)
    }
    return SourceReference(
      graph: source, inputs: inputs, others: others, values: values,
      open: lowering.lengths,
      isStepwise: assumptions.isStepwise || finished.readsNoSequence)
  }

  func translated(
    _ standIns: StandIns, carriesLengths: Bool = false, divides: Bool = false
  ) throws(ImportError) -> FinishedGraph {
    var assumptions = Assumptions(options)
    (assumptions.carriesLengths, assumptions.dividesByLengths) = (carriesLengths, divides)
    assumptions.areSizesGuessed = graph.inputs.contains(where: \.isGuessed)
    for input in graph.inputs where !input.isGuessed {
      for (axis, dimension) in input.dimensions.enumerated() {
        guard case .fixed(let size) = dimension, size <= VectorSteps.maxSteps else { continue }
        assumptions.fixedAxes.insert(Atom.Origin(input: input.name, axis: axis))
      }
    }
    for axis in cachedAxes { assumptions.roles[axis] = .time }
    assumptions.takeLayeredStates(of: graph)
    let usual = assumptions
    var failure: ImportError?
    // The first error where steps over which a norm goes are then tried as elements.
    var doubted: ImportError?
    var attempts = 0
    // The first errors that an input's axis has another role.
    var conflicts: [Atom.Origin: ImportError] = [:]
    while true {
      attempts += 1
      var lowering = Lowering(graph, assumptions: assumptions)
      do throws(ImportError) {
        for output in graph.outputs where !graph.inputs.contains(where: { $0.name == output }) {
          lowering.builder.reserve(output)
        }
        var graph = graph
        for index in graph.inputs.indices
        where assumptions.wholeNumbers.contains(graph.inputs[index].name) {
          graph.inputs[index].kind = .integer
        }
        for index in graph.inputs.indices
        where assumptions.numbers.contains(graph.inputs[index].name) {
          graph.inputs[index].kind = .float
        }
        var inputs = try InputLowering(
          graph: graph, assumptions: assumptions, standIns: standIns
        ).lower(&lowering)
        try lowering.lower(graph)
        try StepNormalization.confirm(&lowering)
        ExampleLength.recordChosen(&lowering)
        for index in inputs.indices { inputs[index].takeSteps(of: lowering) }
        var finished = FinishedGraph(
          builder: lowering.builder, inputs: inputs, states: lowering.finalStates)
        for output in graph.outputs { try finished.add(output: output, &lowering, graph) }
        try finished.finish(keepsStates: options.keepsStates)
        try finished.checkTables(&lowering)
        if let missing = finished.missingSize(lowering) { throw missing }
        for input in inputs {
          try BatchMixing.check(input, lowering)
          if assumptions.wholeNumbers.contains(input.source), input.form != .tokens,
            !lowering.tableIndices.contains(input.source)
          {
            finished.builder.note(Note.truncated(input.source))
          }
        }
        finished.noteLayouts(lowering)
        let reference = reference(lowering, finished)
        if !reference.isStepwise, let steps = reference.fixedSteps, steps > 1 {
          finished.noteExample(steps: steps)
        }
        finished.reference = reference
        finished.meetsResizedSteps = lowering.exampleSteps.meetsResized
        return finished
      } catch {
        let doubt = lowering.requirement == nil ? StepNormalization.doubt(lowering) : nil
        guard attempts < Self.maxAttempts, let requirement = lowering.requirement ?? doubt,
          assumptions.adopt(requirement)
        else {
          if let doubted { throw doubted }
          let refusal = refusal(error, lowering, conflicts, standIns)
          if attempts < Self.maxAttempts, failure == nil, !lowering.isMixing,
            let states = usual.withReadStates(of: graph)
          {
            (assumptions, conflicts, failure) = (states, [:], refusal)
            continue
          }
          // With states that attention reads, other nodes may be refused, which tells more.
          guard let failure, refusal.remedy == nil else { throw refusal }
          throw failure
        }
        assumptions.spread(requirement, over: graph)
        if doubt != nil { doubted = doubted ?? refusal(error, lowering, conflicts, standIns) }
        if let axis = lowering.requirement?.axis {
          conflicts[axis] = conflicts[axis] ?? standIns.named(in: error, lowering)
        }
      }
    }
  }

  /// The error that a person is told.
  private func refusal(
    _ error: ImportError, _ lowering: Lowering, _ conflicts: [Atom.Origin: ImportError],
    _ standIns: StandIns
  ) -> ImportError {
    // The limit is no number that stands in for another.
    if lowering.hasTooManyNodes { return error }
    if !lowering.isMixing, let axis = lowering.requirement?.axis, let first = conflicts[axis] {
      return first
    }
    return standIns.missingSize(in: lowering, behind: error) ?? standIns.named(in: error, lowering)
  }
}

extension SourceGraph.Input {
  /// Takes the example's steps that values behind the input tell, where its own axes tell none.
  fileprivate mutating func takeExample(_ value: LoweredValue?, of lowering: Lowering) {
    guard example.isEmpty, case .carried(let value)? = value, value.axes.count == dimensions.count
    else { return }
    example = value.axes.map { axis in
      axis.first.flatMap { $0.role == .time && $0.isOpen ? lowering.exampleSteps[$0] : nil }
    }
  }
}
