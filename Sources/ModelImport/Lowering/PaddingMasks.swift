/// Inputs that mark the padding of a batch, found by what attention does with them: `scores.masked_fill(mask, -1e9)`, or
/// `scores + (1 - mask) * -1e9`. The sequences of a folder have no padding.
struct PaddingMasks {
  /// For each such input, the value that masks nothing.
  private(set) var openValues: [String: Double] = [:]
  private var contradicted: Set<String> = []
  private let graph: SourceGraph
  private let producers: NodeProducers

  /// Scores below this weigh nothing behind a softmax.
  private static let maskedScore = -1e3

  init(_ graph: SourceGraph) {
    self.graph = graph
    producers = NodeProducers(graph)
    for node in graph.nodes where node.inputs.count >= 2 {
      switch node.op {
      case "Where" where node.inputs.count == 3:
        // The condition chooses the scores.
        if isMasked(node.inputs[1]) { expect(0, of: node.inputs[0]) }
        if isMasked(node.inputs[2]) { expect(1, of: node.inputs[0]) }
      case "Mul":
        for (mask, score) in [(0, 1), (1, 0)] where isMasked(node.inputs[score]) {
          expect(0, of: node.inputs[mask])
        }
      default: break
      }
    }
    for name in contradicted { openValues[name] = nil }
  }

  private func isMasked(_ name: String) -> Bool {
    number(name).map { $0 <= Self.maskedScore } ?? false
  }

  private func number(_ name: String?) -> Double? { producers.number(name, of: graph) }

  /// Finds the value of the input that makes this value of what is made of it alone.
  private mutating func expect(_ value: Double, of name: String) {
    var (name, value) = (name, value)
    for _ in 0..<64 {
      guard let node = producers[name] else { break }
      guard let first = node.input(0) else { return }
      switch node.op {
      case _ where NodeConsumers.moving.contains(node.op): name = first
      case "Not": (name, value) = (first, 1 - value)
      case "Sub":
        if let whole = number(first), let second = node.input(1) {
          (name, value) = (second, whole - value)
        } else if let less = number(node.input(1)) {
          (name, value) = (first, value + less)
        } else {
          return
        }
      case "Equal":
        guard let second = node.input(1), let other = number(second) ?? number(first) else {
          return
        }
        name = number(second) == nil ? second : first
        value = value == 0 ? (other == 0 ? 1 : 0) : other
      default: return
      }
    }
    // The mask of a vocabulary, say, has sizes.
    guard let input = graph.inputs.first(where: { $0.name == name }), input.isOpen(from: 1) else {
      return
    }
    if openValues.updateValue(value, forKey: name).map({ $0 != value }) ?? false {
      contradicted.insert(name)
    }
  }
}
