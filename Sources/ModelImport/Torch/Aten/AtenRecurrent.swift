/// PyTorch's LSTM, GRU and RNN, with a node for each layer.
enum AtenRecurrent {
  private enum Kind {
    case lstm, gru
    case rnn(activation: String)

    var op: String {
      switch self {
      case .lstm: "LSTM"
      case .gru: "GRU"
      case .rnn: "RNN"
      }
    }

    /// The order of ONNX's gates among PyTorch's: i f g o → i o f c; r z n → z r h.
    var order: [Int] {
      switch self {
      case .lstm: [0, 3, 1, 2]
      case .gru: [1, 0, 2]
      case .rnn: [0]
      }
    }
  }

  static func translate(_ t: inout AtenTranslation, _ call: AtenCall) throws(ImportError)
    -> AtenValue?
  {
    switch call.name {
    case "lstm": return try network(&t, .lstm, call)
    case "gru": return try network(&t, .gru, call)
    case "rnn_tanh": return try network(&t, .rnn(activation: "Tanh"), call)
    case "rnn_relu": return try network(&t, .rnn(activation: "Relu"), call)
    case "lstm_cell": return try cell(&t, .lstm, call)
    case "gru_cell": return try cell(&t, .gru, call)
    case "rnn_tanh_cell": return try cell(&t, .rnn(activation: "Tanh"), call)
    case "rnn_relu_cell": return try cell(&t, .rnn(activation: "Relu"), call)
    default: return nil
    }
  }

  // MARK: Networks

  /// `lstm(input, hx, params, has_biases, num_layers, dropout, train, bidirectional, batch_first)`; of packed sequences
  /// `lstm(data, batch_sizes, hx, params, has_biases, num_layers, dropout, train, bidirectional)`.
  private static func network(
    _ t: inout AtenTranslation, _ kind: Kind, _ call: AtenCall
  ) throws(ImportError) -> AtenValue {
    var x: AtenTensor
    var lengths: AtenValue?
    var isBatchFirst: Bool
    let first: Int
    if case .packed(let data, let given, let isFirst)? = call.value(0, "data") {
      (x, lengths, isBatchFirst, first) = (data, given, isFirst, 2)
    } else {
      x = try call.tensor(0, "input")
      (lengths, isBatchFirst, first) = (nil, call.bool(8, "batch_first"), 1)
    }
    let states: [AtenTensor]
    if case .tensor(let state)? = call.value(first, "hx") {
      states = [state]
    } else {
      states = try call.tensors(first, "hx")
    }
    let params = try call.tensors(first + 1, "params")
    let layers = try call.int(first + 3, "num_layers")
    let hasBiases = call.bool(first + 2, "has_biases")
    let directions = call.bool(first + 6, "bidirectional") ? 2 : 1
    // Dropout is between the layers.
    let ratio = try call.number(first + 4, "dropout", default: 0)
    if call.bool(first + 5, "train"), ratio > 0, layers > 1 {
      throw call.failure(
        "train=True", because: "dropout would be at work",
        instead: "call model.eval() before the export")
    }
    // With a projection, weight_hr comes after the biases.
    let plain = hasBiases ? 4 : 2
    let isProjected = params.count == layers * directions * (plain + 1) && kind.op == "LSTM"
    let each = isProjected ? plain + 1 : plain
    guard (1...1000).contains(layers), params.count == layers * directions * each else {
      throw call.failure(
        "\(params.count) weights for \(layers) layers",
        because: "there are \(plain) a layer and direction, or one more with a projection")
    }
    let isUnbatched = x.rank == 2 && lengths == nil
    if isUnbatched { x = AtenShapes.unsqueeze(&t, x, 1, call) }
    let swaps = isBatchFirst && !isUnbatched
    if swaps { x = AtenShapes.transposed(&t, x, [1, 0, 2], call) }
    var ends: [[AtenTensor]] = []
    for layer in 0..<layers {
      let own = Array(params[layer * directions * each..<(layer + 1) * directions * each])
      let initial = states.map { state in
        let lifted =
          isUnbatched && state.rank == 2 ? AtenShapes.unsqueeze(&t, state, 1, call) : state
        return part(
          &t, lifted, layer * directions..<(layer + 1) * directions, of: layers * directions, call)
      }
      let node = try self.layer(
        &t, kind, x, initial, own, hasBiases: hasBiases, isProjected: isProjected,
        directions: directions, lengths: lengths, call)
      x = node[0]
      ends.append(Array(node.dropFirst()))
    }
    if swaps { x = AtenShapes.transposed(&t, x, [1, 0, 2], call) }
    if isUnbatched { x = t.emit("Squeeze", [x, t.ints([1])], rank: 2, of: call) }
    var results: [AtenValue] = [
      lengths.map { .packed(x, lengths: $0, isBatchFirst: isBatchFirst) } ?? .tensor(x)
    ]
    if lengths != nil { results.append(.other("batch sizes")) }
    for index in ends[0].indices {
      var end =
        layers == 1
        ? ends[0][index]
        : t.emit("Concat", ends.map { $0[index] }, ["axis": .integer(0)], rank: 3, of: call)
      if isUnbatched { end = t.emit("Squeeze", [end, t.ints([1])], rank: 2, of: call) }
      results.append(.tensor(end))
    }
    if lengths != nil { results.remove(at: 1) }
    return .list(results)
  }

  private static func part(
    _ t: inout AtenTranslation, _ state: AtenTensor, _ range: Range<Int>, of count: Int,
    _ call: AtenCall
  ) -> AtenTensor {
    guard range.count < count else { return state }
    return t.emit(
      "Slice", [state, t.ints([range.lowerBound]), t.ints([range.upperBound]), t.ints([0])],
      rank: 3, of: call)
  }

  /// The steps' outputs with the directions side by side, and the final states.
  private static func layer(
    _ t: inout AtenTranslation, _ kind: Kind, _ x: AtenTensor, _ initial: [AtenTensor],
    _ params: [AtenTensor],
    hasBiases: Bool, isProjected: Bool = false, directions: Int, lengths: AtenValue?,
    _ call: AtenCall
  ) throws(ImportError) -> [AtenTensor] {
    let each = (hasBiases ? 4 : 2) + (isProjected ? 1 : 0)
    func stacked(_ index: Int, isByGates: Bool = true) throws(ImportError) -> AtenTensor {
      var matrices: [AtenTensor] = []
      for direction in 0..<directions {
        let own = params[direction * each + index]
        let gates = isByGates ? try inForeignOrder(&t, own, kind, call) : own
        matrices.append(AtenShapes.unsqueeze(&t, gates, 0, call))
      }
      return matrices.count == 1
        ? matrices[0] : t.emit("Concat", matrices, ["axis": .integer(0)], rank: 3, of: call)
    }
    let (w, r) = (try stacked(0), try stacked(1))
    guard let size = hiddenSize(t, params, kind, hasBiases: hasBiases, isProjected: isProjected)
    else {
      throw call.failure(
        "computed weights", because: "no weight that is a constant tells their size",
        instead: Remedy.reparametrized)
    }
    var b: AtenTensor?
    if hasBiases {
      b = t.emit(
        "Concat", [try stacked(2), try stacked(3)], ["axis": .integer(1)], rank: 2, of: call)
    }
    let sequenceLengths: AtenTensor?
    if case .tensor(let tensor)? = lengths {
      sequenceLengths = tensor
    } else {
      sequenceLengths = nil
    }
    var attributes: [String: SourceAttribute] = [
      "hidden_size": .integer(size),
      "direction": .text(directions == 2 ? "bidirectional" : "forward"),
    ]
    switch kind {
    case .gru: attributes["linear_before_reset"] = .integer(1)
    case .rnn(let activation):
      attributes["activations"] = .texts(Array(repeating: activation, count: directions))
    case .lstm: break
    }
    var inputs = [x, w, r, b, sequenceLengths] + initial.map { $0 }
    if isProjected {
      while inputs.count < RecurrentCell.projectionInput { inputs.append(nil) }
      inputs.append(try stacked(each - 1, isByGates: false))
    }
    let outputs = t.emit(
      kind.op, inputs, attributes,
      outputs: 1 + initial.count, of: call)
    let steps = AtenTensor(name: outputs[0], rank: 4)
    let swapped = AtenShapes.transposed(&t, steps, [0, 2, 1, 3], call)
    let y = t.emit("Reshape", [swapped, t.ints([0, 0, -1])], rank: 3, of: call)
    return [y] + outputs.dropFirst().map { AtenTensor(name: $0, rank: 3) }
  }

  /// H from weight_hh, [gates · H, H], or, with a projection to P, from weight_hr, [P, H]; where that is computed of others, as by
  /// spectral_norm, from a bias.
  private static func hiddenSize(
    _ t: AtenTranslation, _ params: [AtenTensor], _ kind: Kind, hasBiases: Bool, isProjected: Bool
  ) -> Int? {
    let matrix = isProjected ? params[(hasBiases ? 4 : 2)] : params[1]
    if let shape = t.shape(of: matrix) { return shape.count == 2 ? shape[1] : nil }
    guard hasBiases else { return nil }
    return params[2...3].lazy.compactMap { t.shape(of: $0)?.first }.first
      .map { $0 / kind.order.count }
  }

  /// A matrix or a bias with its gates in ONNX's order.
  private static func inForeignOrder(
    _ t: inout AtenTranslation, _ weight: AtenTensor, _ kind: Kind, _ call: AtenCall
  ) throws(ImportError) -> AtenTensor {
    guard kind.order.count > 1 else { return weight }
    guard let rows = t.shape(of: weight)?.first else {
      let gates = t.emit(
        "Split", [weight],
        ["axis": .integer(0), "num_outputs": .integer(kind.order.count)],
        outputs: kind.order.count, of: call)
      return t.emit(
        "Concat", kind.order.map { AtenTensor(name: gates[$0], rank: weight.rank) },
        ["axis": .integer(0)], rank: weight.rank, of: call)
    }
    guard rows.isMultiple(of: kind.order.count) else {
      throw call.failure(
        "a weight of \(rows) rows",
        because: "there are as many for each of \(kind.order.count) gates")
    }
    let size = rows / kind.order.count
    let indices = kind.order.flatMap { gate in gate * size..<(gate + 1) * size }
    return t.emit(
      "Gather", [weight, t.ints(indices)], ["axis": .integer(0)], rank: weight.rank, of: call)
  }

  // MARK: Cells

  /// `lstm_cell(input, [h, c], w_ih, w_hh, b_ih, b_hh)`: a network of one step.
  private static func cell(
    _ t: inout AtenTranslation, _ kind: Kind, _ call: AtenCall
  ) throws(ImportError) -> AtenValue {
    let x = AtenShapes.unsqueeze(&t, try call.tensor(0, "input"), 0, call)
    let states: [AtenTensor]
    if case .tensor(let state)? = call.value(1, "hx") {
      states = [state]
    } else {
      states = try call.tensors(1, "hx")
    }
    let biases = [call.optionalTensor(4, "b_ih"), call.optionalTensor(5, "b_hh")].compactMap { $0 }
    let params = [try call.tensor(2, "w_ih"), try call.tensor(3, "w_hh")] + biases
    let results = try layer(
      &t, kind, x, states.map { AtenShapes.unsqueeze(&t, $0, 0, call) }, params,
      hasBiases: biases.count == 2, directions: 1, lengths: nil, call)
    let ends = results.dropFirst().map { end in
      AtenValue.tensor(t.emit("Squeeze", [end, t.ints([0])], rank: 2, of: call))
    }
    return ends.count == 1 ? ends[0] : .list(Array(ends))
  }
}
