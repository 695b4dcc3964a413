/// Computes a graph in double precision, node by node.
struct GraphInterpreter {
  private let interpreter: Interpreter
  private(set) var values: [String: SourceTensor]
  /// Constants that are not read yet.
  private var sources: [String: SourceConstant] = [:]

  /// - Parameter budget: what may be computed; nil: as much as constants and inputs account for.
  init(
    opset: Int, inputs: [String: SourceTensor], budget: Interpreter.Budget? = nil
  ) {
    interpreter = Interpreter(opset: opset, budget: budget, operands: Array(inputs.values))
    values = inputs
  }

  /// What a whole graph may take of each array that is computed for a check.
  static var checkBudget: Interpreter.Budget { Interpreter.Budget(base: 1 << 27) }

  mutating func run(_ graph: SourceGraph) throws(ImportError) {
    sources.merge(graph.constants) { first, _ in first }
    for node in graph.nodes {
      let results = try results(of: node)
      for (index, value) in results.enumerated() {
        // Its sizes are an example's, and no numbers that stand in for others.
        guard !value.isTooLargeToBeDense else {
          throw node.refusal(
            "an array of \(value.shape)",
            because: "arrays that are computed may have \(SourceTensor.maxElements) elements")
        }
        if let name = node.output(index) { values[name] = value }
      }
    }
  }

  private mutating func results(of node: SourceNode) throws(ImportError) -> [SourceTensor] {
    var operands: [SourceTensor?] = []
    for name in node.inputs { operands.append(name.isEmpty ? nil : try value(name, of: node)) }
    if node.op == "If" {
      guard let condition = operands.first ?? nil,
        let branch = node.graph(condition.first != 0 ? "then_branch" : "else_branch")
      else { throw node.refusal("no branch", because: "If has a condition and two branches") }
      try run(branch)
      var results: [SourceTensor] = []
      for name in branch.outputs { results.append(try value(name, of: node)) }
      return results
    }
    if node.op == "Loop" { return try loop(node, operands) }
    if node.op == "Scan" { return try scan(node, operands) }
    guard let results = try interpreter.evaluate(node, operands) else {
      throw node.refusal(
        "the operator \(node.op)", because: "the importer has no arithmetic for it")
    }
    return results
  }

  /// The most iterations of a loop.
  private static let maxRounds = 4096

  private mutating func loop(
    _ node: SourceNode, _ operands: [SourceTensor?]
  ) throws(ImportError) -> [SourceTensor] {
    guard let body = node.graph("body"), body.inputs.count == operands.count, operands.count >= 2,
      body.outputs.count + 1 >= operands.count
    else { throw node.refusal("a body", because: "it has other variables than the loop") }
    let rounds = operands[0].map { SourceTensor.integer($0.first) } ?? Int.max
    var goesOn = operands[1].map { $0.first != 0 } ?? true
    var variables = Array(operands.dropFirst(2))
    var scans = [[SourceTensor]](
      repeating: [], count: body.outputs.count - 1 - variables.count)
    var round = 0
    while goesOn, round < rounds {
      guard round < Self.maxRounds else {
        throw node.refusal(
          "more than \(Self.maxRounds) rounds", because: "so many are not computed")
      }
      values[body.inputs[0].name] = SourceTensor(
        shape: [], kind: .integer, elements: [Double(round)])
      values[body.inputs[1].name] = SourceTensor(shape: [], kind: .boolean, elements: [1])
      for (input, variable) in zip(body.inputs.dropFirst(2), variables) {
        values[input.name] = variable
      }
      try takeRound(of: node)
      try run(body)
      var results: [SourceTensor] = []
      for name in body.outputs { results.append(try value(name, of: node)) }
      goesOn = results[0].first != 0
      variables = Array(results.dropFirst().prefix(variables.count))
      for index in scans.indices { scans[index].append(results[1 + variables.count + index]) }
      round += 1
    }
    return try Self.results(of: node, variables, scans)
  }

  /// Loops within loops have rounds without end.
  private func takeRound(of node: SourceNode) throws(ImportError) {
    guard interpreter.budget.take(Interpreter.Budget.perNode) else {
      throw node.refusal(
        "more rounds than are computed", because: "the file's weights don't account for them")
    }
  }

  /// A Scan over first axes.
  private mutating func scan(
    _ node: SourceNode, _ operands: [SourceTensor?]
  ) throws(ImportError) -> [SourceTensor] {
    guard let loop = StepLoop(scan: node), let body = node.graph("body") else {
      throw node.refusal("a body", because: "it is no Scan over first axes")
    }
    let stateCount = operands.count - loop.reads.count
    var variables = Array(operands.prefix(stateCount))
    let sequences = operands.dropFirst(stateCount).map { $0 ?? SourceTensor(integers: []) }
    let rounds = sequences.map { $0.shape.first ?? 0 }.min() ?? 0
    guard sequences.allSatisfy({ $0.shape.first == rounds }), rounds <= Self.maxRounds else {
      throw node.refusal(
        "arrays of \(sequences.map(\.shape))",
        because: "they have as many steps as each other, at most \(Self.maxRounds)")
    }
    let numbers = sequences.map(\.dense)
    var scans = [[SourceTensor]](repeating: [], count: body.outputs.count - stateCount)
    for round in 0..<rounds {
      for (input, variable) in zip(body.inputs, variables) { values[input.name] = variable }
      for (index, (read, sequence)) in zip(loop.reads, sequences).enumerated() {
        let size = sequence.count / rounds
        let start = (read.isReversed ? rounds - 1 - round : round) * size
        values[read.name] = SourceTensor(
          shape: Array(sequence.shape.dropFirst()), kind: sequence.kind,
          elements: Array(numbers[index][start..<start + size]))
      }
      try takeRound(of: node)
      try run(body)
      var results: [SourceTensor] = []
      for name in body.outputs { results.append(try value(name, of: node)) }
      variables = Array(results.prefix(stateCount))
      for index in scans.indices { scans[index].append(results[stateCount + index]) }
    }
    for (index, result) in loop.results.dropFirst(stateCount).enumerated() {
      if case .steps(_, isReversed: true) = result { scans[index].reverse() }
    }
    return try Self.results(of: node, variables, scans)
  }

  /// The variables behind the last round, and what the rounds gave, put together.
  private static func results(
    of node: SourceNode, _ variables: [SourceTensor?], _ scans: [[SourceTensor]]
  ) throws(ImportError) -> [SourceTensor] {
    var results: [SourceTensor] = []
    for variable in variables {
      guard let variable else {
        throw node.refusal("a variable without a value", because: "each has one")
      }
      results.append(variable)
    }
    for scan in scans {
      let shape = scan.first?.shape ?? []
      guard scan.allSatisfy({ $0.shape == shape }),
        RowMajor.count([scan.count] + shape, limit: SourceTensor.maxElements) != nil
      else {
        throw node.refusal(
          "\(scan.count) rounds of \(shape)",
          because: "each gives an array of the same shape, and all fit one array")
      }
      results.append(
        SourceTensor(
          shape: [scan.count] + shape, kind: scan.first?.kind ?? .float,
          elements: scan.flatMap(\.dense)))
    }
    return results
  }

  private mutating func value(
    _ name: String, of node: SourceNode
  ) throws(ImportError) -> SourceTensor {
    if let value = values[name] { return value }
    guard let source = sources[name] else {
      throw node.refusal("the input \"\(name)\"", because: "no node before this one computes it")
    }
    let value = try source.tensor()
    interpreter.budget.add(value)
    values[name] = value
    return value
  }
}
