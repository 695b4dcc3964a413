/// Numbers of a graph that come from how many steps there are. What stands in for an open number of steps is large, so that a comparison
/// with a number is decided as for long sequences alone.
struct LengthThresholds {
  /// The names of constants that are computed from the shapes of values.
  private var names: Set<String> = []

  /// What stands in for steps, also halved or so, is larger.
  private static let leastStandIn = 400.0
  private static let largestNumber = Double(1 << 20)

  /// Records what a node made of constants, or of a value's shape.
  mutating func record(_ value: LoweredValue, of node: SourceNode, named name: String) {
    guard case .constant = value,
      node.op == "Shape" || node.op == "Size" || node.inputs.contains(where: names.contains)
    else { return }
    names.insert(name)
  }

  /// Asks for one number of steps where a node with these constants compares an open one with a number.
  static func check(
    _ l: inout Lowering, _ node: SourceNode, _ operands: [SourceTensor?]
  ) throws(ImportError) {
    guard let atom = l.exampleSteps.thresholds.comparedLength(l, node, operands) else { return }
    try ExampleLength.keep(
      &l, [atom], node, "chooses by the number of steps")
  }

  /// The least number that makes a difference for some sequence.
  private static let leastNumbers: [String: Double] = [
    "Less": 2, "LessOrEqual": 1, "Greater": 1, "GreaterOrEqual": 2, "Equal": 2, "Max": 2, "Min": 1,
    "Mod": 2, "Clip": 2,
  ]

  private func comparedLength(
    _ l: Lowering, _ node: SourceNode, _ operands: [SourceTensor?]
  ) -> Atom? {
    guard let least = Self.leastNumbers[node.op], operands.count > 1 else { return nil }
    let sources = node.op == "Mod" || node.op == "Clip" ? [0] : Array(operands.indices)
    for place in sources {
      guard names.contains(node.inputs[place]), let lengths = operands[place] else { continue }
      let atoms = lengths.elements.prefix(16).map { Self.atom(of: $0, l) }
      guard atoms.contains(where: { $0 != nil }) else { continue }
      for (other, numbers) in operands.enumerated() where other != place {
        guard let numbers else { continue }
        for (index, atom) in atoms.enumerated() {
          guard let atom else { continue }
          let number =
            numbers.elements.count == lengths.elements.count
            ? numbers.elements[index] : numbers.first
          guard Self.atom(of: number, l) == nil, abs(number) <= Self.largestNumber else { continue }
          // Of a number less the steps, those for which it is as large.
          let length = lengths[index]
          let steps = length < 0 ? length + Double(atom.size) - number : number
          if steps >= least { return atom }
        }
      }
    }
    return nil
  }

  /// The open steps that a number comes from: it is theirs, some more or fewer, a multiple or a part; or a number less the steps.
  private static func atom(of given: Double, _ l: Lowering) -> Atom? {
    let number = abs(given)
    guard number >= leastStandIn, number.isFinite else { return nil }
    // Of several, the oldest: the input's own steps come before what is made of them.
    return l.lengths.values.filter { atom in
      guard atom.role == .time, atom.isOpen else { return false }
      let steps = Double(atom.size)
      return abs(number - steps) <= 32
        || (2...8).contains { (times: Int) -> Bool in
          abs(number * Double(times) - steps) <= 2 * Double(times)
            || abs(number - steps * Double(times)) <= 8
        }
    }.min { $0.id < $1.id }
  }
}
