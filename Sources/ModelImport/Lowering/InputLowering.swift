import ModelFormat

/// The inputs of a source graph as values, with the roles of their axes: batch, steps or elements.
struct InputLowering {
  let graph: SourceGraph
  let assumptions: Assumptions
  let standIns: StandIns
  private let states: StateInputs
  /// The open sizes of states' axes of sequences, as the file names them.
  private var batchNames: [SourceGraph.Dimension] = []

  init(graph: SourceGraph, assumptions: Assumptions, standIns: StandIns) {
    self.graph = graph
    self.assumptions = assumptions
    self.standIns = standIns
    states = StateInputs(graph)
    for input in graph.inputs where isState(input) && input.dimensions.count > 1 {
      let batch = input.dimensions[states.batchAxis(input)]
      if case .named = batch { batchNames.append(batch) }
    }
    // The first axis of a vector is the batch, also of steps that come first: [batch, size] beside [steps, batch, size].
    for vector in graph.inputs where vector.kind == .float && vector.dimensions.count == 2 {
      guard case .named = vector.dimensions[0], case .fixed = vector.dimensions[1],
        graph.inputs.contains(where: { input in
          input.dimensions.count == 3 && input.dimensions[1] == vector.dimensions[0]
            && input.dimensions[0] != vector.dimensions[0]
        })
      else { continue }
      batchNames.append(vector.dimensions[0])
    }
  }

  private func isState(_ input: SourceGraph.Input) -> Bool {
    states.contains(input.name) || assumptions.readStates[input.name] != nil
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
        lowering.builder.note(Note.fixed(input.name, fixed))
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
      let steps = shape.filter { $0.role == .time && $0.size > 1 }
      guard input.kind != .integer || steps.count < 2 else {
        throw ImportError(
          file: "", place: "input \"\(input.name)\"",
          problem: "found ids with steps along two axes, expected one axis of them",
          remedy: Remedy.withinStep)
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
    if let axis = shape.lastIndex(where: { $0.role == .batch && !$0.isOpen && $0.size > 1 }),
      axis > 1
    {
      lowering.builder.note(
        "the network reads the \(shape[axis].size) parts of axis \(axis) of \"\(input.name)\" apart: each is a sequence of its own, to be sent so"
      )
    }
    let batches = shape.filter { $0.role == .batch && !$0.isOpen }.map(\.size)
    for atom in axes.joined() where atom.role == .time && !atom.isOpen {
      Self.limitSteps(&lowering, of: atom, asMany: batches)
    }
    let name = lowering.builder.unusedName(input.name)
    lowering.setOrigins(of: name, [input.name])
    lowering.setInput(name, input.name)
    let elements = axes.joined().filter { $0.role == .element }
    if input.kind == .boolean {
      lowering.builder.note(
        "the input \"\(input.name)\" is true or false in the file: a request has 1 or 0 in its place"
      )
    }
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
      exactSteps: isOneID ? 1 : nil, rank: shape.count)
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
        if let size = assumptions.sizes[Atom.Origin(input: input.name, axis: axis)]
          ?? (axis == states.rowAxis(input) ? assumptions.readStates[input.name] : nil)
        {
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
    let remedy =
      if let open = PaddingMasks(graph).openValues[input.name] {
        "if it marks padding, of which the sequences of a request have none, fix it: --set '\(input.name)=\(Float(open))'"
      } else {
        "give a number in the place of N (axes of 0 stay open): --shape '\(input.name)=\(shape.joined(separator: ","))'"
      }
    return ImportError(
      file: "", place: "input \"\(input.name)\"",
      problem:
        "found axis \(axis) (\"\(name)\") without a size: it holds the elements of a step, whose number is fixed",
      remedy: remedy)
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
    if !isState(input), !roles.contains(.batch),
      let axis = dimensions.indices.first(where: {
        roles[$0] == nil && batchNames.contains(dimensions[$0])
      })
    {
      roles[axis] = .batch
    }
    func next() -> Int? { roles.firstIndex { $0 == nil } }
    // The usual order is batch, steps, elements; a single axis is steps or elements.
    if isState(input), dimensions.count > 1 {
      // The order is mostly layers and directions, batch, units; some have an axis for h and c first.
      let batch = roles.contains(.batch) ? -1 : states.batchAxis(input)
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
