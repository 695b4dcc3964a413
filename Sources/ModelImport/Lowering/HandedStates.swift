import ModelFormat

/// Which inputs are handed on: what an input gives to initial states is, number by number, what an answer has of the final ones.
struct HandedStates {
  /// One number of a network's h or c.
  private struct Place: Hashable {
    let network: String
    let isCell: Bool
    let unit: Int
  }

  private let nodes: [String: ModelDescription.Node]
  /// The networks whose answer to one step is their h.
  private let steps: Set<String>
  /// The sizes of each network's h and c, as far as they are given.
  private var sizes: [String: [Bool: Int]] = [:]
  /// For each input, the numbers of initial states that each of its elements is.
  private var given: [String: [[Place]]] = [:]
  /// How many axes the arrays of inputs have.
  private let ranks: [String: Int]
  /// The numbers of final states that answers consist of, and how many axes their arrays have.
  private var answers: [(places: [Place], rank: Int)] = []

  init(
    _ nodes: [ModelDescription.Node], inputs: [FinishedGraph.Input],
    outputs: [(name: String, rank: Int)], steps: Set<String>
  ) {
    ranks = Dictionary(inputs.map { ($0.name, $0.rank) }, uniquingKeysWith: { one, _ in one })
    self.nodes = Dictionary(nodes.map { ($0.name, $0) }, uniquingKeysWith: { one, _ in one })
    self.steps = steps
    for input in inputs { given[input.name] = Array(repeating: [], count: input.size) }
    for node in nodes where node.op.recurrent != nil {
      for (slot, value) in node.inputs.dropFirst().enumerated() {
        guard let value, let (input, places) = elements(of: value) else { continue }
        sizes[node.name, default: [:]][slot == 1] = places.count
        for (unit, place) in places.enumerated() {
          given[input]?[place].append(Place(network: node.name, isCell: slot == 1, unit: unit))
        }
      }
    }
    answers = outputs.compactMap { output in finals(output.name).map { ($0, output.rank) } }
  }

  /// Whether each element of an input is one number of an initial state whose final one is answered, and an answer of the same
  /// numbers has them in the input's order and axes: of others it is a summary.
  func contains(_ input: String) -> Bool {
    guard let given = given[input], given.allSatisfy({ $0.count <= 1 }) else { return false }
    let places = given.compactMap(\.first)
    let own = Set(places)
    guard own.count == places.count, own.isSubset(of: answers.flatMap(\.places)) else {
      return false
    }
    let same = answers.filter { Set($0.places) == own }
    return same.isEmpty
      || same.contains { $0.places == places && $0.rank == ranks[input] }
  }

  /// The places in an input of what is selected of it; nil of other values.
  private func elements(of value: String) -> (input: String, places: [Int])? {
    if let all = given[value] { return (value, Array(all.indices)) }
    guard let node = nodes[value], let source = node.inputs.first ?? nil,
      let (input, places) = elements(of: source)
    else { return nil }
    return Self.selected(by: node.op, of: places).map { (input, $0) }
  }

  /// The numbers of final states that an answer consists of; nil of other answers.
  private func finals(_ value: String) -> [Place]? {
    for (suffix, isCell) in [(".hidden", false), (".cell", true)] where value.hasSuffix(suffix) {
      let network = String(value.dropLast(suffix.count))
      if nodes[network] != nil { return places(of: network, isCell: isCell) }
    }
    if steps.contains(value) { return places(of: value, isCell: false) }
    guard let node = nodes[value] else { return nil }
    if node.op.name == "concat" {
      var all: [Place] = []
      for input in node.inputs {
        guard let part = input.flatMap(finals) else { return nil }
        all += part
      }
      return all
    }
    guard let source = node.inputs.first ?? nil, let places = finals(source) else { return nil }
    return Self.selected(by: node.op, of: places)
  }

  private func places(of network: String, isCell: Bool) -> [Place]? {
    sizes[network]?[isCell].map { size in
      (0..<size).map { Place(network: network, isCell: isCell, unit: $0) }
    }
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
