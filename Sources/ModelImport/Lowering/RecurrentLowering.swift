import ModelFormat

/// LSTM, GRU and RNN, and ONNX Runtime's LSTM with 8-bit weights.
enum RecurrentLowering {
  /// The outputs of a node; nil for an operator of another family.
  static func lower(
    _ l: inout Lowering, _ node: SourceNode
  ) throws(ImportError) -> [LoweredValue]? {
    switch node.op {
    case "LSTM", "GRU", "RNN": return try plain(&l, node)
    case "com.microsoft.DynamicQuantizeLSTM": return try quantized(&l, node)
    default: return nil
    }
  }

  private static func plain(_ l: inout Lowering, _ node: SourceNode) throws(ImportError)
    -> [LoweredValue]
  {
    guard let w = try l.constant(node, 1, "weights W"), let r = try l.constant(node, 2, "weights R")
    else {
      throw node.refusal("no weights", because: "W and R are needed")
    }
    let cell = try RecurrentCell(
      node, w: w, r: r, b: try l.constant(node, 3, "biases B"),
      p: try l.constant(node, 7, "peepholes P"),
      projection: try l.constant(node, RecurrentCell.projectionInput, "a projection"))
    return try recurrent(&l, node, cell)
  }

  private static func quantized(_ l: inout Lowering, _ node: SourceNode) throws(ImportError)
    -> [LoweredValue]
  {
    var lstm = node
    lstm.op = "LSTM"
    let w = try QuantizedLowering.cellWeights(&l, node, weights: 1, scale: 8, zero: 9)
    let r = try QuantizedLowering.cellWeights(&l, node, weights: 2, scale: 10, zero: 11)
    let cell = try RecurrentCell(
      lstm, w: w, r: r, b: try l.constant(node, 3, "biases B"),
      p: try l.constant(node, 7, "peepholes P"))
    l.builder.note(Note.roundedActivations)
    return try recurrent(&l, lstm, cell)
  }

  // MARK: The node

  private static func recurrent(
    _ l: inout Lowering, _ node: SourceNode, _ cell: RecurrentCell
  ) throws(ImportError) -> [LoweredValue] {
    var x = try input(&l, node, cell)
    guard x.axes.count == 3 else {
      let open = l.lengths.values.first { $0.role == .time && $0.isOpen }?.origin?.input
      throw node.refusal(
        "X of \(x.shape)", because: "X has three axes",
        instead: open.map {
          "if an axis of the input \"\($0)\" is a frame of one size and not the steps, give its size: --shape '\($0)=0,512'"
        })
    }
    PaddedSteps.check(&l, x, readBy: node)
    let (time, batch) = cell.isBatchFirst ? (1, 0) : (0, 1)
    x = x.withSingles(batch: batch, other: time)
    try InputRequirements.oneSequence(&l, node, x, time: time, batch: batch)
    let states = try RecurrentStates.lower(&l, node, cell)
    x = try VectorSteps.read(&l, node, x, time: time, states: states.taken)
    if let groups = try RecurrentGroups.lower(
      &l, node, x, batch: batch, areStatesZero: states.areZero,
      each: { l, x throws(ImportError) in try layer(&l, node, cell, x, states) })
    {
      return groups
    }
    return try layer(&l, node, cell, x, states)
  }

  /// The layer of sequences of which none is more than one of the batch.
  private static func layer(
    _ l: inout Lowering, _ node: SourceNode, _ cell: RecurrentCell, _ x: CarriedValue,
    _ states: RecurrentStates
  ) throws(ImportError) -> [LoweredValue] {
    var x = x
    let (time, batch) = cell.isBatchFirst ? (1, 0) : (0, 1)
    try checkRoles(&l, node, x, time: time, batch: batch, states: states.taken)
    try checkLengths(&l, node, x, time: time, batch: batch)
    // Its state is none of those that go from call to call.
    if l.assumptions.isStepwise, x.axes[time].isEmpty, states.taken.isEmpty {
      throw node.refusal(
        "a network that begins anew at every call of one step, beside one whose state goes from call to call",
        because: "a sequence is a network's steps one after another",
        instead:
          "let forward take and return the state of this network too, or leave both out and read a sequence"
      )
    }
    guard x.shape[2] == cell.inputSize else {
      throw l.requiring(
        x.axes[2], ofSize: cell.inputSize,
        or: node.refusal(
          "X of \(x.shape)", because: "W is for \(cell.inputSize) elements a step"))
    }
    let (steps, rows) = (x.axes[time], x.axes[batch])
    x = Layout.inForeignOrder(&l, x, node)
    let (tensors, op) = (weights(cell) + states.tensors(cell), try self.op(node, cell))
    var inputs: [String?] = [x.node] + states.values.map { $0?.node }
    while let last = inputs.last, last == nil { inputs.removeLast() }
    let name = l.builder.emit(op, inputs, named: node.recurrentName, tensors: tensors)

    let directions = l.elementAxis(cell.directions)
    let units = l.elementAxis(cell.outputSize)
    let cells = cell.projections == nil ? units : l.elementAxis(cell.hiddenSize)
    let order = directions + units
    let axes =
      cell.isBatchFirst ? [rows, steps, directions, units] : [steps, directions, rows, units]
    func stateAxes(_ units: [Atom]) -> [[Atom]] {
      cell.isBatchFirst ? [rows, directions, units] : [directions, rows, units]
    }
    var output = CarriedValue(node: name, form: .sequence, axes: axes, elements: order)
    var hidden = CarriedValue(
      node: "\(name).hidden", form: .vector, axes: stateAxes(units), elements: order)
    let state = CarriedValue(
      node: "\(name).cell", form: .vector, axes: stateAxes(cells), elements: directions + cells)
    if l.assumptions.isStepwise, steps.isEmpty {
      // A call is one step, whose output is the state after it.
      hidden.node = name
      hidden.form = .sequence
      l.setFinalState(of: name, "\(name).hidden")
    }
    if steps.isEmpty, !l.assumptions.isStepwise {
      // The only step of a sequence made of a vector: its output is the final state.
      output.node = hidden.node
      output.form = .vector
    }
    let results: [CarriedValue] = cell.kind == .lstm ? [output, hidden, state] : [output, hidden]
    return results.map { .carried($0) }
  }

  /// The input X. A constant that is the same at every step, such as the zeros that a decoder reads, becomes a sequence.
  private static func input(
    _ l: inout Lowering, _ node: SourceNode, _ cell: RecurrentCell
  ) throws(ImportError) -> CarriedValue {
    if let step = try startStep(&l, node, cell) { return step }
    guard case .constant(let tensor) = try l.required(node, 0), tensor.isUniform, tensor.rank == 3
    else { return try l.carried(node, 0) }
    let known = l.lengths
    let lengths = tensor.shape[..<2].compactMap { known[$0] }
    guard let time = lengths.first(where: { $0.role == .time }),
      let batch = lengths.first(where: { $0.role == .batch })
    else { return try l.carried(node, 0) }
    var value = CarriedValue(
      node: "", form: .vector, axes: tensor.shape[..<2].map { $0 == time.size ? [time] : [batch] },
      elements: [])
    guard let zeros = l.zeros(likeStepsOf: time, node) else { return try l.carried(node, 0) }
    value.node = zeros
    value.form = .sequence
    value = Layout.picking(
      &l, value, Array(repeating: 0, count: tensor.shape[2]), node)
    let elements = l.elementAxis(tensor.shape[2])
    value.axes.append(elements)
    value.elements = elements
    return Arithmetic.affine(&l, value, shift: [tensor[0]], node)
  }

  /// The constant that a decoder begins with, such as zeros or a token's vector, as the step of each sequence that has
  /// an initial state; nil for another X.
  private static func startStep(
    _ l: inout Lowering, _ node: SourceNode, _ cell: RecurrentCell
  ) throws(ImportError) -> CarriedValue? {
    let (time, batch) = cell.isBatchFirst ? (1, 0) : (0, 1)
    guard case .constant(let tensor) = try l.required(node, 0), tensor.rank == 3, tensor.count > 0,
      tensor.shape[time] == 1, tensor.shape[2] <= Lowering.maxElements,
      case .carried(let state)? = try l.value(node, 5),
      state.form == .vector, state.axes.count == 3,
      state.axes[batch].contains(where: \.isOpen) || state.shape[batch] == tensor.shape[batch],
      let step = tensor.common(along: batch)
    else { return nil }
    let (elements, rows) = (l.elementAxis(tensor.shape[2]), state.axes[batch])
    return Arithmetic.constant(
      &l, step.dense, axes: cell.isBatchFirst ? [rows, [], elements] : [[], rows, elements],
      elements: elements, beside: state, node)
  }

  /// Checks that a constant with a row for each sequence has as many as a batch whose size the file fixes.
  static func checkBatch(
    of shape: [Int], axis: Int, rank: Int, _ what: String, _ node: SourceNode, _ batch: [Atom]
  ) throws(ImportError) {
    let count = batch.reduce(1) { $0 * $1.size }
    guard shape.count == rank, batch.contains(where: \.isOpen) || shape[axis] == count else {
      throw node.refusal(
        "constant \(what) of \(shape)", because: "X has a batch of \(count)",
        instead: "export with an example of as many sequences, or with a dynamic axis for the batch"
      )
    }
  }

  /// Checks that steps and sequences are in the operator's axes.
  static func checkAxes(
    _ l: inout Lowering, _ node: SourceNode, _ x: CarriedValue, time: Int, batch: Int
  ) throws(ImportError) {
    if let atom = x.axes[time].first(where: { $0.role != .time }) {
      throw l.requiring(
        atom, .time,
        or: node.refusal(
          "X of \(x.shape), whose axis \(time) is \(atom.role.rawValue)",
          because: "\(node.op) reads that axis step by step",
          instead: x.axes[2].contains { $0.role == .time }
            ? "a layer that reads the elements one after another, each with all steps, as behind x.transpose(1, 2), is carried for sequences of one length that come as one vector: let forward take v and begin with x = v.view(v.size(0), steps, size), and export without dynamic axes"
            : "set batch_first of the layer as the data are laid out, and export with the batch and the steps as dynamic axes (of TorchScript, name them: --shape 'x=0,1,64,0' has 0 for each of both)"
        ))
    }
    if let atom = x.axes[batch].first(where: { $0.role != .batch }) {
      let refusal = node.refusal(
        "X whose axis \(batch) holds \(atom.role.rawValue)",
        because:
          "\(node.op) takes that axis for sequences apart, which share nothing: a model folder's sequences are those of the request",
        instead: Remedy.withinStep)
      // There is one batch.
      if atom.size > 1, x.axes[batch].contains(where: { $0.role == .batch && $0.size > 1 }) {
        throw refusal
      }
      throw l.requiring(atom, .batch, or: refusal)
    }
  }

  /// Checks that steps, batch and elements are in the operator's axes. If states are carried from call to call, a call may be one
  /// step.
  private static func checkRoles(
    _ l: inout Lowering, _ node: SourceNode, _ x: CarriedValue, time: Int, batch: Int,
    states: [CarriedValue]
  ) throws(ImportError) {
    try checkAxes(&l, node, x, time: time, batch: batch)
    if let atom = x.axes[2].first(where: { $0.role != .element }) {
      throw l.requiring(
        atom, .element,
        or: node.refusal(
          "X of \(x.shape), whose last axis holds \(atom.role.rawValue)",
          because: "it must be the elements of a step"))
    }
    if x.axes[time].isEmpty, !l.assumptions.isStepwise, x.form == .vector {
      let inputs = states.reduce(into: Set<String>()) { $0.formUnion(l.origins(of: $1.node)) }
      let refusal = node.refusal(
        "one step, \(x.shape), that is made of a value without steps",
        because: "a recurrent network reads a sequence",
        instead: "export the model with the steps as an axis of its input")
      if inputs.isEmpty { throw refusal }
      throw l.require(.stepwise(states: inputs), or: refusal)
    }
    guard x.form == .sequence else {
      throw node.refusal(
        "\(x.shape), the same at every step", because: "a recurrent network reads a sequence")
    }
  }

  /// Checks that `sequence_lens` are the sequences' own lengths.
  private static func checkLengths(
    _ l: inout Lowering, _ node: SourceNode, _ x: CarriedValue, time: Int, batch: Int
  ) throws(ImportError) {
    let steps = x.shape[time]
    switch try l.value(node, 4) {
    case nil: return
    case .constant(let lengths):
      try checkBatch(of: lengths.shape, axis: 0, rank: 1, "sequence_lens", node, x.axes[batch])
      guard lengths.elements.allSatisfy({ SourceTensor.integer($0) == steps }) else {
        throw node.refusal(
          "constant sequence_lens of \(lengths.integers.prefix(8))",
          because: "each sequence is read at its own length",
          instead: "export with sequence_lens as an input, or without it")
      }
    case .carried(let value):
      let refusal = node.refusal(
        "sequence_lens that are computed", because: "each sequence is read at its own length",
        instead: "export with sequence_lens as an input, or without it")
      guard let input = l.origins(of: value.node).first, l.origins(of: value.node).count == 1 else {
        throw refusal
      }
      throw l.require(.lengths(input: input, steps: steps), or: refusal)
    case .pending(let value): throw PatternLowering.refusal(node, value)
    }
  }
}
