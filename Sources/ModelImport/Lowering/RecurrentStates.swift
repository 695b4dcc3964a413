/// The initial states of a recurrent node, h₀ and c₀.
struct RecurrentStates {
  /// Those that the node takes: vectors of directions · H; nil where a state is zero or a weight.
  var values: [CarriedValue?] = []
  /// Those that are weights, [directions, 1, H] or [1, directions, H]; nil where a state is zero or taken.
  var weights: [SourceTensor?] = []

  /// Those that the node takes, without gaps.
  var taken: [CarriedValue] { values.compactMap { $0 } }

  var areZero: Bool { taken.isEmpty && weights.allSatisfy { $0 == nil } }

  /// The tensors of those that are weights.
  func tensors(_ cell: RecurrentCell) -> [(name: String, shape: [Int], elements: [Double])] {
    guard weights.contains(where: { $0 != nil }) else { return [] }
    var tensors: [(name: String, shape: [Int], elements: [Double])] = []
    for (index, weights) in weights.enumerated() {
      let (name, size) =
        index == 0 ? ("initial_hidden", cell.outputSize) : ("initial_cell", cell.hiddenSize)
      let elements = weights?.dense ?? Array(repeating: 0, count: cell.directions * size)
      for direction in 0..<cell.directions {
        tensors.append(
          (
            name + (direction == 1 ? "_l0_reverse" : "_l0"), [size],
            Array(elements[direction * size..<(direction + 1) * size])
          ))
      }
    }
    return tensors
  }

  static func lower(
    _ l: inout Lowering, _ node: SourceNode, _ cell: RecurrentCell
  ) throws(ImportError) -> RecurrentStates {
    var states = RecurrentStates()
    for index in cell.kind == .lstm ? [5, 6] : [5] {
      let size = index == 5 ? cell.outputSize : cell.hiddenSize
      switch try l.value(node, index) {
      case nil: states.append(value: nil)
      case .constant(let tensor):
        guard tensor.rank == 3, tensor.shape[cell.isBatchFirst ? 1 : 0] == cell.directions,
          tensor.shape[2] == size
        else {
          let shape =
            cell.isBatchFirst
            ? "[batch, \(cell.directions), \(size)]" : "[\(cell.directions), batch, \(size)]"
          throw node.refusal(
            "an initial state of \(tensor.shape)", because: "it is \(shape) here",
            instead: cell.kind == .lstm && tensor.shape.last != size ? Remedy.projection : nil)
        }
        try checkRows(of: tensor, &l, cell, node)
        let isZero = tensor.elements.allSatisfy { $0 == 0 }
        states.append(value: nil, weights: isZero ? nil : try common(tensor, cell, node))
      case .pending(let value): throw PatternLowering.refusal(node, value)
      case .carried(var value):
        let unit = value.axes.count - 1
        guard value.axes.count == 3, value.shape[unit] == size else {
          throw l.requiring(
            value.axes.last ?? [], ofSize: size,
            or: node.refusal(
              "an initial state of \(value.shape)", because: "it has \(size) units"))
        }
        value = value.withSingles(
          batch: cell.isBatchFirst ? 0 : 1, other: cell.isBatchFirst ? 1 : 0)
        let rows = value.axes[cell.isBatchFirst ? 1 : 0]
        if rows.contains(where: { $0.isOpen && $0.role == .element }) {
          let found = "an initial state of \(value.shape)"
          let refusal = node.refusal(found, because: "it has a row for each direction")
          throw l.requiring(rows, ofSize: cell.directions, or: refusal)
        }
        for (axis, atoms) in value.axes.enumerated() {
          let role: Atom.Role = axis == (cell.isBatchFirst ? 0 : 1) ? .batch : .element
          if let atom = atoms.first(where: { $0.role != role }) {
            throw l.requiring(
              atom, role,
              or: node.refusal(
                "an initial state whose axis \(axis) holds \(atom.role.rawValue)",
                because: "it must hold \(role.rawValue)"))
          }
        }
        guard value.form == .vector else {
          let refusal = node.refusal(
            "an initial state that differs from step to step", because: "a sequence has one")
          // An input of a call that is one step.
          guard l.assumptions.isStepwise else { throw refusal }
          throw l.require(.stepwise(states: l.origins(of: value.node)), or: refusal)
        }
        states.append(value: Layout.inForeignOrder(&l, value, node))
      }
    }
    // A node has weights for both states or for none.
    if !states.taken.isEmpty {
      for (index, weights) in states.weights.enumerated() {
        guard let weights else { continue }
        states.values[index] = try constant(&l, node, cell, weights)
        states.weights[index] = nil
      }
    }
    return states
  }

  private mutating func append(value: CarriedValue?, weights: SourceTensor? = nil) {
    values.append(value)
    self.weights.append(weights)
  }

  /// The constant initial state that all sequences have.
  private static func common(
    _ tensor: SourceTensor, _ cell: RecurrentCell, _ node: SourceNode
  ) throws(ImportError) -> SourceTensor {
    guard let state = tensor.common(along: cell.isBatchFirst ? 0 : 1) else {
      throw node.refusal(
        "an initial state of \(tensor.shape) that differs from sequence to sequence",
        because: "constants of a model folder are the same for all sequences",
        instead:
          "let the model take its initial states as inputs, and import it with --keep-states: a request then gives them"
      )
    }
    return state
  }

  /// A constant initial state beside one that is computed: the elements of the first step times 0, plus the constants.
  private static func constant(
    _ l: inout Lowering, _ node: SourceNode, _ cell: RecurrentCell, _ state: SourceTensor
  ) throws(ImportError) -> CarriedValue {
    var first = try l.carried(node, 0)
    guard first.form == .sequence else {
      throw node.refusal(
        "an initial state of \(state.shape) beside a vector", because: "it goes with a sequence")
    }
    let batch = cell.isBatchFirst ? 0 : 1
    try RecurrentLowering.checkAxes(&l, node, first, time: 1 - batch, batch: batch)
    first.node = l.builder.emit(
      .first, [first.node], named: "\(node.outputs.first ?? node.name).state")
    first.form = .vector
    let (directions, units) = (l.elementAxis(cell.directions), l.elementAxis(state.shape[2]))
    return Arithmetic.constant(
      &l, state.dense,
      axes: cell.isBatchFirst ? [[], directions, units] : [directions, [], units],
      elements: directions + units, beside: first, node)
  }

  /// Checks a constant state's number of rows against that of a batch whose size the file fixes.
  private static func checkRows(
    of state: SourceTensor, _ l: inout Lowering, _ cell: RecurrentCell, _ node: SourceNode
  ) throws(ImportError) {
    let batch = cell.isBatchFirst ? 0 : 1
    guard case .carried(let x)? = try l.value(node, 0), x.axes.count == 3,
      x.axes[batch].allSatisfy({ $0.role == .batch })
    else { return }
    try RecurrentLowering.checkBatch(
      of: state.shape, axis: batch, rank: 3, "initial states", node, x.axes[batch])
  }
}
