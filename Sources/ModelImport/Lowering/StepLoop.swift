/// A Scan, or a Loop, over the steps of sequences: what it reads at each step, its states, and what it collects.
struct StepLoop {
  /// A value of the body that is a step of a sequence of the surrounding graph.
  struct Read {
    let name: String
    let sequence: String
    var isReversed = false
  }

  /// A value that goes from step to step: its name in the body, its first value in the surrounding graph, and what it is next.
  struct State {
    let name: String
    let first: String
    let next: String
  }

  /// An output of the node.
  enum Result {
    case state(Int)
    /// The values of a name of the body at all steps.
    case steps(String, isReversed: Bool)
    /// How many steps there are.
    case count
    /// A value of the surrounding graph, which the loop does not change.
    case same(String)
  }

  let node: SourceNode
  /// The body without the nodes that read steps.
  private(set) var body: SourceGraph
  private(set) var reads: [Read]
  private(set) var states: [State] = []
  private(set) var results: [Result] = []
  /// The values of the surrounding graph, by the body's names for them.
  private var constants: [String: String] = [:]

  /// Nil if it is no Scan over the first axis.
  init?(scan node: SourceNode) {
    guard node.op == "Scan", let body = node.graph("body"), body.inputs.count == node.inputs.count,
      let readCount = node.integer("num_scan_inputs"), readCount > 0,
      readCount <= node.inputs.count,
      ["scan_input_axes", "scan_output_axes"].allSatisfy({ key in
        (node.integers(key) ?? []).allSatisfy { $0 == 0 }
      })
    else { return nil }
    let stateCount = node.inputs.count - readCount
    guard body.outputs.count >= stateCount else { return nil }
    (self.node, self.body) = (node, body)
    let directions = node.integers("scan_input_directions") ?? []
    reads = (0..<readCount).map { index in
      Read(
        name: body.inputs[stateCount + index].name, sequence: node.inputs[stateCount + index],
        isReversed: directions.indices.contains(index) && directions[index] == 1)
    }
    for index in 0..<stateCount {
      addState(
        body.inputs[index], first: node.inputs[index], next: body.outputs[index],
        isCounter: body.inputs[index].kind == .integer)
    }
    let outward = node.integers("scan_output_directions") ?? []
    for (index, name) in body.outputs.dropFirst(stateCount).enumerated() {
      results.append(
        .steps(name, isReversed: outward.indices.contains(index) && outward[index] == 1))
    }
  }

  /// A Loop whose body reads steps by their number.
  init(_ loop: LoopBody) {
    (node, body) = (loop.node, loop.step)
    reads = loop.reads.map { Read(name: $0.name, sequence: $0.sequence) }
    for (index, variable) in loop.variables.enumerated() {
      let first = loop.node.inputs[index + 2]
      if variable == .constant {
        constants[loop.step.inputs[index + 2].name] = first
        results.append(.same(first))
        continue
      }
      addState(
        loop.step.inputs[index + 2], first: first, next: loop.next[index],
        isCounter: variable == .counter)
    }
    results += loop.scans.map { .steps($0, isReversed: false) }
  }

  private mutating func addState(
    _ input: SourceGraph.Input, first: String, next: String, isCounter: Bool
  ) {
    guard !isCounter else { return results.append(.count) }
    results.append(.state(states.count))
    states.append(State(name: input.name, first: first, next: next))
  }

  /// The name in the surrounding graph of what the body reads and does not make; nil for what differs from step to step.
  func outer(_ name: String) -> String? {
    constants[name] ?? (body.inputs.contains { $0.name == name } ? nil : name)
  }
}
