/// The matrices and biases of a Loop's body, and the cells that they may belong to.
struct LoopMatrices {
  /// The index among the loop's variables of the state that a matrix multiplies.
  let hidden: Int
  private let size: Int
  /// The gates' matrices side by side: [inputs, gates · H], [H, gates · H].
  private let input: SourceTensor
  private let recurrent: SourceTensor
  /// For a GRU whose reset gate is applied before the product: the candidate's matrix.
  private let behind: SourceTensor?
  private let biases: [[Double]]

  /// A node of ONNX and its inputs W, R and B.
  struct Candidate {
    let node: SourceNode
    let weights: [SourceTensor]
    var op: String { node.op }
  }

  /// Nil if the body has other products.
  init?(_ body: LoopBody, _ runner: LoopRunner) throws(ImportError) {
    guard runner.size > 0, runner.inputSize > 0 else { return nil }
    let zeros = Dictionary(uniqueKeysWithValues: runner.states.map { ($0, [0.0]) })
    let x = SourceTensor(repeating: 0, shape: [1, runner.inputSize])
    guard let values = try runner.run(x: x, states: zeros, mask: runner.mask == nil ? nil : 1)
    else { return nil }
    var depending = Set(body.reads.map(\.name) + runner.states.map { body.names[$0] })
    var (inputs, states, others): ([SourceTensor], [SourceTensor], [SourceTensor]) = ([], [], [])
    var hidden: Set<Int> = []
    var biases: [[Double]] = []
    for node in body.step.nodes {
      let sources = node.inputs.map { depending.contains($0) }
      guard sources.contains(true) else { continue }
      depending.formUnion(node.outputs)
      func constant(_ index: Int) -> SourceTensor? {
        guard let name = node.input(index), !depending.contains(name) else { return nil }
        return values[name]
      }
      switch node.op {
      case "MatMul", "Gemm":
        guard sources[0], var matrix = constant(1), matrix.rank == 2 else { return nil }
        if node.op == "Gemm" {
          guard node.float("alpha") ?? 1 == 1, node.float("beta") ?? 1 == 1,
            node.integer("transA", default: 0) == 0
          else { return nil }
          if node.integer("transB", default: 0) == 1 { matrix = matrix.permuted([1, 0]) }
          if let bias = constant(2) { biases.append(bias.dense) }
        }
        if body.origin(node.inputs[0]) == runner.sequence.name {
          inputs.append(matrix)
        } else if let state = body.variable(node.inputs[0]) {
          states.append(matrix)
          hidden.insert(state)
        } else {
          others.append(matrix)
        }
      case "Add" where sources.count == 2:
        let bias = constant(sources[0] ? 1 : 0)
        if let bias, bias.count >= runner.size, bias.count % runner.size == 0 {
          biases.append(bias.dense)
        }
      default: break
      }
    }
    guard hidden.count == 1, let state = hidden.first, others.count <= 1,
      let input = Self.beside(inputs), let recurrent = Self.beside(states),
      input.shape[0] == runner.inputSize, recurrent.shape[0] == runner.size,
      others.allSatisfy({ $0.shape == [runner.size, runner.size] })
    else { return nil }
    self.hidden = state
    (size, self.input, self.recurrent, behind) = (runner.size, input, recurrent, others.first)
    self.biases = biases
  }

  /// Matrices with the same number of rows, side by side.
  private static func beside(_ matrices: [SourceTensor]) -> SourceTensor? {
    guard let first = matrices.first else { return nil }
    if matrices.count == 1 { return first }
    let rows = first.shape[0]
    guard matrices.allSatisfy({ $0.shape[0] == rows }) else { return nil }
    let columns = matrices.reduce(0) { $0 + $1.shape[1] }
    var elements: [Double] = []
    for row in 0..<rows {
      for matrix in matrices {
        let count = matrix.shape[1]
        elements += matrix.dense[row * count..<(row + 1) * count]
      }
    }
    return SourceTensor(shape: [rows, columns], elements: elements)
  }

  // MARK: Candidates

  private typealias Function = (name: String, alpha: Double, beta: Double)

  /// The activations of gates, with the hard sigmoids of Keras 2 and 3. `alpha` and `beta` are passed only where they apply.
  private static let gates: [Function] = [
    ("Sigmoid", 0, 0), ("HardSigmoid", 1 / 6.0, 0.5), ("HardSigmoid", 0.2, 0.5), ("Tanh", 0, 0),
    ("Relu", 0, 0),
  ]
  private static let cells: [Function] = [
    ("Tanh", 0, 0), ("Relu", 0, 0), ("Softsign", 0, 0), ("Sigmoid", 0, 0), ("Elu", 1, 0),
    ("Softplus", 0, 0), ("Affine", 1, 0), ("HardSigmoid", 1 / 6.0, 0.5), ("HardSigmoid", 0.2, 0.5),
  ]

  /// All cells that these matrices may belong to, the usual ones first.
  func candidates() -> [Candidate] {
    let gateCount = input.shape[1] / size
    guard input.shape[1] % size == 0 else { return [] }
    switch gateCount {
    case 4 where behind == nil && recurrent.shape[1] == 4 * size:
      // Keras and PyTorch: i f c o. ONNX: i o f c.
      return functions(gates: true).map {
        candidate("LSTM", order: [0, 3, 1, 2], recurrent, [sum(biases), nil], $0 + [$0[1]])
      }
    case 3:
      let isBefore = behind != nil
      guard let all = isBefore ? Self.beside([recurrent] + (behind.map { [$0] } ?? [])) : recurrent,
        all.shape[1] == 3 * size
      else { return [] }
      let pairs: [[[Double]?]] =
        biases.count == 2
        ? [[biases[0], biases[1]], [biases[1], biases[0]]] : [[sum(biases), nil]]
      return pairs.flatMap { pair in
        functions(gates: true).map {
          candidate("GRU", order: [0, 1, 2], all, pair, $0, isAfter: !isBefore)
        }
      }
    case 1 where behind == nil && recurrent.shape[1] == size:
      return functions(gates: false).map {
        candidate("RNN", order: [0], recurrent, [sum(biases), nil], $0)
      }
    default: return []
    }
  }

  private func functions(gates: Bool) -> [[Function]] {
    guard gates else { return Self.cells.map { [$0] } }
    return Self.gates.flatMap { gate in Self.cells.map { [gate, $0] } }
  }

  private func sum(_ biases: [[Double]]) -> [Double]? {
    let full = biases.filter { $0.count == input.shape[1] }
    guard full.count == biases.count, let first = full.first else { return nil }
    return full.dropFirst().reduce(first) { sum, next in zip(sum, next).map { $0 + $1 } }
  }

  private func candidate(
    _ op: String, order: [Int], _ recurrent: SourceTensor, _ biases: [[Double]?],
    _ functions: [Function], isAfter: Bool = false
  ) -> Candidate {
    /// [rows, gates · H] as [1, gates · H, rows], with the gates reordered.
    func weights(_ matrix: SourceTensor) -> SourceTensor {
      let (rows, columns) = (matrix.shape[0], matrix.shape[1])
      var elements: [Double] = []
      for gate in order {
        for unit in 0..<size {
          for row in 0..<rows { elements.append(matrix[row * columns + gate * size + unit]) }
        }
      }
      return SourceTensor(shape: [1, columns, rows], elements: elements)
    }
    let zeros = Array(repeating: 0.0, count: order.count * size)
    let bias = biases.flatMap { bias -> [Double] in
      guard let bias, bias.count == zeros.count else { return zeros }
      return order.flatMap { bias[$0 * size..<($0 + 1) * size] }
    }
    let alphas = functions.filter { $0.alpha != 0 }.map(\.alpha)
    let betas = functions.filter { ["HardSigmoid", "Affine"].contains($0.name) }.map(\.beta)
    var attributes: [String: SourceAttribute] = [
      "hidden_size": .integer(size), "activations": .texts(functions.map(\.name)),
      "activation_alpha": .floats(alphas), "activation_beta": .floats(betas),
    ]
    if op == "GRU" { attributes["linear_before_reset"] = .integer(isAfter ? 1 : 0) }
    return Candidate(
      node: SourceNode(name: op, op: op, inputs: [], outputs: [], attributes: attributes),
      weights: [
        weights(input), weights(recurrent), SourceTensor(shape: [1, bias.count], elements: bias),
      ])
  }
}
