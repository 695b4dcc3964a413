import ModelFormat

/// What a person is told of a folder's inputs, and the limits that go with it.
extension FinishedGraph {
  /// Limits inputs to the one step of a call if what is computed with these states, beside a recurrent network, changes from step
  /// to step.
  mutating func limitToOneCall(_ states: [Input]) {
    callersStates = Set(states.map(\.name))
    guard let state = states.first else { return }
    let calls = inputs.indices.filter { inputs[$0].isOneStep }
    guard !calls.isEmpty else { return }
    for index in calls { inputs[index].exactSteps = 1 }
    builder.note(
      "the state \"\(state.source)\" is read by other nodes than a recurrent network: its caller keeps it, and a request is one step"
    )
  }

  /// Limits inputs to one step if no other is read, as of an exporter that traced a loop over the steps with one of them.
  mutating func limitToFirstStep(_ nodes: [ModelDescription.Node]) {
    var readers: [String: [ModelDescription.Node]] = [:]
    for node in nodes {
      for input in Set(node.inputs) { if let input { readers[input, default: []].append(node) } }
    }
    let turned = nodes.filter { $0.op.name == ReverseOp.name }
    for index in inputs.indices
    where inputs[index].form != .vector && inputs[index].exactSteps == nil
      && inputs[index].example == nil
    {
      guard readsFirstStepAlone(of: inputs[index].name, readers, turned) else { continue }
      inputs[index].exactSteps = 1
      builder.note(
        "of the input \"\(inputs[index].source)\" the first step alone is read, as if the exporter's example had one: sequences of "
          + "exactly 1 step are taken (\"steps\" in model.json); for others, export with an example of a fixed number of steps; \(Remedy.kerasFile)"
      )
    }
  }

  /// Tells of an example that is too short to tell a step of any sequence from one that was made of the length.
  ///
  /// - Parameter keepsStates: whether states go from call to call: each call may be one step.
  mutating func noteFewSteps(_ nodes: [ModelDescription.Node], keepsStates: Bool) {
    if let input = inputs.first(where: { $0.exactSteps == nil && $0.example == 1 }),
      !readsNoSequence, !keepsStates
    {
      builder.note(
        "the exporter's example has one step of the input \"\(input.source)\", which does not tell what the model does with several, such as "
          + "x.flip(1), x.roll(1, 1) or x[:, -1]: for longer sequences export with 8 steps or more"
      )
      return
    }
    guard nodes.contains(where: { [FirstOp.name, SliceStepsOp.name].contains($0.op.name) }),
      let input = inputs.first(where: { $0.exactSteps == nil && (2...5).contains($0.example ?? 0) })
    else { return }
    builder.note(
      "steps of the input \"\(input.source)\" are chosen, and the exporter's example of \(input.example ?? 0) is too short to tell "
        + "which of them come from its length: if the model computes with x.size(1), export with 8 steps or more"
    )
  }

  /// Whether a value is read at its first step alone, at once or behind weights that are applied to each step; or turned round, as
  /// a network reads it that goes backwards.
  private func readsFirstStepAlone(
    of value: String, _ readers: [String: [ModelDescription.Node]],
    _ turned: [ModelDescription.Node]
  ) -> Bool {
    let all = Self.eachStep + Self.overSteps
    // The last step is the first of those that are turned round, also of what is made of several steps.
    let isTurned = turned.contains { readsFirstAlone(of: $0.name, readers, behind: all) }
    return readsFirstAlone(of: value, readers, behind: isTurned ? all : Self.eachStep)
  }

  private static let eachStep = [LinearOp.name, AffineOp.name, EmbeddingOp.name]
  private static let overSteps = [
    ReverseOp.name, ConvOp.name, Conv2DOp.name, MaxPoolOp.name, AveragePoolOp.name,
    TransposeOp.name, ReLUOp.name,
  ]

  private func readsFirstAlone(
    of value: String, _ readers: [String: [ModelDescription.Node]], behind ops: [String]
  ) -> Bool {
    var (pending, seen) = ([value], Set([value]))
    while let value = pending.popLast() {
      guard let found = readers[value], !outputs.contains(value) else { return false }
      for reader in found where reader.op.name != FirstOp.name {
        guard ops.contains(reader.op.name) else { return false }
        if seen.insert(reader.name).inserted { pending.append(reader.name) }
      }
    }
    return true
  }

  /// Tells of inputs whose arrays are turned round in the source.
  mutating func noteLayouts(_ lowering: Lowering) {
    for input in inputs {
      guard case .carried(let value)? = lowering.values[input.source],
        let axis = value.stepsBehindElements
      else { continue }
      let place = axis == value.axes.count - 1 ? "the last axis" : "axis \(axis)"
      let others = value.axes.map { $0.filter { $0.role == .element }.reduce(1) { $0 * $1.size } }
        .filter { $0 > 1 }
      let order = others.count > 1 ? ", in the order of the axes \(others)" : ""
      builder.note(
        "the input \"\(input.source)\" has its steps in \(place) of the file's array: a question has the \(value.size) numbers "
          + "of a step side by side, [steps, \(value.size)]\(order)"
      )
    }
  }

  /// Tells that the file is made for one number of steps, where no number in it is known to depend on that.
  mutating func noteExample(steps: Int) {
    guard !readsNoSequence, inputs.allSatisfy({ $0.exactSteps == nil }),
      !builder.notes.contains(where: { $0.contains("of exactly") })
    else { return }
    builder.note(
      "the file's shapes are those of an example of \(steps) steps: sequences of others are answered by the same weights, and --check compares \(steps) steps alone"
    )
  }
}
