import ModelFormat

/// Translates a source graph to a folder: finds the roles of its inputs' axes, translates the nodes, and keeps those that lead
/// to an output.
package struct GraphTranslation {
  let graph: SourceGraph
  var options: Options

  /// The person's options for a model.
  package struct Options: Sendable {
    /// Inputs that are constants.
    package var fixed: [String: SourceTensor] = [:]
    /// The sizes of inputs' axes.
    package var shapes: [String: [Int]] = [:]
    /// Whether inputs with a recurrent network's states stay inputs.
    package var keepsStates = false
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
    self.options = options
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

  private var hasOpenSizes: Bool {
    graph.inputs.contains {
      $0.dimensions.contains { if case .named = $0 { true } else { false } }
    }
  }

  /// The source graph with the places of its values in the folder.
  private func reference(
    _ lowering: Lowering, _ finished: FinishedGraph
  ) -> SourceReference {
    let assumptions = lowering.assumptions
    var (inputs, others): ([(String, CarriedValue)], [(String, [Int], SourceReference.Fill)]) = (
      [], []
    )
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
          others.append((input.name, value.shape, .zeros))
        }
      }
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
    return SourceReference(
      graph: graph, inputs: inputs, others: others, values: values, open: lowering.lengths,
      isStepwise: assumptions.isStepwise || finished.readsNoSequence)
  }

  func translated(
    _ standIns: StandIns, carriesLengths: Bool = false, divides: Bool = false
  ) throws(ImportError) -> FinishedGraph {
    var assumptions = Assumptions(options)
    (assumptions.carriesLengths, assumptions.dividesByLengths) = (carriesLengths, divides)
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
        ExampleLength.recordChosen(&lowering)
        for index in inputs.indices { inputs[index].takeSteps(of: lowering) }
        var finished = FinishedGraph(
          builder: lowering.builder, inputs: inputs, states: lowering.finalStates)
        for output in graph.outputs { try finished.add(output: output, &lowering, graph) }
        try finished.finish(keepsStates: options.keepsStates)
        try finished.checkTables(&lowering)
        if let missing = finished.missingSize(lowering) { throw missing }
        finished.noteLayouts(lowering)
        let reference = reference(lowering, finished)
        if !reference.isStepwise, let steps = reference.fixedSteps, steps > 1 {
          finished.noteExample(steps: steps)
        }
        finished.reference = reference
        finished.meetsResizedSteps = lowering.exampleSteps.meetsResized
        return finished
      } catch {
        guard attempts < Self.maxAttempts, let requirement = lowering.requirement,
          assumptions.adopt(requirement)
        else {
          if !lowering.isMixing, let axis = lowering.requirement?.axis, let first = conflicts[axis]
          {
            throw standIns.named(in: first)
          }
          throw standIns.missingSize(in: lowering, behind: error) ?? standIns.named(in: error)
        }
        if let axis = lowering.requirement?.axis { conflicts[axis] = error }
      }
    }
  }
}

/// The inputs of a source graph as values, with the roles of their axes: batch, steps or elements.
struct InputLowering {
  let graph: SourceGraph
  let assumptions: Assumptions
  let standIns: StandIns
  private let states: StateInputs

  init(graph: SourceGraph, assumptions: Assumptions, standIns: StandIns) {
    self.graph = graph
    self.assumptions = assumptions
    self.standIns = standIns
    states = StateInputs(graph)
  }

  /// An axis of an input.
  private struct InputAxis {
    let size: Int
    let role: Atom.Role
    let isOpen: Bool
  }

  /// Defines the inputs in `lowering`, and returns the folder's.
  func lower(_ lowering: inout Lowering) throws(ImportError) -> [FinishedGraph.Input] {
    var inputs: [FinishedGraph.Input] = []
    var stepNames: [String] = []
    for input in graph.inputs {
      if let fixed = assumptions.fixed[input.name] {
        lowering.define(
          input.name,
          .constant(SourceTensor(shape: fixed.shape, kind: input.kind, elements: fixed.elements)))
        lowering.builder.note(
          "\"\(input.name)\" is fixed: \(fixed.count == 1 ? "\(fixed[0])" : "an array of \(fixed.shape)")"
        )
        continue
      }
      let shape = try sizes(input, &stepNames, &lowering)
      if let steps = assumptions.lengths[input.name] {
        lowering.define(
          input.name,
          .constant(
            SourceTensor(repeating: Double(steps), shape: shape.map(\.size), kind: .integer)))
        lowering.builder.note(
          "\"\(input.name)\", the length of each sequence, is left out: a sequence is as long as it is given"
        )
        continue
      }
      inputs.append(lower(input, shape, &lowering))
    }
    return inputs
  }

  private func lower(
    _ input: SourceGraph.Input, _ shape: [InputAxis], _ lowering: inout Lowering
  ) -> FinishedGraph.Input {
    var axes: [[Atom]] = []
    for (axis, dimension) in shape.enumerated() {
      let origin = Atom.Origin(input: input.name, axis: axis)
      switch dimension.role {
      case .element:
        var atom = lowering.newAtom(dimension.size, origin: origin)
        atom.isOpen = dimension.isOpen
        axes.append([atom])
      case .batch, .time:
        let atom = lowering.lengthAtom(
          dimension.size, dimension.role, origin: origin, isOpen: dimension.isOpen)
        axes.append([atom])
        let hint = input.hints.indices.contains(axis) ? input.hints[axis] : nil
        if dimension.role == .time { lowering.exampleSteps.setRoot(atom, hint: hint, of: origin) }
        if input.example.indices.contains(axis), let steps = input.example[axis] {
          lowering.exampleSteps.set(steps, of: atom)
        }
      }
    }
    let name = lowering.builder.unusedName(input.name)
    lowering.setOrigins(of: name, [input.name])
    lowering.setInput(name, input.name)
    let elements = axes.joined().filter { $0.role == .element }
    let hasSteps = axes.joined().contains { $0.role == .time }
    let isStep =
      assumptions.isStepwise && !assumptions.states.contains(input.name) && !shape.isEmpty
    var value = CarriedValue(
      node: name, form: hasSteps || isStep ? .sequence : .vector, axes: axes,
      elements: Array(elements), kind: input.kind
    ).withoutSingles
    // One id for the whole sequence, such as that of the series.
    let isOneID =
      input.kind == .integer && value.elements.isEmpty && !isStep && !shape.isEmpty
      && graph.inputs.count > 1 && axes.joined().allSatisfy { $0.role == .batch || $0.size == 1 }
    if isOneID {
      value.axes = axes.map { $0.filter { $0.role == .batch } }
      value.form = .tokens
    }
    if input.kind == .integer, value.elements.isEmpty, hasSteps || isStep { value.form = .tokens }
    lowering.define(input.name, .carried(value))
    return FinishedGraph.Input(
      name: name, source: input.name, form: value.form, size: value.size,
      isScalar: shape.isEmpty, kind: input.kind,
      steps: isOneID
        ? name : value.timeAtoms.first?.origin.map { FolderDraft.name(from: $0.input) },
      exactSteps: isOneID ? 1 : nil)
  }

  /// The sizes and roles of an input's axes.
  private func sizes(
    _ input: SourceGraph.Input, _ stepNames: inout [String], _ lowering: inout Lowering
  ) throws(ImportError) -> [InputAxis] {
    let given = assumptions.shapes[input.name]
    let fixed = input.dimensions.compactMap { dimension in
      if case .fixed(let size) = dimension { size } else { nil }
    }
    guard RowMajor.count(fixed, limit: Lowering.maxElements) != nil else {
      throw ImportError(
        file: "", place: "input \"\(input.name)\"",
        problem: "found the sizes \(fixed), expected at most \(Lowering.maxElements) elements")
    }
    if let given, given.count != input.dimensions.count {
      throw ImportError(
        file: "", place: "input \"\(input.name)\"",
        problem: "found a shape of \(given.count) sizes, expected \(input.dimensions.count)")
    }
    // A size of 1 given for an open batch is ignored: sequences are answered one by one.
    let dimensions = input.dimensions.enumerated().map { axis, dimension in
      guard let size = given?[axis], size > 0 else { return dimension }
      if axis == 0, size == 1, input.dimensions.count > 1, case .named = dimension {
        return dimension
      }
      return SourceGraph.Dimension.fixed(size)
    }
    let roles = roles(input, dimensions)
    var result: [InputAxis] = []
    for (axis, dimension) in dimensions.enumerated() {
      switch (dimension, roles[axis]) {
      case (.fixed(let size), let role):
        result.append(InputAxis(size: size, role: role, isOpen: false))
      case (.named, .time)
      where assumptions.sizes[Atom.Origin(input: input.name, axis: axis)] != nil:
        let size = assumptions.sizes[Atom.Origin(input: input.name, axis: axis)] ?? 1
        result.append(InputAxis(size: size, role: .time, isOpen: false))
      case (.named, .batch)
      where assumptions.sizes[Atom.Origin(input: input.name, axis: axis)] != nil:
        let size = assumptions.sizes[Atom.Origin(input: input.name, axis: axis)] ?? 1
        result.append(InputAxis(size: size, role: .batch, isOpen: false))
      case (.named, .batch):
        result.append(InputAxis(size: standIns.batch, role: .batch, isOpen: true))
      case (.named(let name), .time):
        let known = assumptions.sameSteps[name] ?? name
        lowering.setStepName(Atom.Origin(input: input.name, axis: axis), known)
        if !stepNames.contains(known) { stepNames.append(known) }
        guard let index = stepNames.firstIndex(of: known), index < standIns.steps.count else {
          throw ImportError(
            file: "", place: "input \"\(input.name)\"",
            problem:
              "found more than \(standIns.steps.count) axes of steps with lengths of their own")
        }
        result.append(InputAxis(size: standIns.steps[index], role: .time, isOpen: true))
      case (.named(let name), .element):
        if let size = assumptions.sizes[Atom.Origin(input: input.name, axis: axis)] {
          result.append(InputAxis(size: size, role: .element, isOpen: false))
          continue
        }
        // Weights may tell the size later.
        let problem = missingSize(input, axis, name)
        let used = lowering.missingSizes.count
        guard used < standIns.elements.count, lowering.missingSizes[input.name] == nil else {
          throw problem
        }
        lowering.setMissingSize(input.name, problem)
        result.append(InputAxis(size: standIns.elements[used], role: .element, isOpen: true))
      }
    }
    return result
  }

  /// The error for an input whose number of elements is unknown.
  private func missingSize(
    _ input: SourceGraph.Input, _ axis: Int, _ name: String
  ) -> ImportError {
    let shape = input.dimensions.enumerated().map { place, dimension in
      if case .fixed(let size) = dimension { return "\(size)" }
      return place == axis ? "N" : "0"
    }
    let size =
      "give the size in the place of N, 0 for one that stays open: --shape '\(input.name)=\(shape.joined(separator: ","))'"
    let isOfIDs = input.kind == .integer
    return ImportError(
      file: "", place: "input \"\(input.name)\"",
      problem: "found axis \(axis) (\"\(name)\") without a size: "
        + (isOfIDs
          ? "ids are one a step, [batch, steps]"
          : "it holds the elements of a step, whose number is fixed"),
      remedy: isOfIDs
        ? "\(Remedy.severalIDs); of whole numbers that are no ids, \(size)" : size
    )
  }

  /// The role of each axis: as operators need it, else the usual one.
  private func roles(
    _ input: SourceGraph.Input, _ dimensions: [SourceGraph.Dimension]
  ) -> [Atom.Role] {
    if assumptions.lengths[input.name] != nil { return dimensions.map { _ in .batch } }
    var roles = dimensions.indices.map {
      assumptions.roles[Atom.Origin(input: input.name, axis: $0)]
    }
    func isOpen(_ axis: Int) -> Bool {
      if case .named = dimensions[axis] { true } else { false }
    }
    func next() -> Int? { roles.firstIndex { $0 == nil } }
    // The usual order is batch, steps, elements; a single axis is steps or elements.
    if states.contains(input.name), dimensions.count > 1 {
      // The order is layers and directions, batch, units; some have an axis for h and c first.
      let batch = roles.contains(.batch) ? -1 : dimensions.count - 2
      return roles.enumerated().map { $1 ?? ($0 == batch ? .batch : .element) }
    }
    // Numbers a step, such as a mask, have the axes of ids.
    let isToken = input.kind != .float || assumptions.numbers.contains(input.name)
    let isOne = assumptions.isStepwise && !isReadWhole(input, dimensions)
    let known = roles.compactMap { $0 }.count
    if !roles.contains(.batch), let axis = next(), dimensions.count > 1,
      dimensions.count - known > 1 || isToken || isOpen(axis) && roles.contains(.time)
    {
      roles[axis] = .batch
    }
    let open = roles.indices.filter { roles[$0] == nil }
    // If one axis is open and another fixed, the fixed one is not the steps.
    if !roles.contains(.time), !isOne, let axis = open.first(where: isOpen) ?? next(),
      isToken || isOpen(axis) || open.count > 1
    {
      roles[axis] = .time
    }
    return roles.map { $0 ?? .element }
  }
}
