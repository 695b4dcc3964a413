import ModelFormat

/// Steps behind others, as of `torch.cat` along the steps and of writes to some steps: each part is padded with zeros to all the
/// steps, and the sum is taken. One part may have any number of steps.
enum StepJoin {
  /// Parts, one at least with steps, that have the same sizes beside `axis`.
  static func lower(
    _ l: inout Lowering, _ node: SourceNode, _ parts: [LoweredValue], axis: Int
  ) throws(ImportError) -> CarriedValue {
    let times = parts.map { part -> Atom? in
      if case .carried(let value) = part {
        value.axes[axis].first { $0.role == .time }
      } else {
        nil
      }
    }
    let counts = parts.map { $0.shape[axis] }
    let hasAnyLength = times.map { $0.map(\.isOpen) ?? false }
    let isOpen = zip(hasAnyLength, counts).map { $0 && $1 > Self.maxSteps }
    // Beside one part of any length, those that are as long as in the example stay so; else all do.
    let hasOneOpen = isOpen.count { $0 } == 1
    try ExampleLength.keep(
      &l, times.compactMap { $0 }.filter { !hasOneOpen || !$0.isOpen && !$0.isDerived }, node,
      "puts steps behind others")
    // The longest has any length, if one has; around it is room for the others.
    guard let main = counts.indices.max(by: { counts[$0] < counts[$1] }), let time = times[main],
      counts.enumerated().allSatisfy({ $0 == main || $1 <= maxSteps })
    else {
      let refusal = node.refusal(
        "parts of \(counts) steps",
        because: "the longest must be steps of a sequence, the others "
          + "of at most \(maxSteps)")
      // Beside the channels of one input, the axis of another has channels too.
      guard let atom = times.lazy.compactMap({ $0 }).first(where: { !$0.isDerived }) else {
        throw refusal
      }
      throw l.requiring(atom, .element, or: refusal)
    }
    let before = counts[..<main].reduce(0, +)
    let after = counts[(main + 1)...].reduce(0, +)
    let all = l.steps(before + counts[main] + after, like: time)
    func pad(_ value: inout CarriedValue, _ before: Int, _ after: Int) {
      if before > 0 || after > 0 {
        value.node = l.builder.emit(
          .padSteps(before: before, after: after, mode: .constant, value: 0), [value.node],
          named: "\(node.outputs.first ?? node.name).part")
      }
      value.axes[axis] = [all]
    }
    var sum = try sequence(&l, node, parts[main], axis: axis)
    let like = sum
    pad(&sum, before, after)
    let room = sum.node
    var passed = 0
    for (index, part) in parts.enumerated() where index != main {
      for piece in try pieces(&l, node, part, axis: axis, like: like) {
        var value = piece.value
        let start = passed + piece.start
        // Before the longest, steps are counted from the start; behind it, from the end.
        let isBefore = index < main
        pad(&value, isBefore ? start : 0, isBefore ? 0 : before + after - start - piece.count)
        value.node = l.builder.emit(
          .cropOrPad(align: isBefore ? nil : .end), [value.node, room], named: "\(node.name).fitted"
        )
        sum = try Arithmetic.combining(&l, [sum, value], .add, node)
      }
      passed += counts[index]
    }
    return sum
  }

  /// Of a part whose number of steps is known. Less than the numbers that stand in for open ones.
  private static let maxSteps = 512
  private static let maxConstantSteps = 100

  /// Some steps of a part, from `start` on.
  private struct Piece {
    let value: CarriedValue
    let start: Int
    let count: Int
  }

  /// A part as sequences: a constant's steps by themselves, without those that are 0.
  private static func pieces(
    _ l: inout Lowering, _ node: SourceNode, _ part: LoweredValue, axis: Int, like: CarriedValue
  ) throws(ImportError) -> [Piece] {
    guard case .constant(let tensor) = part else {
      let value = try sequence(&l, node, part, axis: axis)
      return [Piece(value: value, start: 0, count: part.shape[axis])]
    }
    let size = tensor.shape[axis]
    guard size <= maxConstantSteps || tensor.isUniform && tensor[0] == 0,
      tensor.count <= Lowering.maxElements
    else {
      throw node.refusal(
        "a constant of \(tensor.shape) before or behind the steps",
        because: "at most \(maxConstantSteps) steps of a constant are carried")
    }
    if tensor.isUniform, tensor[0] == 0 { return [] }
    var pieces: [Piece] = []
    for step in 0..<size {
      let numbers = tensor.part(step..<step + 1, along: axis)
      if numbers.elements.allSatisfy({ $0 == 0 }) { continue }
      var value = like
      value.node = l.builder.emit(.first, [like.node], named: "\(node.name).first")
      value.form = .vector
      value.axes[axis] = []
      let row = try Layout.elements(of: numbers, along: value, node)
      value = Arithmetic.constant(&l, row, like: value, node)
      value = try sequence(&l, node, .carried(value), axis: axis)
      pieces.append(Piece(value: value, start: step, count: 1))
    }
    return pieces
  }

  /// A part as a sequence: a vector is one of a single step.
  private static func sequence(
    _ l: inout Lowering, _ node: SourceNode, _ part: LoweredValue, axis: Int
  ) throws(ImportError) -> CarriedValue {
    if case .pending(let value) = part { throw PatternLowering.refusal(node, value) }
    // One step that is repeated, as before and behind a moving average.
    if case .carried(let vector) = part, !vector.axes[axis].isEmpty,
      let made = try VectorSteps.sequence(&l, node, vector, time: axis, states: [])
    {
      return Layout.inForeignOrder(&l, made, node)
    }
    guard case .carried(var value) = part, value.form != .tokens, value.axes[axis].count <= 1,
      value.timeAtoms == value.axes[axis]
    else {
      throw node.refusal(
        "\(part.shape) along axis \(axis)", because: "it holds more than steps of a sequence")
    }
    if value.form == .vector {
      if value.axes[axis].isEmpty {
        value.node = l.builder.emit(.repeat(steps: 1), [value.node], named: "\(node.name).step")
        value.form = .sequence
      } else if let repeated = l.sequence(of: value, node) {
        value = repeated
      } else {
        throw node.refusal("steps of which no sequence is known", because: "others are put beside")
      }
    }
    return Layout.inForeignOrder(&l, value, node)
  }
}
