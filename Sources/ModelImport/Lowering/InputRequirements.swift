/// What operators that can't read an input as it is require it to be.
enum InputRequirements {
  /// Asks for the size of an open batch, or of open steps, that an exporter has baked into a shape.
  static func length(
    _ l: inout Lowering, of value: CarriedValue, as shape: [Int], or refusal: ImportError
  ) -> ImportError {
    guard shape.allSatisfy({ $0 > 0 }),
      let wanted = RowMajor.count(shape, limit: Lowering.maxExtent)
    else { return refusal }
    for atom in value.axes.joined() where atom.isOpen && atom.role != .element && !atom.isDerived {
      let others = value.shape.reduce(1, *) / atom.size
      guard others > 0, wanted % others == 0, (1...1024).contains(wanted / others),
        let origin = atom.origin
      else { continue }
      return l.require(.size(origin, wanted / others), or: refusal)
    }
    return refusal
  }

  /// For a node that is refused because an input is ids: if the input may be sequence lengths instead, asks for that.
  static func lengths(
    _ l: inout Lowering, _ node: SourceNode, or refusal: ImportError
  ) throws(ImportError) {
    for index in node.inputs.indices {
      guard case .carried(let value)? = try l.value(node, index), value.form == .tokens,
        value.axes.count(where: { !$0.isEmpty }) == 1, let input = l.origins(of: value.node).first,
        l.values[input]?.shape.count == 1,
        let steps = l.lengths.values.filter({ $0.role == .time && $0.origin?.input != input })
          .min(by: { $0.id < $1.id })
      else { continue }
      throw l.require(.lengths(input: input, steps: steps.size), or: refusal)
    }
  }

  /// For a node that is refused because an input is ids cast to floats: asks that it is an input of numbers, such as a mask.
  static func numbers(
    _ l: inout Lowering, _ node: SourceNode, or refusal: ImportError
  ) throws(ImportError) {
    guard ["Mul", "Add", "Sub", "Div", "ReduceSum", "MatMul", "Clip", "Max"].contains(node.op)
    else { return }
    for index in node.inputs.indices {
      guard case .pending(.ids(let ids, plus: 0))? = try l.value(node, index),
        let input = l.origins(of: ids.node).first
      else { continue }
      throw l.require(.numbers(input: input), or: refusal)
    }
  }
}
