/// Loop and Scan, if they are recurrent networks, as in Keras's exports of networks with masks.
enum LoopLowering {
  static func lower(
    _ l: inout Lowering, _ node: SourceNode
  ) throws(ImportError) -> [LoweredValue]? {
    var loop: StepLoop?
    switch node.op {
    case "Scan": loop = StepLoop(scan: node)
    case "Loop":
      if let body = LoopBody(node), let steps = try steps(&l, body) {
        if let values = try network(&l, node, body, steps: steps) { return values }
        loop = StepLoop(body)
      }
    default: return nil
    }
    if let loop, let values = try LiftedLoop.lower(&l, loop) { return values }
    throw node.refusal(
      "a \(node.op) that is no LSTM, GRU or RNN over the steps of one sequence",
      because: "no op of a model folder does that", instead: Remedy.unknown(node.op))
  }

  /// How many steps a loop reads; nil if it does not read all of a sequence.
  private static func steps(_ l: inout Lowering, _ body: LoopBody) throws(ImportError) -> Int? {
    guard let read = body.reads.first,
      case .carried(let x) = try l.value(named: read.sequence, of: body.node), x.axes.count == 3,
      x.axes[0].count == 1
    else { return nil }
    try RecurrentLowering.checkAxes(&l, body.node, x, time: 0, batch: 1)
    guard try isEveryStep(&l, body, steps: x.shape[0]) else { return nil }
    return x.shape[0]
  }

  /// A loop that is one network, perhaps under a mask.
  private static func network(
    _ l: inout Lowering, _ node: SourceNode, _ body: LoopBody, steps: Int
  ) throws(ImportError) -> [LoweredValue]? {
    guard let runner = try LoopRunner(&l, body), let cell = try LoopCell(&l, body) else {
      return nil
    }
    let results = try network(&l, node, body, runner, cell)
    if let mask = runner.mask {
      guard case .carried(let value) = try l.value(named: mask.sequence, of: node),
        case .carried(let x) = try l.value(named: runner.sequence.sequence, of: node),
        value.axes[0] == x.axes[0], value.form == .sequence
      else { return nil }
      let straight = ComparisonLowering.straight(&l, value, node)
      l.builder.set(
        mask: straight.node, of: results[0].node, isZero: cell.masked == .zero)
    }
    return try outputs(&l, node, body, cell, results, steps: steps)
  }

  /// Whether the loop runs over all steps: by their number, or by its condition alone.
  private static func isEveryStep(
    _ l: inout Lowering, _ body: LoopBody, steps: Int
  ) throws(ImportError) -> Bool {
    switch try l.value(body.node, 0) {
    case nil: guard try !body.goesOn(&l, behind: steps - 1) else { return false }
    case .constant(let count):
      guard count.count == 1, SourceTensor.integer(count.first) == steps else { return false }
    case .carried, .pending: return false
    }
    switch try l.value(body.node, 1) {
    case nil: break
    case .constant(let condition): guard condition.first != 0 else { return false }
    case .carried, .pending: return false
    }
    guard steps > 1 else { return true }
    guard try body.goesOn(&l, behind: 0) else { return false }
    return try body.goesOn(&l, behind: steps - 2)
  }

  /// Adds the network's node; returns its steps, h and c, without an axis of directions.
  private static func network(
    _ l: inout Lowering, _ node: SourceNode, _ body: LoopBody, _ runner: LoopRunner,
    _ cell: LoopCell
  ) throws(ImportError) -> [CarriedValue] {
    let name = node.output(0) ?? node.name
    var own = cell.node
    own.name = node.name
    own.inputs = [runner.sequence.sequence]
    for (index, tensor) in cell.weights.enumerated() {
      own.inputs.append("\(name).weights.\(index)")
      l.define(own.inputs[index + 1], .constant(tensor))
    }
    own.inputs.append("")
    for index in [cell.hidden, cell.cell].compactMap({ $0 }) {
      let state = node.inputs[index + 2]
      let lifted = "\(name).state.\(index)"
      switch try l.value(named: state, of: node) {
      case .constant(let tensor): l.define(lifted, .constant(tensor.reshaped([1] + tensor.shape)))
      case .carried(var value):
        value.axes.insert([], at: 0)
        l.define(lifted, .carried(value))
      case .pending(let value): throw PatternLowering.refusal(node, value)
      }
      own.inputs.append(lifted)
    }
    own.outputs = ["\(name).steps"]
    var results: [CarriedValue] = []
    for (index, value) in (try RecurrentLowering.lower(&l, own) ?? []).enumerated() {
      guard case .carried(var carried) = value else { continue }
      carried.axes.remove(at: index == 0 ? 1 : 0)
      results.append(carried)
    }
    return results
  }

  private static func outputs(
    _ l: inout Lowering, _ node: SourceNode, _ body: LoopBody, _ cell: LoopCell,
    _ results: [CarriedValue], steps: Int
  ) throws(ImportError) -> [LoweredValue] {
    var values: [LoweredValue] = []
    for (index, variable) in body.variables.enumerated() {
      switch variable {
      case .counter:
        values.append(
          .constant(SourceTensor(shape: [], kind: .integer, elements: [Double(steps)])))
      case .constant: values.append(try l.value(named: node.inputs[index + 2], of: node))
      case .state where cell.masked == .zero && cell.isAnswer(index):
        // Zeros where the last step is masked, and no state.
        var last = results[0]
        last.node = l.builder.emit(.last, [last.node], named: "\(results[0].node).last")
        last.form = .vector
        last.axes.removeFirst()
        values.append(.carried(last))
      case .state: values.append(.carried(index == cell.cell ? results[2] : results[1]))
      }
    }
    return values + body.scans.map { _ in .carried(results[0]) }
  }
}
