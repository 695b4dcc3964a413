import JSON
import ModelFormat

/// A recurrent cell of a layer, and the conversion of its weights.
struct KerasCell {
  let layer: KerasLayer
  let kind: Kind
  let units: Int
  let hasBias: Bool
  /// Whether the weights have cuDNN's layout.
  let isCuDNN: Bool
  /// Whether a gru's reset gate is applied after the product of the candidate's matrix and h.
  let isResetAfter: Bool

  enum Kind: Int {
    case lstm = 4
    case gru = 3
    case rnn = 1

    var gates: Int { rawValue }
  }

  static let kinds: [String: Kind] = [
    "LSTM": .lstm, "LSTMCell": .lstm, "CuDNNLSTM": .lstm,
    "GRU": .gru, "GRUCell": .gru, "CuDNNGRU": .gru,
    "SimpleRNN": .rnn, "SimpleRNNCell": .rnn,
  ]

  /// Nil for other classes.
  init?(_ layer: KerasLayer) throws(ImportError) {
    guard !layer.isCustom, let kind = Self.kinds[layer.className] else { return nil }
    self.layer = layer
    self.kind = kind
    // Keras 1's name is output_dim.
    units = try layer.integer(layer["units"] == nil ? "output_dim" : "units")
    guard units > 0 else { throw layer.refusal("units: found 0, expected 1 or more") }
    isCuDNN = layer.className.hasPrefix("CuDNN")
    hasBias = isCuDNN ? true : try layer.bool("use_bias", true)
    isResetAfter = isCuDNN ? true : try layer.bool("reset_after", false)
  }

  /// The number of weights that Keras lists.
  var weightCount: Int {
    if layer.source.version == 1, layer["consume_less"]?.string != "gpu" { return 3 * kind.gates }
    return hasBias ? 3 : 2
  }

  // MARK: The op

  /// The op for one direction or, with `backward`, for two.
  func op(
    direction: ModelDescription.Direction? = nil, backward: KerasCell? = nil,
    maskedOutput: MaskedOutput? = nil
  ) throws(ImportError) -> ModelDescription.Op {
    let activation = try cellActivation("activation", "activation", .tanh, backward)
    switch kind {
    case .lstm:
      var op = LSTMOp()
      (op.direction, op.maskedOutput) = (direction, maskedOutput)
      op.gateActivation = try cellActivation(
        "recurrent_activation", "inner_activation", .sigmoid, backward)
      op.activation = activation
      return .lstm(op)
    case .gru:
      var op = GRUOp()
      (op.direction, op.maskedOutput) = (direction, maskedOutput)
      op.gateActivation = try cellActivation(
        "recurrent_activation", "inner_activation", .sigmoid, backward)
      op.activation = activation
      op.reset = isResetAfter ? nil : .before
      return .gru(op)
    case .rnn:
      var op = RNNOp()
      (op.direction, op.maskedOutput) = (direction, maskedOutput)
      op.activation = activation
      return .rnn(op)
    }
  }

  /// An activation of the cell, or of both cells; nil for the op's default.
  private func cellActivation(
    _ key: String, _ oldKey: String, _ standard: ModelDescription.Op, _ backward: KerasCell?
  ) throws(ImportError) -> CellActivation? {
    let forward = try activation(key, oldKey, standard)
    guard let backward else { return forward.map { CellActivation($0) } }
    let other = try backward.activation(key, oldKey, standard)
    if forward == nil, other == nil { return nil }
    return CellActivation(forward: forward ?? standard, reverse: other ?? standard)
  }

  private func activation(
    _ key: String, _ oldKey: String, _ standard: ModelDescription.Op
  ) throws(ImportError) -> ModelDescription.Op? {
    if isCuDNN { return nil }
    let key = layer[key] == nil && layer[oldKey] != nil ? oldKey : key
    // Keras 1's default.
    let name = layer.source.version == 1 && standard == .sigmoid ? "hard_sigmoid" : standard.name
    return try KerasActivation(layer, key, standard: name)
      .cellOp(of: layer, key: key, standard: standard)
  }

  // MARK: Tensors

  /// Adds the cell's tensors under a prefix; `suffix` is `l0` or `l0_reverse`.
  func addTensors(
    to translation: inout KerasTranslation, prefix: String, suffix: String, inputs: Int,
    weights: KerasWeights
  ) throws(ImportError) {
    noteOlderWeights(in: &translation)
    let matrices = try read(weights, inputs: inputs)
    let rows = kind.gates * units
    translation.add(
      tensor: "\(prefix).weight_ih_\(suffix)", shape: [rows, inputs],
      ordered(matrices.input, columns: inputs))
    translation.add(
      tensor: "\(prefix).weight_hh_\(suffix)", shape: [rows, units],
      ordered(matrices.recurrent, columns: units))
    for (index, bias) in matrices.biases.enumerated() {
      let name = matrices.biases.count == 1 ? "bias" : ["bias_ih", "bias_hh"][index]
      translation.add(
        tensor: "\(prefix).\(name)_\(suffix)", shape: [rows], ordered(bias, columns: 1))
    }
  }

  /// Notes gates whose activation the layers' newer version may have filled in.
  private func noteOlderWeights(in translation: inout KerasTranslation) {
    guard let version = layer.source.olderWeights, kind != .rnn, !isCuDNN,
      layer["recurrent_activation"]?.string == "sigmoid"
    else { return }
    translation.note(
      "\(layer.place): its weights are of Keras \(version), where gates that nobody had given an activation were hard_sigmoid; "
        + "the layers beside them, of a newer Keras, say sigmoid, its own default. Where nobody had, give the network in model.json "
        + #""gate_activation": { "op": "hard_sigmoid", "slope": 0.2, "offset": 0.5 }"#)
  }

  /// The number of biases of the cell: 0, 1 or 2.
  var biasCount: Int {
    guard hasBias else { return 0 }
    return kind == .gru && isResetAfter ? 2 : 1
  }

  /// Reorders the rows of a matrix from Keras's gates (z r n of a gru) to the graph's (r z n).
  private func ordered(_ matrix: [Float], columns: Int) -> [Float] {
    guard kind == .gru else { return matrix }
    let gate = units * columns
    return Array(matrix[gate..<(2 * gate)] + matrix[..<gate] + matrix[(2 * gate)...])
  }

  /// Matrices [gates · units, inputs] and [gates · units, units] and biases [gates · units], gates in Keras's order.
  private struct Matrices {
    var input: [Float]
    var recurrent: [Float]
    var biases: [[Float]]
  }

  private func read(
    _ weights: KerasWeights, inputs: Int
  ) throws(ImportError) -> Matrices {
    if layer.source.version == 1, try weights.count(of: layer) == 3 * kind.gates, kind != .rnn {
      return try readSeparateGates(weights, inputs: inputs)
    }
    do throws(ImportError) { return try read(weights, inputs: inputs, isCuDNN: isCuDNN) } catch {
      // Weights of CuDNNLSTM and CuDNNGRU, which Keras loads into an LSTM and a GRU.
      guard !isCuDNN, hasBias, kind == .lstm || kind == .gru && isResetAfter,
        let matrices = try? read(weights, inputs: inputs, isCuDNN: true)
      else { throw error }
      return matrices
    }
  }

  private func read(
    _ weights: KerasWeights, inputs: Int, isCuDNN: Bool
  ) throws(ImportError) -> Matrices {
    let rows = kind.gates * units
    var expected = [(name: "kernel", shape: [inputs, rows]), ("recurrent_kernel", [units, rows])]
    if hasBias {
      let shape: [Int] =
        isCuDNN ? [2 * rows] : kind == .gru && isResetAfter ? [2, rows] : [rows]
      expected.append(("bias", shape))
    }
    let arrays = try weights.arrays(expected, of: layer)
    var matrices = Matrices(
      input: isCuDNN
        ? cuDNNMatrix(arrays[0], rows: inputs) : transposed(arrays[0], rows: inputs, columns: rows),
      recurrent: isCuDNN
        ? cuDNNMatrix(arrays[1], rows: units) : transposed(arrays[1], rows: units, columns: rows),
      biases: [])
    guard hasBias else { return matrices }
    let bias = arrays[2]
    guard bias.count == 2 * rows else {
      matrices.biases = [bias]
      return matrices
    }
    let halves = [Array(bias[..<rows]), Array(bias[rows...])]
    matrices.biases =
      kind == .gru ? halves : [zip(halves[0], halves[1]).map { $0 + $1 }]
    return matrices
  }

  /// In cuDNN's layout, the columns of a gate hold the gate's matrix [units, rows] row by row.
  private func cuDNNMatrix(_ matrix: [Float], rows: Int) -> [Float] {
    let columns = kind.gates * units
    var result: [Float] = []
    result.reserveCapacity(matrix.count)
    for gate in 0..<kind.gates {
      for row in 0..<rows {
        let start = row * columns + gate * units
        result += matrix[start..<(start + units)]
      }
    }
    return result
  }

  /// Merges Keras 1's separate W, U and b of each gate: i c f o of an lstm, z r h of a gru.
  private func readSeparateGates(
    _ weights: KerasWeights, inputs: Int
  ) throws(ImportError) -> Matrices {
    let names = kind == .lstm ? ["i", "c", "f", "o"] : ["z", "r", "h"]
    let arrays = try weights.arrays(
      names.flatMap { name in
        [
          (name: "W_\(name)", shape: [inputs, units]), ("U_\(name)", [units, units]),
          ("b_\(name)", [units]),
        ]
      }, of: layer)
    var matrices = Matrices(input: [], recurrent: [], biases: [[]])
    for gate in kind == .lstm ? [0, 2, 1, 3] : [0, 1, 2] {
      matrices.input += transposed(arrays[3 * gate], rows: inputs, columns: units)
      matrices.recurrent += transposed(arrays[3 * gate + 1], rows: units, columns: units)
      matrices.biases[0] += arrays[3 * gate + 2]
    }
    return matrices
  }
}
