import ModelFormat

/// Which inputs are handed on: what an input gives to initial states is, number by number, what an answer has of the final ones.
struct HandedStates {
  /// A network's h or c.
  private struct State: Hashable {
    let network: String
    let isCell: Bool
  }

  /// The networks whose answer to one step is their h.
  private let steps: Set<String>
  /// The numbers of each state that is given, each by a number of its own.
  private var numbers: [State: Range<Int>] = [:]
  /// For each input, the numbers of initial states that each of its elements is.
  private var given: [String: [[Int]]] = [:]
  /// How many axes the arrays of inputs have.
  private let ranks: [String: Int]
  /// The numbers of final states that answers consist of, and how many axes their arrays have.
  private var answers: [(numbers: [Int], rank: Int)] = []
  /// How many elements are followed: of more, states stay with the caller.
  private var room = 1 << 22

  init(
    _ nodes: [ModelDescription.Node], inputs: [FinishedGraph.Input],
    outputs: [(name: String, rank: Int)], steps: Set<String>
  ) {
    ranks = Dictionary(inputs.map { ($0.name, $0.rank) }, uniquingKeysWith: { one, _ in one })
    self.steps = steps
    findGiven(nodes, inputs)
    let made = finals(nodes)
    answers = outputs.compactMap { output in final(output.name, made).map { ($0, output.rank) } }
  }

  /// Follows the elements of inputs to the initial states that they are.
  private mutating func findGiven(
    _ nodes: [ModelDescription.Node], _ inputs: [FinishedGraph.Input]
  ) {
    var chosen: [String: (input: String, places: [Int])] = [:]
    for input in inputs where input.form == .vector && takes(input.size) {
      given[input.name] = Array(repeating: [], count: input.size)
      chosen[input.name] = (input.name, Array(0..<input.size))
    }
    var count = 0
    for node in nodes {
      guard node.op.recurrent != nil else {
        guard let source = node.inputs.first ?? nil, let (input, places) = chosen[source],
          let selected = Self.selected(by: node.op, of: places), takes(selected.count)
        else { continue }
        chosen[node.name] = (input, selected)
        continue
      }
      for (slot, value) in node.inputs.dropFirst().enumerated() {
        guard let value, let (input, places) = chosen[value] else { continue }
        numbers[State(network: node.name, isCell: slot == 1)] = count..<(count + places.count)
        for (unit, place) in places.enumerated() { given[input]?[place].append(count + unit) }
        count += places.count
      }
    }
  }

  /// The numbers of final states that nodes consist of which select or join such states alone.
  private mutating func finals(_ nodes: [ModelDescription.Node]) -> [String: [Int]] {
    var made: [String: [Int]] = [:]
    for node in nodes where node.op.recurrent == nil {
      let parts = node.inputs.map { $0.flatMap { final($0, made) } }
      guard let first = parts.first ?? nil, parts.allSatisfy({ $0 != nil }) else { continue }
      let all =
        node.op.name == "concat"
        ? parts.flatMap { $0 ?? [] } : Self.selected(by: node.op, of: first)
      if let all, takes(all.count) { made[node.name] = all }
    }
    return made
  }

  private func final(_ value: String, _ made: [String: [Int]]) -> [Int]? {
    if let known = made[value] { return known }
    if steps.contains(value) {
      return numbers[State(network: value, isCell: false)].map(Array.init)
    }
    for (suffix, isCell) in [(".hidden", false), (".cell", true)] where value.hasSuffix(suffix) {
      let network = String(value.dropLast(suffix.count))
      return numbers[State(network: network, isCell: isCell)].map(Array.init)
    }
    return nil
  }

  /// Counts elements to be followed; false if there are too many.
  private mutating func takes(_ count: Int) -> Bool {
    room -= count
    return room >= 0
  }

  /// Whether each element of an input is one number of an initial state whose final one is answered, and an answer of the same
  /// numbers has them in the input's order and axes: of others it is a summary.
  func contains(_ input: String) -> Bool {
    guard let given = given[input], given.allSatisfy({ $0.count <= 1 }) else { return false }
    let numbers = given.compactMap(\.first)
    let own = Set(numbers)
    guard own.count == numbers.count, own.isSubset(of: answers.flatMap(\.numbers)) else {
      return false
    }
    let same = answers.filter { Set($0.numbers) == own }
    return same.isEmpty
      || same.contains { $0.numbers == numbers && $0.rank == ranks[input] }
  }

  /// What an op that selects or moves elements makes of these; nil of other ops.
  private static func selected<Element>(
    by op: ModelDescription.Op, of elements: [Element]
  ) -> [Element]? {
    let size = elements.count
    switch op.definition {
    case let slice as SliceOp:
      func place(_ index: Int) -> Int { min(max(index < 0 ? index + size : index, 0), size) }
      return stride(from: place(slice.start), to: place(slice.end ?? size), by: slice.stride)
        .map { elements[$0] }
    case let gather as GatherOp:
      guard gather.indices.allSatisfy(elements.indices.contains) else { return nil }
      return gather.indices.map { elements[$0] }
    case let transpose as TransposeOp:
      guard transpose.rows > 0, size.isMultiple(of: transpose.rows) else { return nil }
      let columns = size / transpose.rows
      return (0..<size).map { elements[$0 % transpose.rows * columns + $0 / transpose.rows] }
    default: return nil
    }
  }
}
