/// The initial states of recurrent nodes.
enum RecurrentStates {
  /// h₀ and c₀ as vectors of directions · H; nil if zero.
  static func lower(
    _ l: inout Lowering, _ node: SourceNode, _ cell: RecurrentCell
  ) throws(ImportError) -> [CarriedValue?] {
    var states: [CarriedValue?] = []
    for index in cell.kind == .lstm ? [5, 6] : [5] {
      let size = index == 5 ? cell.outputSize : cell.hiddenSize
      switch try l.value(node, index) {
      case nil: states.append(nil)
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
        if tensor.elements.allSatisfy({ $0 == 0 }) {
          if case .carried(let x)? = try l.value(node, 0), x.axes.count == 3,
            x.axes[cell.isBatchFirst ? 0 : 1].allSatisfy({ $0.role == .batch })
          {
            try checkRows(of: tensor, x, cell, node)
          }
          states.append(nil)
          continue
        }
        states.append(try constantState(&l, node, cell, tensor, size: size))
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
        states.append(Layout.inForeignOrder(&l, value, node))
      }
    }
    return states
  }

  /// A constant initial state: the elements of the first step times 0, plus the constants.
  private static func constantState(
    _ l: inout Lowering, _ node: SourceNode, _ cell: RecurrentCell, _ tensor: SourceTensor,
    size: Int
  ) throws(ImportError) -> CarriedValue {
    let x = try l.carried(node, 0)
    guard x.form == .sequence else {
      throw node.refusal(
        "an initial state of \(tensor.shape) beside a vector", because: "it goes with a sequence")
    }
    let batch = cell.isBatchFirst ? 0 : 1
    try RecurrentLowering.checkAxes(&l, node, x, time: 1 - batch, batch: batch)
    try checkRows(of: tensor, x, cell, node)
    // All sequences have the state of the first.
    guard let state = tensor.common(along: batch) else {
      throw node.refusal(
        "an initial state of \(tensor.shape) that differs from sequence to sequence",
        because: "constants of a model folder are the same for all sequences",
        instead:
          "let the model take its initial states as inputs, and import it with --keep-states: a request then gives them"
      )
    }
    var first = x
    first.node = l.builder.emit(.first, [x.node], named: "\(node.outputs.first ?? node.name).state")
    first.form = .vector
    let (directions, units) = (l.elementAxis(cell.directions), l.elementAxis(size))
    return Arithmetic.constant(
      &l, state.dense,
      axes: cell.isBatchFirst ? [[], directions, units] : [directions, [], units],
      elements: directions + units, beside: first, node)
  }

  private static func checkRows(
    of state: SourceTensor, _ x: CarriedValue, _ cell: RecurrentCell, _ node: SourceNode
  ) throws(ImportError) {
    let batch = cell.isBatchFirst ? 0 : 1
    try RecurrentLowering.checkBatch(
      of: state.shape, axis: batch, rank: 3, "initial states", node, x.axes[batch])
  }
}
