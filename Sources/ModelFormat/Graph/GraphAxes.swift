/// The axes of a graph's values, and the bounds on a sequence's steps.
struct GraphAxes {
  /// The axes of the inputs first, then the axes that nodes create.
  private(set) var axes: [StepAxis] = []
  private(set) var inputAxes: [InputAxis] = []
  /// The axis of each input of the description; nil for a vector.
  private var ofInputs: [StepAxis?] = []
  private let description: ModelDescription

  init(_ description: ModelDescription) {
    self.description = description
    var named: [String?: StepAxis] = [:]
    for (index, input) in description.inputs.enumerated() {
      guard input.kind.hasSteps else {
        ofInputs.append(nil)
        continue
      }
      if named[input.axis] == nil {
        let axis = StepAxis(origin: axes.count)
        named[input.axis] = axis
        axes.append(axis)
        inputAxes.append(InputAxis(input: index))
      }
      ofInputs.append(named[input.axis])
      if let steps = input.steps, let origin = named[input.axis]?.origin {
        (inputAxes[origin].least, inputAxes[origin].most) = (steps, steps)
      }
    }
  }

  func axis(ofInput index: Int) -> StepAxis? { ofInputs[index] }

  /// The index of `axis` in `axes`; adds the axis if it is new.
  mutating func place(of axis: StepAxis) -> Int {
    if let place = axes.firstIndex(of: axis) { return place }
    axes.append(axis)
    return axes.count - 1
  }

  /// Records the bounds on the number of steps that a node sets, as bounds on the steps of the input axis that they
  /// come from.
  mutating func record(
    _ bound: NodeResolution.StepBound, node: String, path: String
  ) throws(ModelError) {
    let range = bound.range
    let least = bound.axis.leastOrigin(for: range.lowerBound)
    let most =
      range.upperBound == .max ? Int.max : bound.axis.mostOrigin(for: range.upperBound)
    guard let least, let most else {
      throw .unexpected(
        path: path, found: "\(bound.axis.count([])) steps",
        expected: range.upperBound == .max
          ? "at least \(range.lowerBound)" : "\(range.lowerBound) to \(range.upperBound)")
    }
    guard let origin = bound.axis.origin else { return }
    try checkExact(origin, least: least, most: most, node: node)
    if least > inputAxes[origin].least {
      inputAxes[origin].least = least
      inputAxes[origin].neededBy = node
    }
    if most < inputAxes[origin].most {
      inputAxes[origin].most = most
      inputAxes[origin].limitedBy = node
    }
    guard inputAxes[origin].least <= inputAxes[origin].most else {
      throw .unexpected(
        path: path, found: "at least \(inputAxes[origin].least) steps needed",
        expected: "at most \(inputAxes[origin].most)")
    }
  }

  /// Throws if an input whose `steps` say how many there are has fewer or more than a node takes: the model could answer nothing.
  private func checkExact(
    _ origin: Int, least: Int, most: Int, node: String
  ) throws(ModelError) {
    let index = ofInputs.indices.last {
      ofInputs[$0]?.origin == origin && description.inputs[$0].steps != nil
    }
    guard let index, let steps = description.inputs[index].steps, steps < least || steps > most
    else { return }
    let name = description.inputs[index].name.jsonExcerpt
    throw .unexpected(
      path: "inputs[\(index)].steps", found: "\(steps) steps of the input \(name)",
      expected: (steps < least ? "at least \(least), which" : "at most \(most):")
        + " node \(node.jsonExcerpt) \(steps < least ? "needs" : "takes no more")")
  }

  /// Throws if a node's inputs have different numbers of steps.
  func checkCommon(
    _ arguments: [NodeResolution.Argument], op: String
  ) throws(ModelError) {
    let sequences = arguments.filter { $0.axis != nil }
    guard let first = sequences.first,
      let other = sequences.first(where: { $0.axis != first.axis })
    else { return }
    throw .differentSteps(
      path: other.path, op: op, name: other.name, found: text(of: other.axis!),
      other: first.name, expected: text(of: first.axis!))
  }

  private func text(of axis: StepAxis) -> String {
    let input = axis.origin.map { description.inputs[inputAxes[$0].input].name.jsonExcerpt }
    return axis.text(origin: input ?? "")
  }
}
