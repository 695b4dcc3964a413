/// The recurrent cell that a Loop's body computes. It is guessed from the body's matrices, and then verified: both are computed
/// with numbers and compared.
struct LoopCell {
  /// An LSTM, GRU or RNN of ONNX, with its weights as inputs 1 to 3.
  private(set) var node: SourceNode
  private(set) var weights: [SourceTensor]
  /// The indices of the states among the loop's variables: h and, for an LSTM, c. Other variables are previous answers.
  private(set) var hidden: Int
  private(set) var cell: Int?
  /// The answer at masked steps; nil without a mask.
  private(set) var masked: Masked?

  enum Masked {
    case previous, zero
  }

  /// Computes the body with numbers.
  private struct Trial {
    let x: SourceTensor
    let states: [Int: [Double]]
    let next: [Int: [Double]]
    let scans: [[Double]]
  }

  /// The largest difference between cell and body, whose constants are in single precision.
  private static let tolerance = 1e-5

  /// Nil if the body is no known cell.
  init?(_ l: inout Lowering, _ body: LoopBody) throws(ImportError) {
    guard let runner = try LoopRunner(&l, body) else { return nil }
    guard let matrices = try LoopMatrices(body, runner) else { return nil }
    var trials: [Trial] = []
    var numbers = runner.numbers()
    // Large numbers too, as they show bounds of activations.
    for scale in [1.0, 1, 20] {
      guard
        let trial = try Self.trial(
          runner, body, &numbers, scale: scale, mask: runner.mask == nil ? nil : 1)
      else { return nil }
      trials.append(trial)
    }
    for candidate in matrices.candidates() {
      for cell in candidate.op == "LSTM" ? runner.states.filter({ $0 != matrices.hidden }) : [-1] {
        guard
          try Self.fits(
            candidate, body, trials, hidden: matrices.hidden, cell: cell < 0 ? nil : cell)
        else { continue }
        (node, weights) = (candidate.node, candidate.weights)
        (hidden, self.cell) = (matrices.hidden, cell < 0 ? nil : cell)
        masked = nil
        guard runner.mask != nil else { return }
        guard let masked = try masking(runner, body, &numbers) else { return nil }
        self.masked = masked
        return
      }
    }
    return nil
  }

  private static func trial(
    _ runner: LoopRunner, _ body: LoopBody, _ numbers: inout LoopRunner.Numbers,
    scale: Double = 1, mask: Double?
  ) throws(ImportError) -> Trial? {
    let x = SourceTensor(
      shape: [1, runner.inputSize],
      elements: numbers.next(runner.inputSize).map { $0 * scale })
    var states: [Int: [Double]] = [:]
    for state in runner.states { states[state] = numbers.next(runner.size) }
    guard let values = try runner.run(x: x, states: states, mask: mask) else { return nil }
    var next: [Int: [Double]] = [:]
    for state in runner.states { next[state] = values[body.next[state]]?.dense }
    let scans = body.scans.map { values[$0]?.dense ?? [] }
    return Trial(x: x, states: states, next: next, scans: scans)
  }

  private static func isNear(_ a: [Double]?, _ b: [Double]) -> Bool {
    guard let a, a.count == b.count else { return false }
    return zip(a, b).allSatisfy { abs($0 - $1) <= tolerance * max(1, abs($1)) }
  }

  /// Whether a cell computes the same as the body.
  private static func fits(
    _ candidate: LoopMatrices.Candidate, _ body: LoopBody, _ trials: [Trial], hidden: Int,
    cell: Int?
  ) throws(ImportError) -> Bool {
    for trial in trials {
      func state(_ index: Int?) -> SourceTensor? {
        index.flatMap { trial.states[$0] }
          .map { SourceTensor(shape: [1, 1, $0.count], elements: $0) }
      }
      var operands: [SourceTensor?] = [trial.x.reshaped([1] + trial.x.shape)]
      operands += candidate.weights
      operands += [nil, state(hidden)]
      if cell != nil { operands.append(state(cell)) }
      guard
        let results = try Interpreter(opset: AtenTranslation.opset).evaluate(
          candidate.node, operands)
      else { return false }
      let h = results[1].dense
      for (index, next) in trial.next {
        let expected = index == cell ? results[2].dense : h
        guard isNear(next, expected) else { return false }
      }
      guard trial.scans.allSatisfy({ isNear($0, h) }) else { return false }
    }
    return true
  }

  /// The result of a masked step: unchanged states, and an answer.
  private func masking(
    _ runner: LoopRunner, _ body: LoopBody, _ numbers: inout LoopRunner.Numbers
  ) throws(ImportError) -> Masked? {
    guard let trial = try Self.trial(runner, body, &numbers, mask: 0) else { return nil }
    func isKept(_ state: Int) -> Bool {
      Self.isNear(trial.next[state], trial.states[state] ?? [])
    }
    guard [hidden, cell].allSatisfy({ $0.map(isKept) ?? true }) else { return nil }
    // The previous answer is a variable of its own; without one, the answer is zeros.
    let answers = runner.states.filter(isAnswer)
    if answers.allSatisfy(isKept) {
      for scan in trial.scans {
        if let answer = answers.first, Self.isNear(scan, trial.states[answer] ?? []) {
          return .previous
        }
        return scan.allSatisfy { $0 == 0 } ? .zero : nil
      }
      return .previous
    }
    let all = trial.scans + answers.compactMap { trial.next[$0] }
    return all.joined().allSatisfy { $0 == 0 } ? .zero : nil
  }

  /// Whether a state among the loop's variables is the previous answer.
  func isAnswer(_ state: Int) -> Bool { state != hidden && state != cell }
}

/// Computes a step of a Loop's body with numbers.
struct LoopRunner {
  /// The sequence that is read, and the mask.
  let sequence: LoopBody.Read
  let mask: LoopBody.Read?
  let inputSize: Int
  /// The size of a state, and the indices of the states among the variables.
  let size: Int
  let states: [Int]
  private let body: LoopBody
  private let opset: Int
  private var constants: [String: SourceTensor] = [:]

  /// Nil if the body reads more than a sequence and its mask, or carries anything but vectors of one size.
  init?(_ l: inout Lowering, _ body: LoopBody) throws(ImportError) {
    self.body = body
    opset = l.opset
    var (sequences, masks): ([(LoopBody.Read, Int)], [LoopBody.Read]) = ([], [])
    for read in body.reads {
      guard case .carried(let value) = try l.value(named: read.sequence, of: body.node),
        value.axes.count == 3
      else { return nil }
      if value.kind == .boolean, value.shape[2] == 1 {
        masks.append(read)
      } else {
        sequences.append((read, value.shape[2]))
      }
    }
    guard sequences.count == 1, masks.count <= 1 else { return nil }
    sequence = sequences[0].0
    inputSize = sequences[0].1
    mask = masks.first
    states = body.variables.indices.filter { body.variables[$0] == .state }
    var sizes: Set<Int> = []
    for index in states {
      let shape = try l.value(named: body.node.inputs[index + 2], of: body.node).shape
      guard shape.count == 2 else { return nil }
      sizes.insert(shape[1])
    }
    guard sizes.count == 1, let size = sizes.first else { return nil }
    self.size = size
    for (index, name) in body.names.enumerated() where body.variables[index] == .constant {
      guard
        case .constant(let tensor) = try l.value(named: body.node.inputs[index + 2], of: body.node)
      else { continue }
      constants[name] = Self.alone(tensor, l)
    }
    for name in body.needed {
      guard case .constant(let tensor) = try l.value(named: name, of: body.node) else {
        return nil
      }
      constants[name] = Self.alone(tensor, l)
    }
  }

  /// A constant with a row for each sequence of a batch, such as zeros for a state, cut to one sequence.
  private static func alone(_ tensor: SourceTensor, _ l: Lowering) -> SourceTensor {
    guard tensor.isUniform, let first = tensor.shape.first, tensor.rank > 1,
      l.lengths[first]?.role == .batch
    else { return tensor }
    return tensor.reshaped([1] + tensor.shape.dropFirst())
  }

  /// The values of a step; nil if one can't be computed.
  func run(
    x: SourceTensor, states: [Int: [Double]], mask given: Double?
  ) throws(ImportError) -> [String: SourceTensor]? {
    var inputs = constants
    inputs[sequence.name] = x
    if let mask, let given {
      inputs[mask.name] = SourceTensor(shape: [1, 1], kind: .boolean, elements: [given])
    }
    inputs[body.step.inputs[0].name] = Self.start
    inputs[body.step.inputs[1].name] = SourceTensor(shape: [], kind: .boolean, elements: [1])
    for (index, name) in body.names.enumerated() {
      switch body.variables[index] {
      case .counter: inputs[name] = Self.start
      case .state:
        inputs[name] = SourceTensor(shape: [1, size], elements: states[index] ?? [0])
      case .constant: break
      }
    }
    var interpreter = GraphInterpreter(opset: opset, inputs: inputs)
    do throws(ImportError) { try interpreter.run(body.step) } catch { return nil }
    return interpreter.values
  }

  /// The number of steps done.
  private static let start = SourceTensor(shape: [], kind: .integer, elements: [0])

  func numbers() -> Numbers { Numbers() }

  /// Reproducible numbers within ±1.5.
  struct Numbers {
    private var state: UInt64 = 0x9E37_79B9_7F4A_7C15

    mutating func next(_ count: Int) -> [Double] {
      (0..<count).map { _ in
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return Double(state >> 40) / Double(1 << 24) * 3 - 1.5
      }
    }
  }
}
