import Glibc
import ModelFormat

/// What an exporter made of the number of steps of its example, where it has no dynamic axis for them: it holds for sequences of
/// that number alone.
enum ExampleLength {
  /// Records that the model is made for one number of steps, if `number`, by which a value is multiplied or divided, is that
  /// number, one more or its logarithm; or, of a value that is made of a sum or mean over the steps, what Bessel's correction or
  /// a root makes of it.
  static func check(
    _ l: inout Lowering, _ value: CarriedValue, times number: Double, _ node: SourceNode
  ) {
    guard value.form != .tokens, number > 0 else { return }
    let counts = value.form == .vector ? l.builder.pooledElements(value.node) : []
    check(&l, number, node) { steps in
      let pools = counts.flatMap { count in
        LengthLowering.Form.allCases.map { $0(steps * Double(count)) }
      }
      let numbers = (pools.isEmpty ? [steps] : pools) + [steps + 1, log(steps)]
      return numbers + numbers.map { 1 / $0 }
    }
  }

  /// The same of a number that is added or subtracted.
  static func check(
    _ l: inout Lowering, _ value: CarriedValue, plus number: Double, _ node: SourceNode
  ) {
    guard value.form != .tokens else { return }
    check(&l, abs(number), node) { [$0, log($0)] }
  }

  static func check(
    _ l: inout Lowering, _ number: Double, _ node: SourceNode,
    forOthers remedy: String = Remedy.dynamicAxes,
    _ made: (_ steps: Double) -> [Double]
  ) {
    for atom in l.lengths.values where atom.role == .time {
      guard let steps = l.exampleSteps[atom], steps > 2,
        made(Double(steps)).contains(where: { isNear(number, $0) })
      else { continue }
      record(&l, atom, "\(node.place) computes with \(Float(number))", forOthers: remedy)
    }
  }

  private static func isNear(_ a: Double, _ b: Double) -> Bool { abs(a - b) <= 1e-6 * b }

  /// Limits the input that an atom comes from to the steps of the example, and returns how many these are.
  private static func keepSteps(_ l: inout Lowering, of atom: Atom) -> Int? {
    guard let root = l.exampleSteps.root(of: atom), let steps = l.exampleSteps.count(of: root)
    else { return nil }
    l.exampleSteps.setExact(steps, of: root)
    return steps
  }

  /// Records that sequences must have as many steps as the example.
  static func record(
    _ l: inout Lowering, _ atom: Atom, _ what: String,
    forOthers remedy: String = Remedy.dynamicAxes
  ) {
    guard let steps = keepSteps(&l, of: atom) else { return }
    let isOpen = l.isFromPyTorch && l.exampleSteps.root(of: atom)?.isOpen ?? false
    let remedy = isOpen ? Remedy.olderExporter : remedy
    l.builder.note(
      "\(what), which comes from the \(steps) steps of the exporter's example: sequences of exactly \(steps) steps are "
        + "taken (\"steps\" in model.json); for others, \(remedy)"
    )
  }

  /// Whether nothing is in a range: also not in one from behind the example's last step, where the file has any number of them.
  static func isEmpty(_ l: Lowering, _ axis: [Atom], _ range: AxisRange) -> Bool {
    if range.count == 0 { return true }
    guard axis.count == 1, axis[0].role == .time, axis[0].isOpen, range.start > 0 else {
      return false
    }
    return l.exampleSteps[axis[0]] == range.start
  }

  /// Asks that steps of which the file tells no number are as many as there are rows of weights; nil if they are no such steps.
  static func require(
    _ l: inout Lowering, _ axis: [Atom], count: Int, or refusal: ImportError
  ) -> ImportError? {
    guard axis.count == 1, axis[0].role == .time, axis[0].isOpen, !axis[0].isDerived,
      l.exampleSteps[axis[0]] == nil, let origin = axis[0].origin
    else { return nil }
    return l.require(.size(origin, count), or: refusal)
  }

  /// What a node computes of constants. Where one that has a number for each step of the example does not fit, its length is asked for.
  static func evaluated(
    _ l: inout Lowering, _ interpreter: Interpreter, _ node: SourceNode, _ operands: [SourceTensor?]
  ) throws(ImportError) -> [SourceTensor]? {
    checkConstants(&l, node, operands)
    try LengthThresholds.check(&l, node, operands)
    do throws(ImportError) { return try interpreter.evaluate(node, operands) } catch {
      guard node.op == "Expand", operands.count == 2, let value = operands[0],
        let wanted = operands[1]?.list
      else { throw BatchMixing.refusal(l, operands, error) }
      for (size, open) in zip(value.shape.reversed(), wanted.reversed()) where size != open {
        guard let atom = l.lengths[open], atom.isOpen, !atom.isDerived, let origin = atom.origin,
          l.exampleSteps[atom] == size
        else { continue }
        throw l.require(.size(origin, size), or: error)
      }
      var error = error
      if wanted.contains(where: { l.lengths[$0]?.isOpen ?? false }) {
        error.remedy = error.remedy ?? Remedy.expanded
      }
      throw error
    }
  }

  /// Takes the steps of the exporter's example for those of all sequences, for what PyTorch computes from their number; asks for
  /// it where the steps are open.
  static func keep(
    _ l: inout Lowering, _ axis: [Atom], _ node: SourceNode,
    _ what: String = "takes parts of the steps"
  ) throws(ImportError) {
    for atom in axis where atom.role == .time {
      if atom.isOpen {
        let refusal = node.refusal(
          "an open number of steps", because: "\(node.op) \(what), and is for one number of them",
          instead: Remedy.oneLength)
        guard let root = l.exampleSteps.root(of: atom), let origin = root.origin,
          let count = l.exampleSteps[root]
        else { throw refusal }
        throw l.require(.size(origin, count), or: refusal)
      }
      record(&l, atom, "\(node.place) \(what)", forOthers: Remedy.otherLengths(node))
    }
  }

  /// Limits sequences to the steps of the example if a pool over them is an adaptive one, whose windows PyTorch's exporters
  /// computed from the example's length. They write those with fewer attributes than other pools, or as pools of an image.
  static func checkPool(
    _ l: inout Lowering, _ value: CarriedValue, axis: Int, _ node: SourceNode
  ) throws(ImportError) {
    let kernel = node.integers("kernel_shape") ?? []
    guard l.isFromPyTorch, kernel.indices.contains(axis - 2), node.integers("strides") == kernel,
      let atom = value.axes[axis].first, atom.role == .time
    else { return }
    let size = kernel[axis - 2]
    let isImage = kernel.count == 2 && kernel[0] == 1 && value.axes[2].isEmpty
    let isShort =
      node.op == "AveragePool"
      ? node.attributes["pads"] == nil && node.attributes["auto_pad"] == nil
      : l.opset >= 10 && node.attributes["ceil_mode"] == nil && node.attributes["dilations"] == nil
    guard size > 1, isImage || isShort, atom.isOpen || atom.size % size == 0 else { return }
    try keep(&l, [atom], node)
  }

  /// Records that steps that pools, strides or repetitions made are combined with others.
  static func recordResized(_ l: inout Lowering, _ atom: Atom, _ node: SourceNode) {
    guard let steps = keepSteps(&l, of: atom) else { return }
    l.builder.note(
      "\(node.place) combines steps that were resized with others: sequences of exactly \(steps) steps are taken "
        + "(\"steps\" in model.json)")
  }

  /// Records that a matrix has weights for each step of an axis: others would be left out.
  static func recordSideBySide(_ l: inout Lowering, _ atom: Atom, _ node: SourceNode) {
    guard let steps = keepSteps(&l, of: atom) else { return }
    l.builder.note(
      "\(node.place) works on all \(atom.size) steps side by side: sequences of exactly \(steps) steps are taken "
        + "(\"steps\" in model.json)")
  }

  /// The sizes of an axis's parts. Where those that are given are of fewer steps than any number, they are the example's.
  static func parts(
    _ l: inout Lowering, _ axis: [Atom], _ node: SourceNode, _ given: [Int]?
  ) throws(ImportError) -> [Int] {
    let size = axis.reduce(1) { $0 * $1.size }
    do throws(ImportError) {
      return try SelectionOperators.splitSizes(node, size: size, given: given)
    } catch {
      guard axis.count == 1, axis[0].role == .time, axis[0].isOpen,
        let root = l.exampleSteps.root(of: axis[0]), let origin = root.origin,
        let all = given?.reduce(0, { SourceTensor.integer($0 + $1) }),
        all + root.size - size > 0
      else { throw error }
      var refusal = error
      refusal.remedy = Remedy.oneLength
      throw l.require(.size(origin, all + root.size - size), or: refusal)
    }
  }

  /// Records that an axis, if it is one of steps, is split into `parts`. A first or last step by itself holds for any length, but where
  /// the parts told how many steps there are.
  static func recordSplit(
    _ l: inout Lowering, _ axis: [Atom], parts: [Int], _ node: SourceNode
  ) {
    guard let atom = axis.first, atom.role == .time, l.exampleSteps[atom] != nil,
      parts.count > 2 || parts.count == 2 && !parts.contains(1)
        || node.op == "Split" && atom.origin.map({ l.assumptions.sizes[$0] != nil }) ?? false
    else { return }
    record(
      &l, atom, "\(node.place) splits the steps into \(parts.count) parts",
      forOthers: Remedy.otherLengths(node))
  }

  /// Whether an index of a step is in the second half of the example, or the number of the input's steps, so that the exporter
  /// may have made it of the length. (The end of the example is that of any sequence.)
  static func isLate(_ l: Lowering, _ atom: Atom) -> (_ index: Int) -> Bool {
    guard let count = l.exampleSteps[atom], count > 2, !(atom.isOpen && l.computesLengths) else {
      return { _ in false }
    }
    let input = l.exampleSteps.root(of: atom).flatMap { l.exampleSteps[$0] }
    return { ($0 > count / 2 || $0 == input) && $0 < count }
  }

  /// Records that steps of the example are chosen by such indices.
  static func recordRange(
    _ l: inout Lowering, _ atom: Atom, _ node: SourceNode, _ steps: ClosedRange<Int>
  ) {
    record(
      &l, atom, "\(node.place) chooses steps \(steps.lowerBound) to \(steps.upperBound)",
      forOthers: Remedy.otherLengths(node))
  }

  /// Records that steps beyond those of the example are left out.
  static func recordCut(_ l: inout Lowering, _ axis: [Atom], _ node: SourceNode) {
    for atom in axis where atom.role == .time && !atom.isOpen {
      record(&l, atom, "\(node.place) leaves steps out of longer sequences")
    }
  }

  /// A constant with numbers of its own for each step, such as positions, as a sequence; nil if it is the same at every step, or
  /// the number of steps is open.
  static func table(
    _ l: inout Lowering, _ constant: SourceTensor, along value: CarriedValue, _ node: SourceNode
  ) -> CarriedValue? {
    guard value.form == .sequence, let time = value.timeAtoms.first, value.timeAtoms.count == 1,
      !time.isOpen || time.isOfFixedNumber, time.size > 1, !constant.isUniform,
      let axis = value.axis(of: time),
      value.axes[axis].count == 1, constant.count <= Lowering.maxElements
    else { return nil }
    let strides = RowMajor.broadcastStrides(constant.shape, to: value.shape)
    guard strides[axis] != 0 else { return nil }
    var steps: [Atom: Int] = [:]
    for (axis, atoms) in value.axes.enumerated() {
      var step = strides[axis]
      for atom in atoms.reversed() {
        steps[atom] = step
        step *= atom.size
      }
    }
    guard
      steps.allSatisfy({ atom, step in
        atom.role != .batch || step == 0 || constant.isSame(along: step, count: atom.size)
      })
    else { return nil }
    let rows = RowMajor.positions(
      shape: [time.size] + value.elements.map(\.size),
      strides: [steps[time] ?? 0] + value.elements.map { steps[$0] ?? 0 }
    ).map { constant[$0] }
    let size = value.size
    guard rows.indices.contains(where: { rows[$0] != rows[$0 % size] }),
      let zeros = l.zeros(likeStepsOf: time, node)
    else { return nil }
    // A one at the first step alone; a convolution puts its kernel there, turned round.
    let name = node.outputs.first ?? node.name
    let ones = l.builder.emit(.affine(scale: nil, shift: [1]), [zeros], named: "\(name).ones")
    let later = l.builder.emit(.shift(steps: 1), [ones], named: "\(name).later")
    let start = l.builder.emit(.subtract, [ones, later], named: "\(name).start")
    var weights = [Double](repeating: 0, count: rows.count)
    for step in 0..<time.size {
      for element in 0..<size {
        weights[element * time.size + time.size - 1 - step] = rows[step * size + element]
      }
    }
    var result = value
    result.kind = .float
    result.node = l.builder.emit(
      .conv(), [start], named: "\(name).table",
      tensors: [("weight", [size, 1, time.size], weights)])
    if !time.isOpen {
      record(
        &l, time, "\(node.place) has numbers for each step",
        forOthers: Remedy.otherLengths(node, or: Remedy.stepTable))
    }
    return result
  }

  /// The steps that `indices` choose, where these may come from the length of the example: its last step is the last of any
  /// sequence. A place in the middle, as of half the steps, or every step by itself, as in a loop that was unrolled, holds for
  /// its length alone.
  static func chosen(
    _ l: inout Lowering, _ indices: [Int], of atom: Atom, _ node: SourceNode
  ) -> [Int] {
    guard let count = l.exampleSteps[atom] else {
      if indices.count == 1 { l.exampleSteps.choose(indices[0], of: atom, at: node.place) }
      return indices
    }
    guard count > 1, let first = indices.first, let end = indices.last, first <= end,
      indices == Array(first...end)
    else { return indices }
    // As many as the input has, of steps that padding made more.
    if atom.isOpen, atom.isDerived, let root = l.exampleSteps.root(of: atom),
      let steps = l.exampleSteps[root], steps < count, indices.count == steps,
      atom.size - root.size == count - steps
    {
      return Array(first..<first + root.size)
    }
    // To the end, however many steps there are.
    let isToEnd = atom.isOpen && end == atom.size - 1
    let last = isToEnd ? count - 1 : end
    guard first <= last, last < count else { return indices }
    let halves = count > (atom.isDerived ? 2 : 3) ? [count / 2, (count + 1) / 2] : []
    let isExact =
      if first == last {
        (first > 2 || halves.first == first) && first < count - 1
      } else if last == count - 1 {
        halves.contains(first) || atom.isOpen && !isToEnd && first > 2
      } else {
        first == 0 && halves.contains(last + 1)
      }
    if first == last {
      l.exampleSteps.choose(first, of: atom, at: node.place)
    } else if isExact {
      record(
        &l, atom, "\(node.place) chooses steps \(first) to \(last)",
        forOthers: Remedy.otherLengths(node))
    }
    // In a graph that computes lengths, the end of a range is the model's own.
    guard !isExact, first == last || isToEnd || !l.computesLengths, atom.isOpen, last == count - 1
    else { return indices }
    return first == last ? [atom.size - 1] : Array(first..<atom.size)
  }

  /// Tells of steps that are as far apart, from the first on, where the example's length is unknown.
  private static func noteUnrolled(_ l: inout Lowering, _ steps: [Int], of atom: Atom) {
    guard steps.count > 2, steps[0] == 0, atom.isOpen,
      zip(steps, steps.dropFirst()).allSatisfy({ $1 - $0 == steps[1] })
    else { return }
    l.builder.note(
      "\(steps.count) steps (\(steps[0]), \(steps[1]), … \(steps[steps.count - 1])\(atom.isDerived ? " of a stride or pool" : "")) are chosen one by one, as by a loop that "
        + "was unrolled for the exporter's example: of longer sequences these alone are read, as the file has it; for all, "
        + Remedy.unrolled)
  }

  /// Records what steps chosen by themselves say of the length: all of the example, or the first ones of an open number, one by
  /// one, are those of a loop that the exporter unrolled.
  static func recordChosen(_ l: inout Lowering) {
    for (atom, steps) in l.exampleSteps.chosenSteps {
      let count = l.exampleSteps[atom]
      if steps.count > 2, steps.keys.max() == steps.count - 1, steps.count == count ?? steps.count {
        guard let root = l.exampleSteps.root(of: atom),
          let exact = l.exampleSteps.count(of: root) ?? (root == atom ? steps.count : nil)
        else {
          noteUnrolled(&l, steps.keys.sorted(), of: atom)
          continue
        }
        l.exampleSteps.setExact(exact, of: root)
        l.builder.note(
          "the first \(steps.count) steps are chosen one by one, as by a loop that was unrolled for the exporter's example: "
            + "sequences of exactly \(exact) steps are taken (\"steps\" in model.json); for others, "
            + Remedy.unrolled)
        continue
      }
      guard let count, count > 2 else {
        noteUnrolled(&l, steps.keys.sorted(), of: atom)
        continue
      }
      for (step, place) in steps.sorted(by: { $0.key < $1.key })
      where (step > 2 || count > (atom.isDerived ? 2 : 3) && step == count / 2) && step < count - 1
      {
        record(&l, atom, "\(place) chooses step \(step)")
      }
    }
  }
}

extension FolderBuilder {
  /// Of how many elements a step a value may be a sum or mean, if it is one over the steps, or arithmetic on some: 1, and the
  /// elements that are reduced on the way. Empty for other values.
  fileprivate func pooledElements(_ value: String) -> Set<Int> {
    var pending = [value]
    var seen: Set<String> = []
    var counts: Set<Int> = [1]
    var isPool = false
    while let name = pending.popLast() {
      guard seen.insert(name).inserted, seen.count < 32,
        let node = nodes.last(where: { $0.name == name })
      else { continue }
      switch node.op.name {
      case "sum", "mean": isPool = true
      case "affine", "multiply", "divide", "add", "subtract", "square", "sqrt", "abs": break
      case "linear":
        if let shape = tensors["\(name).weight"]?.shape, shape[0] == 1 { counts.insert(shape[1]) }
      case "average_pool1d":
        if let kernel = (node.op.definition as? AveragePool1DOp)?.pooling.kernel {
          counts.insert(kernel)
        }
      default: continue
      }
      // What is summed over the steps may have been summed over its elements before.
      pending += node.inputs.compactMap { $0 }
    }
    return isPool ? counts : []
  }
}
