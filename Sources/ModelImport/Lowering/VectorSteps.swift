import ModelFormat

/// Sequences made of a vector: `linear(x).view(-1, steps, size)`, or one step, `x.unsqueeze(1)`.
enum VectorSteps {
  /// The most steps: each is some nodes of the graph.
  static let maxSteps = 100

  /// The value as a recurrent network reads it: a vector as a sequence, if it can be one.
  static func read(
    _ l: inout Lowering, _ node: SourceNode, _ x: CarriedValue, time: Int, states: [CarriedValue]
  ) throws(ImportError) -> CarriedValue {
    guard x.form == .vector else { return x }
    if let repeated = l.sequence(of: x, node) { return repeated }
    guard let made = try sequence(&l, node, x, time: time, states: states) else { return x }
    return made
  }

  /// The vector as a sequence; nil if its axis of steps is something else than elements.
  ///
  /// - Parameters:
  ///   - time: the axis of steps.
  ///   - states: the network's initial states. If an input has them, each call of the source graph may be a step.
  static func sequence(
    _ l: inout Lowering, _ node: SourceNode, _ x: CarriedValue, time: Int, states: [CarriedValue]
  ) throws(ImportError) -> CarriedValue? {
    let steps = x.axes[time]
    guard x.form == .vector, l.assumptions.makesStepsOfVectors, !l.assumptions.isStepwise,
      states.allSatisfy({ l.origins(of: $0.node).isEmpty })
    else { return nil }
    let name = node.outputs.first ?? node.name
    if steps.isEmpty {
      var result = x
      result.node = l.builder.emit(.repeat(steps: 1), [x.node], named: "\(name).step")
      result.form = .sequence
      return result
    }
    // Elements of an input are better read as steps of the input, where nothing needs them as elements.
    guard
      steps.allSatisfy({ atom in
        atom.role == .element
          && atom.origin.map { l.assumptions.stepsOfElements.contains($0) } ?? true
      })
    else { return nil }
    let count = x.shape[time]
    guard count <= maxSteps else {
      throw node.refusal(
        "\(count) steps that are made of a vector",
        because: "each takes nodes of its own, and at most \(maxSteps) are carried",
        instead: "let the model have the steps as an axis of its input")
    }
    let isOfExample = l.lengths.values.contains { $0.role == .time && l.exampleSteps[$0] == count }
    if count > 2, isOfExample { l.builder.note(Note.stepsOfExample(node.place, count)) }
    let others = x.foreignOrder.filter { !steps.contains($0) }
    let source = Layout.arranged(&l, x, steps + others, node)
    let size = source.size / count
    var parts: [String] = []
    for step in 0..<count {
      let elements = l.builder.emit(
        .slice(start: step * size, end: (step + 1) * size), [source.node],
        named: "\(name).elements")
      let one = l.builder.emit(.repeat(steps: 1), [elements], named: "\(name).step")
      parts.append(
        l.builder.emit(
          .padSteps(before: step, after: count - 1 - step), [one], named: "\(name).placed"))
    }
    var result = source
    result.node =
      count == 1 ? parts[0] : l.builder.emit(.add, parts, named: "\(name).steps")
    result.form = .sequence
    var atom = l.newAtom(count, .time)
    atom.isDerived = true
    result.axes[time] = [atom]
    result.elements = others
    return result
  }
}
