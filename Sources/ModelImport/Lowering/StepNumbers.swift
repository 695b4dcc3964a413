import ModelFormat

/// Constants that differ from step to step, where the number of steps is open: rows of a table of positions, and numbers that
/// grow by the same at every step.
enum StepNumbers {
  /// The result of a node that cuts a table of positions to the number of steps: `table[:, :x.size(1)]`, or an embedding of
  /// `arange(x.size(1))`; nil if it is something else.
  ///
  /// - Parameter operands: the node's inputs, which are constants.
  static func rows(
    _ l: inout Lowering, _ node: SourceNode, _ operands: [SourceTensor?]
  ) throws(ImportError) -> CarriedValue? {
    guard node.op == "Slice" || node.op == "Gather", let table = operands.first ?? nil,
      table.kind == .float, table.count > 1, !table.isUniform, table.count <= Lowering.maxElements
    else { return nil }
    if node.op == "Slice" {
      guard operands.count > 2, let starts = operands[1]?.list, let ends = operands[2]?.list,
        starts == [0], ends.count == 1, let atom = openSteps(l, ends[0]),
        (operands.count < 5 ? nil : operands[4])?.list ?? [1] == [1]
      else { return nil }
      let given = (operands.count > 3 ? operands[3] : nil)?.list?.first ?? 0
      let axis = given < 0 ? given + table.rank : given
      guard (0..<table.rank).contains(axis) else { return nil }
      return try rows(&l, node, table, axis: axis, from: 0, atom)
    }
    guard operands.count == 2, let indices = operands[1], indices.kind == .integer,
      indices.rank > 0, node.integer("axis", default: 0) == 0
    else { return nil }
    let start = SourceTensor.integer(indices.first)
    // The same positions may be there for each sequence of the batch.
    let axes = indices.shape.map { size in size == 1 ? nil : l.lengths[size] }
    let times = axes.filter { $0?.role == .time }
    guard times.count == 1, let atom = times[0], openSteps(l, atom.size) == atom,
      zip(indices.shape, axes).allSatisfy({ $0 == 1 || $1 != nil }),
      axes.last ?? nil == atom || indices.count == atom.size, start >= 0,
      (0..<indices.count).allSatisfy({ indices[$0] == Double(start + $0 % atom.size) }),
      var value = try rows(&l, node, table, axis: 0, from: start, atom)
    else { return nil }
    value.axes = axes.map { axis in axis.map { [$0] } ?? [] } + value.axes.dropFirst()
    return value
  }

  private static func openSteps(_ l: Lowering, _ count: Int) -> Atom? {
    l.openSteps.first { $0.size == count }
  }

  /// The first rows of a table, one at each step. Behind its end the numbers are NaN, where the framework refuses sequences.
  private static func rows(
    _ l: inout Lowering, _ node: SourceNode, _ table: SourceTensor, axis: Int, from start: Int,
    _ atom: Atom
  ) throws(ImportError) -> CarriedValue? {
    let count = table.shape[axis] - start
    let strides = RowMajor.strides(table.shape)
    var others = Array(table.shape.indices)
    others.remove(at: axis)
    guard count > 1, let zeros = l.zeros(likeStepsOf: atom, node) else { return nil }
    let places = RowMajor.positions(
      shape: others.map { table.shape[$0] }, strides: others.map { strides[$0] })
    let name = node.outputs.first ?? node.name
    func emit(_ op: ModelDescription.Op, _ inputs: String..., part: String) -> String {
      l.builder.emit(op, inputs, named: "\(name).\(part)")
    }
    // A one at the first step alone: a convolution puts its kernel there, turned round.
    let ones = emit(.affine(scale: nil, shift: [1]), zeros, part: "ones")
    let first = emit(.subtract, ones, emit(.shift(steps: 1), ones, part: "later"), part: "start")
    var weights = [Double](repeating: 0, count: places.count * count)
    for (element, place) in places.enumerated() {
      for step in 0..<count {
        weights[element * count + count - 1 - step] = table[place + (start + step) * strides[axis]]
      }
    }
    let rows = l.builder.emit(
      .conv(), [first], named: "\(name).rows",
      tensors: [("weight", [places.count, 1, count], weights)])
    let isInside = l.builder.emit(
      .conv(), [first], named: "\(name).inside",
      tensors: [("weight", [1, 1, count], Array(repeating: 1, count: count))])
    var axes = table.shape.map { l.elementAxis($0) }
    let elements = others.flatMap { axes[$0] }
    axes[axis] = [atom]
    l.builder.note(
      "\(node.place) has numbers for the first \(count) steps: longer sequences have no answer (NaN), as the framework refuses them"
    )
    return CarriedValue(
      node: emit(.divide, rows, isInside, part: "table"), form: .sequence, axes: axes,
      elements: elements)
  }

  /// A constant with a number of its own for each step, beside a value of the same axes; nil for others.
  static func sequence(
    _ l: inout Lowering, _ constant: SourceTensor, along value: CarriedValue, _ node: SourceNode
  ) throws(ImportError) -> CarriedValue? {
    guard var result = try progression(&l, constant, along: value, node) else {
      return ExampleLength.table(&l, constant, along: value, node)
    }
    for (axis, atoms) in value.axes.enumerated() where atoms.allSatisfy({ $0.role == .batch }) {
      result.axes[axis] = atoms
    }
    return result
  }

  /// A constant that grows by the same number at every open step, `arange(x.size(1))` and what is computed from it, as a sequence;
  /// nil for others. The translation with another stand-in for the number of steps confirms it.
  static func progression(
    _ l: inout Lowering, _ constant: SourceTensor, along value: CarriedValue, _ node: SourceNode
  ) throws(ImportError) -> CarriedValue? {
    guard constant.count > 2, let atom = openSteps(l, constant.count),
      let axis = constant.shape.firstIndex(of: constant.count),
      value.axes.suffix(constant.rank - axis).first.map({ $0 == [atom] }) ?? false
    else { return nil }
    let (start, step) = (constant[0], constant[1] - constant[0])
    let scale = max(abs(start), abs(step) * Double(constant.count))
    guard step != 0,
      (0..<constant.count).allSatisfy({
        abs(constant[$0] - start - Double($0) * step) <= 1e-6 * scale
      }), let zeros = l.zeros(likeStepsOf: atom, node)
    else { return nil }
    var ones = CarriedValue(node: zeros, form: .sequence, axes: [[atom]], elements: [])
    ones = Arithmetic.affine(&l, ones, shift: [1], node)
    var count = try CumulativeLowering.overSteps(&l, node, ones)
    let axes: [[Atom]] = constant.shape.map { $0 == 1 ? [] : [atom] }
    if l.assumptions.dividesByLengths {
      count = try StepRamp(constant).sequence(&l, count, atom, node)
    } else {
      count = Arithmetic.affine(&l, count, scale: [step], shift: [start - step], node)
    }
    count.axes = axes
    return count
  }
}

/// Numbers from `start` on that grow by the same at every step, of which either may have been made of the number of steps:
/// `arange(n) / n`, `linspace(-1, 1, n)`, `arange(n, 0, -1)`.
private struct StepRamp {
  /// By how much they grow, times `divisor` of the number of steps, if there is one.
  private var step: Double
  private var divisor: LengthLowering.Form?
  /// The first or last number.
  private var end: Double
  private var isFromEnd = false
  /// Whether `end` is so many times the growth.
  private var isOfStep = false

  init(_ numbers: SourceTensor) {
    let steps = Double(numbers.count)
    let (first, last) = (numbers[0], numbers[numbers.count - 1])
    let growth = (last - first) / (steps - 1)
    (step, end) = (growth, first)
    if let simple = Self.simple(growth) {
      step = simple
    } else {
      for form in [LengthLowering.Form.count, .fewer] where divisor == nil {
        guard let simple = Self.simple(growth * form(steps)) else { continue }
        (step, divisor) = (simple, form)
      }
    }
    for (number, isLast) in [(first, false), (last, true)] where !isOfStep {
      let times = (number / growth).rounded()
      guard abs(times) <= 64, abs(number - times * growth) <= 1e-4 * abs(growth) else { continue }
      (end, isFromEnd, isOfStep) = (times, isLast, true)
    }
  }

  /// A number, or its quotient by π, with three decimals or none that count; nil for others.
  private static func simple(_ number: Double) -> Double? {
    for unit in [1, Double.pi] {
      let thousandths = (number / unit * 1000).rounded()
      if thousandths != 0, abs(number / unit * 1000 - thousandths) <= 2e-6 * abs(thousandths) {
        return thousandths / 1000 * unit
      }
    }
    return nil
  }

  /// - Parameter count: 1 at the first step, 2 at the second.
  func sequence(
    _ l: inout Lowering, _ count: CarriedValue, _ atom: Atom, _ node: SourceNode
  ) throws(ImportError) -> CarriedValue {
    var result = count
    if isFromEnd, let all = LengthLowering.emit(&l, .count, atom, node) {
      let all = CarriedValue(node: all, form: .vector, axes: [[]], elements: [])
      result = try Arithmetic.combining(&l, [result, all], .subtract, node)
    } else {
      result = Arithmetic.affine(&l, result, shift: [-1], node)
    }
    if isOfStep { result = Arithmetic.affine(&l, result, shift: [end], node) }
    if let divisor, let number = LengthLowering.emit(&l, divisor, atom, node) {
      let number = CarriedValue(node: number, form: .vector, axes: [[]], elements: [])
      result = try Arithmetic.combining(&l, [result, number], .divide, node)
    }
    return Arithmetic.affine(&l, result, scale: [step], shift: isOfStep ? nil : [end], node)
  }
}
