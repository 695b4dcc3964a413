import Glibc

/// LSTM, GRU and RNN as ONNX defines them.
enum RecurrentOperators {
  /// The outputs of a node; nil for an operator of another family.
  static func evaluate(_ a: Interpreter.Arguments) throws(ImportError) -> [SourceTensor]? {
    switch a.node.op {
    case "LSTM", "GRU", "RNN": return try run(a)
    default: return nil
    }
  }

  private static func run(_ a: Interpreter.Arguments) throws(ImportError) -> [SourceTensor] {
    let cell = try RecurrentCell(
      a.node, w: try a.required(1), r: try a.required(2), b: a.optional(3), p: a.optional(7),
      projection: a.optional(RecurrentCell.projectionInput))
    let x = try a.required(0)
    guard x.rank == 3, x.shape[2] == cell.inputSize else {
      throw a.node.refusal(
        "X of \(x.shape)", because: "the last of three axes has \(cell.inputSize) elements")
    }
    let (steps, batch) = cell.isBatchFirst ? (x.shape[1], x.shape[0]) : (x.shape[0], x.shape[1])
    // h and c have the same size, unless there is a projection.
    let sizes = [cell.outputSize, cell.hiddenSize]
    try a.checkCount([steps, cell.directions, batch, sizes[1]])
    try a.takeMultiplications(
      steps, cell.directions, batch, cell.kind.gates * cell.hiddenSize,
      cell.inputSize + cell.outputSize)
    // A constant for the batch of the exporter's example: a sequence alone takes the first row.
    let given = a.optional(4)?.integers ?? Array(repeating: steps, count: batch)
    let lengths = batch == 1 ? Array(given.prefix(1)) : given
    let states = [a.optional(5), a.optional(6)].map { state in
      batch == 1 ? state.map { Self.firstRow($0, axis: cell.isBatchFirst ? 0 : 1) } : state
    }
    let stateShapes = sizes.map { size in
      cell.isBatchFirst ? [batch, cell.directions, size] : [cell.directions, batch, size]
    }
    for (state, shape) in zip(states, stateShapes) {
      if let state, state.shape != shape {
        throw a.node.refusal("a state of \(state.shape)", because: "it is \(shape) here")
      }
    }
    guard lengths.count == batch, lengths.allSatisfy({ (0...steps).contains($0) }) else {
      throw a.node.refusal(
        "sequence_lens of \(lengths.prefix(8))", because: "\(batch) sequences have \(steps) steps")
    }
    /// The offset of the state of a sequence and direction.
    func place(_ direction: Int, _ row: Int) -> Int {
      cell.isBatchFirst ? row * cell.directions + direction : direction * batch + row
    }
    let size = sizes[0]
    func outputStart(_ step: Int, _ direction: Int, _ row: Int) -> Int {
      cell.isBatchFirst
        ? ((row * steps + step) * cell.directions + direction) * size
        : ((step * cell.directions + direction) * batch + row) * size
    }
    var output = Array(repeating: 0.0, count: steps * cell.directions * batch * size)
    var finals = sizes.map { Array(repeating: 0.0, count: cell.directions * batch * $0) }
    for direction in 0..<cell.directions {
      let isReverse = direction == 1 || cell.isReverse
      for row in 0..<batch {
        let starts = sizes.map { place(direction, row) * $0 }
        var h = (0..<sizes[0]).map { states[0]?[starts[0] + $0] ?? 0 }
        var c = (0..<sizes[1]).map { states[1]?[starts[1] + $0] ?? 0 }
        for index in 0..<lengths[row] {
          let step = isReverse ? lengths[row] - 1 - index : index
          let from = (cell.isBatchFirst ? row * steps + step : step * batch + row) * cell.inputSize
          let input = (0..<cell.inputSize).map { x[from + $0] }
          RecurrentStep(cell: cell, direction: direction).advance(input, &h, &c)
          output.replaceSubrange(
            outputStart(step, direction, row)..<outputStart(step, direction, row) + size, with: h)
        }
        // A sequence without steps ends with zeros, as in ONNX Runtime.
        if lengths[row] == 0 { (h, c) = (h.map { _ in 0 }, c.map { _ in 0 }) }
        for (index, state) in [h, c].enumerated() {
          finals[index].replaceSubrange(starts[index]..<starts[index] + sizes[index], with: state)
        }
      }
    }
    let shape =
      cell.isBatchFirst
      ? [batch, steps, cell.directions, size] : [steps, cell.directions, batch, size]
    let results =
      [SourceTensor(shape: shape, elements: output)]
      + zip(finals, stateShapes).map { SourceTensor(shape: $1, elements: $0) }
    return cell.kind == .lstm ? results : Array(results.dropLast())
  }

  /// A state without the rows behind the first of a batch.
  private static func firstRow(_ state: SourceTensor, axis: Int) -> SourceTensor {
    state.rank == 3 && state.shape[axis] > 1 ? state.part(0..<1, along: axis) : state
  }
}

/// One step of a cell in one direction.
private struct RecurrentStep {
  let cell: RecurrentCell
  let direction: Int

  /// Row `row` of `matrix` times `x`.
  private func dot(_ matrix: [Double], _ row: Int, _ x: [Double]) -> Double {
    var sum = 0.0
    for column in x.indices { sum += matrix[row * x.count + column] * x[column] }
    return sum
  }

  private func clipped(_ x: Double) -> Double { cell.clip.map { min(max(x, -$0), $0) } ?? x }

  private func activate(_ index: Int, _ x: Double, isClipped: Bool = true) -> Double {
    let activation = cell.activations[direction][index]
    let x = isClipped ? clipped(x) : x
    switch activation.name {
    case "sigmoid": return 1 / (1 + exp(-x))
    case "tanh": return tanh(x)
    case "relu": return max(x, 0)
    case "affine": return (activation.alpha ?? 1) * x + (activation.beta ?? 0)
    case "leakyrelu": return x < 0 ? (activation.alpha ?? 0.01) * x : x
    case "thresholdedrelu": return x > (activation.alpha ?? 1) ? x : 0
    case "scaledtanh": return (activation.alpha ?? 1) * tanh((activation.beta ?? 1) * x)
    case "hardsigmoid":
      return min(max((activation.alpha ?? 0.2) * x + (activation.beta ?? 0.5), 0), 1)
    case "elu": return x < 0 ? (activation.alpha ?? 1) * expm1(x) : x
    case "softsign": return x / (1 + abs(x))
    case "softplus": return log1p(exp(x))
    default: return .nan
    }
  }

  func advance(_ x: [Double], _ h: inout [Double], _ c: inout [Double]) {
    let size = cell.hiddenSize
    let (w, r) = (cell.inputWeights[direction], cell.recurrentWeights[direction])
    let rows = cell.kind.gates * size
    func bias(_ row: Int) -> Double { cell.biases?[direction][row] ?? 0 }
    /// The argument of a gate, without the recurrent part of a GRU's candidate.
    func gate(_ index: Int, _ unit: Int, _ h: [Double]) -> Double {
      let row = index * size + unit
      return dot(w, row, x) + dot(r, row, h) + bias(row) + bias(rows + row)
    }
    func peephole(_ index: Int, _ unit: Int) -> Double {
      cell.peepholes?[direction][index * size + unit] ?? 0
    }
    var next = Array(repeating: 0.0, count: size)
    switch cell.kind {
    case .rnn:
      for unit in 0..<size { next[unit] = activate(0, gate(0, unit, h)) }
    case .lstm:
      var cells = c
      for unit in 0..<size {
        let i = activate(0, gate(0, unit, h) + peephole(0, unit) * c[unit])
        let f =
          cell.couplesForgetGate
          ? 1 - i : activate(0, gate(2, unit, h) + peephole(2, unit) * c[unit])
        cells[unit] = f * c[unit] + i * activate(1, gate(3, unit, h))
        let o = activate(0, gate(1, unit, h) + peephole(1, unit) * cells[unit])
        // ONNX Runtime doesn't clip the argument of the last activation.
        next[unit] = o * activate(2, cells[unit], isClipped: false)
      }
      c = cells
    case .gru:
      let z = (0..<size).map { activate(0, gate(0, $0, h)) }
      let reset = (0..<size).map { activate(0, gate(1, $0, h)) }
      let resetState = zip(reset, h).map { $0 * $1 }
      for unit in 0..<size {
        let row = 2 * size + unit
        let recurrent =
          cell.resetsAfter
          ? reset[unit] * (dot(r, row, h) + bias(rows + row))
          : dot(r, row, resetState) + bias(rows + row)
        let new = activate(1, dot(w, row, x) + bias(row) + recurrent)
        next[unit] = (1 - z[unit]) * new + z[unit] * h[unit]
      }
    }
    guard let projection = cell.projections?[direction] else {
      h = next
      return
    }
    h = (0..<cell.outputSize).map { dot(projection, $0, next) }
  }
}
