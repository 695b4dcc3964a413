import ModelFormat

/// Operators that select ranges of steps or elements, or concatenate values.
enum SelectionLowering {
  /// The outputs of a node; nil for an operator of another family.
  static func lower(
    _ l: inout Lowering, _ node: SourceNode
  ) throws(ImportError) -> [LoweredValue]? {
    switch node.op {
    case "Slice": return try slice(&l, node)
    case "Split": return try split(&l, node)
    case "Concat": return try ConcatLowering.concat(&l, node)
    case "Pad": return try pad(&l, node)
    case "ReverseSequence": return try reverseSequence(&l, node)
    default: return nil
    }
  }

  // MARK: Steps and elements

  /// Selects these indices of an axis; for a single index the axis stays with size 1.
  ///
  /// - Parameter isFromEnd: whether a single index was counted from the end, so that it holds for any number of steps.
  static func select(
    _ l: inout Lowering, _ node: SourceNode, _ value: CarriedValue, axis: Int, _ indices: [Int],
    isFromEnd: Bool = false, bounds: StepLowering.Bounds? = nil
  ) throws(ImportError) -> CarriedValue {
    let size = value.shape[axis]
    if indices == Array(0..<size) { return value }
    let roles = Set(value.axes[axis].map(\.role))
    if roles.isSubset(of: [.element]) {
      return Layout.selecting(&l, value, axis: axis, indices, node)
    }
    if let step = sharedStep(value.axes[axis], indices) {
      // The same step of each sequence.
      var split = value
      split.axes.replaceSubrange(axis...axis, with: value.axes[axis].map { [$0] })
      let steps = axis + (value.axes[axis][0].role == .time ? 0 : 1)
      var result = try selectSteps(
        &l, node, split, axis: steps, [step], size: split.shape[steps])
      result.axes.remove(at: steps)
      return result
    }
    guard value.axes[axis].count == 1, let atom = value.axes[axis].first else {
      throw node.refusal(
        "a choice from an axis in which \(roles.map(\.rawValue).sorted().joined(separator: " and ")) are mixed",
        because: "it isn't one of steps or elements alone")
    }
    if atom.role == .batch {
      throw BatchMixing.refusal(
        &l, along: atom, "a choice or another order of the sequences of a batch", node)
    }
    let chosen = isFromEnd ? indices : ExampleLength.chosen(&l, indices, of: atom, node)
    if chosen == Array(0..<size) { return value }
    // An index beyond half of a number that stands in for the steps was counted from the end, too.
    let isLate = atom.isOpen && chosen[0] > size / 2
    return try selectSteps(
      &l, node, value, axis: axis, chosen, size: size, isFromEnd: isFromEnd || isLate,
      bounds: bounds)
  }

  /// The step that indices into an axis [batch · steps] or [steps · batch] select of every sequence in turn; nil if they
  /// don't.
  private static func sharedStep(_ axis: [Atom], _ indices: [Int]) -> Int? {
    guard axis.count == 2, let first = indices.first else { return nil }
    if axis[0].role == .time, axis[1].role == .batch {
      let size = axis[1].size
      return first % size == 0 && indices == Array(first..<first + size) ? first / size : nil
    }
    guard axis[0].role == .batch, axis[1].role == .time, first < axis[1].size else { return nil }
    let step = first
    // The exporter's example may be a batch of one sequence.
    if indices.count == 1 { return step }
    guard indices.count == axis[0].size else { return nil }
    if indices.allSatisfy({ $0 == step }) { return step }
    return indices.enumerated().allSatisfy { $1 == $0 * axis[1].size + step } ? step : nil
  }

  private static func selectSteps(
    _ l: inout Lowering, _ node: SourceNode, _ value: CarriedValue, axis: Int, _ indices: [Int],
    size: Int, isFromEnd: Bool = false, bounds: StepLowering.Bounds? = nil
  ) throws(ImportError) -> CarriedValue {
    var result = value
    let name = node.outputs.first ?? node.name
    if value.form == .vector {
      // The value is the same at every step.
      result.axes[axis] = []
      if indices.count == 1 { return result }
    } else if indices.count == 1 {
      result.form = .vector
      result.axes[axis] = []
      if indices[0] == size - 1 {
        result.node = l.builder.emit(.last, [value.node], named: name)
      } else {
        // A sequence without that step is refused.
        var source = value.node
        if indices[0] > 0 || isFromEnd {
          let start = isFromEnd ? indices[0] - size : indices[0]
          source = l.builder.emit(
            .sliceSteps(start: start, end: start + 1), [source], named: "\(name).step")
        }
        result.node = l.builder.emit(.first, [source], named: name)
      }
      l.setOrigins(of: result.node, l.origins(of: value.node))
      return result
    } else if indices == Array((0..<size).reversed()) {
      result.node = l.builder.emit(.reverse, [value.node], named: name)
      return result
    }
    return try StepLowering.range(&l, node, result, axis: axis, indices, size: size, bounds: bounds)
  }

  private static func slice(_ l: inout Lowering, _ node: SourceNode) throws(ImportError)
    -> [LoweredValue]
  {
    let value = try l.carried(node, 0)
    guard let starts = try l.integers(node, "starts", input: 1),
      let ends = try l.integers(node, "ends", input: 2)
    else { throw node.refusal("no starts or ends", because: "Slice needs both") }
    let ranges = try SelectionOperators.sliceRanges(
      node, shape: value.shape, starts: starts, ends: ends,
      axes: try l.integers(node, "axes", input: 3),
      steps: try l.constant(node, 4, "steps")?.integers)
    var result = value
    let parts = node.integers("parts") ?? []  // of what PyTorch splits
    // A window that PyTorch computes from the length.
    if node.integer("isOfExample") == 1 {
      for index in try l.constant(node, 3, "axes")?.integers ?? [] {
        let axis = index < 0 ? index + value.axes.count : index
        if value.axes.indices.contains(axis) {
          try ExampleLength.keep(&l, value.axes[axis], node)
        }
      }
    }
    for (axis, range) in ranges.enumerated() where range.isAll(of: value.shape[axis]) {
      let size = value.shape[axis]
      guard starts.contains(-size) || ends.contains(size) else { continue }
      OnlySteps.noteAll(&l, value.axes[axis], node, "takes")
    }
    for (axis, range) in ranges.enumerated() where range.isBeyond {
      ExampleLength.recordCut(&l, value.axes[axis], node)
    }
    for (axis, range) in ranges.enumerated() where !range.isAll(of: value.shape[axis]) {
      ExampleLength.recordSplit(&l, value.axes[axis], parts: parts, node)
      // Nothing before the first or behind the last of what is written over.
      if node.isOfWrite, ExampleLength.isEmpty(l, value.axes[axis], range) {
        if value.axes[axis].contains(where: { l.exampleSteps[$0] == 1 }) {
          try ExampleLength.keep(&l, value.axes[axis], node, "writes over the only step")
        }
        return [.constant(SourceTensor(repeating: 0, shape: [0]))]
      }
      guard range.count > 0 else {
        throw node.refusal(
          "a slice of \(value.shape) with nothing in it",
          because: "values have one element at least",
          instead: value.axes[axis].contains { $0.role == .time && $0.size == 1 }
            ? Remedy.moreSteps : nil)
      }
      let bounds = StepLowering.Bounds(
        start: range.startsFromEnd ? .end : .either, end: range.endsFromEnd ? .end : .either,
        behindLast: range.end)
      result = try select(
        &l, node, result, axis: axis, range.indices,
        isFromEnd: range.count == 1 && range.startsFromEnd, bounds: parts.isEmpty ? bounds : nil)
    }
    return [.carried(result)]
  }

  private static func split(_ l: inout Lowering, _ node: SourceNode) throws(ImportError)
    -> [LoweredValue]
  {
    let value = try l.carried(node, 0)
    let place = node.integer("axis", default: 0)
    let axis = place < 0 ? place + value.axes.count : place
    guard value.axes.indices.contains(axis) else {
      throw node.refusal("axis \(place)", because: "the value has \(value.axes.count) axes")
    }
    let given = try l.integers(node, "split", input: 1)
    let sizes = try ExampleLength.parts(&l, value.axes[axis], node, given)
    ExampleLength.recordSplit(&l, value.axes[axis], parts: sizes, node)
    var start = 0
    var parts: [LoweredValue] = []
    for (index, size) in sizes.enumerated() {
      var part = node
      part.outputs = [node.output(index) ?? ""]
      if size > 0, node.output(index) != nil {
        parts.append(.carried(try select(&l, part, value, axis: axis, Array(start..<start + size))))
      } else {
        parts.append(.constant(SourceTensor(repeating: 0, shape: [0])))
      }
      start += size
    }
    return parts
  }

  // MARK: Pad, reverse

  private static func pad(_ l: inout Lowering, _ node: SourceNode) throws(ImportError)
    -> [LoweredValue]
  {
    var value = try l.carried(node, 0)
    guard let given = try l.integers(node, "pads", input: 1) else {
      throw node.refusal("no pads", because: "Pad needs them")
    }
    let pads = try SelectionOperators.padding(
      node, rank: value.axes.count, pads: given, axes: try l.constant(node, 3, "axes")?.integers)
    let fill = try l.number(node, "value", input: 2, default: 0)
    let mode = node.text("mode", default: "constant")
    for (axis, pad) in pads.enumerated() where pad != (0, 0) {
      guard (0...Lowering.maxElements).contains(max(pad.before, 0) + max(pad.after, 0)) else {
        throw node.refusal("pads of \(pad)", because: "there may be \(Lowering.maxElements)")
      }
      if node.attributes[CachedSteps.mark] != nil {
        try CachedSteps.check(&l, node, value.axes[axis])
      }
      if mode == "wrap" {
        value = try wrapped(&l, node, value, axis: axis, pad)
        continue
      }
      if value.axes[axis].contains(where: { $0.role != .element }) {
        value = try StepLowering.pad(&l, node, value, axis: axis, pad, mode, fill)
        continue
      }
      value = try padElements(&l, node, value, axis: axis, pad, mode, fill)
    }
    return [.carried(value)]
  }

  /// The last elements or steps before the first, and the first behind the last: `padding_mode="circular"`.
  private static func wrapped(
    _ l: inout Lowering, _ node: SourceNode, _ value: CarriedValue, axis: Int,
    _ pad: (before: Int, after: Int)
  ) throws(ImportError) -> CarriedValue {
    let size = value.shape[axis]
    guard pad.before >= 0, pad.after >= 0, max(pad.before, pad.after) <= size else {
      throw node.refusal(
        "pads of \(pad) of \(size)", because: "only what is there can come from the other end")
    }
    let (last, first) = (Array(size - pad.before..<size), Array(0..<pad.after))
    if value.axes[axis].allSatisfy({ $0.role == .element }) {
      return Layout.selecting(&l, value, axis: axis, last + Array(0..<size) + first, node)
    }
    var parts = [LoweredValue.carried(value)]
    if !last.isEmpty {
      let steps = try select(&l, node, value, axis: axis, last, isFromEnd: true)
      parts.insert(.carried(steps), at: 0)
    }
    if !first.isEmpty { parts.append(.carried(try select(&l, node, value, axis: axis, first))) }
    return try ConcatLowering.concat(&l, node, parts, axis: axis)
  }

  static func padElements(
    _ l: inout Lowering, _ node: SourceNode, _ value: CarriedValue, axis: Int,
    _ pad: (before: Int, after: Int), _ mode: String, _ fill: Double
  ) throws(ImportError) -> CarriedValue {
    if pad.before < 0 || pad.after < 0 {
      // One end may be padded where the other is cut off.
      var source = value
      if pad.before > 0 || pad.after > 0 {
        source = try padElements(
          &l, node, value, axis: axis, (max(pad.before, 0), max(pad.after, 0)), mode, fill)
      }
      let (start, end) = (max(-pad.before, 0), source.shape[axis] + min(pad.after, 0))
      guard start < end else {
        throw node.refusal(
          "pads of \(pad) of \(value.shape[axis]) elements", because: "nothing is left")
      }
      return try select(&l, node, source, axis: axis, Array(start..<end))
    }
    let size = value.shape[axis]
    guard let op: PadOp.Mode = mode == "constant" ? .constant : PadOp.Mode(rawValue: mode) else {
      throw node.refusal("the mode \(mode)", because: "constant, reflect and edge are known")
    }
    guard mode != "reflect" || max(pad.before, pad.after) < size else {
      throw node.refusal(
        "pads of \(pad) of \(size) elements",
        because: "only the elements that are there can be reflected")
    }
    let others = value.foreignOrder.filter { !value.axes[axis].contains($0) }
    let own = value.axes[axis]
    var result = Layout.arranged(&l, value, others + own, node)
    let channels = others.reduce(1) { $0 * $1.size }
    result = Layout.map(
      &l,
      result,
      .pad(
        channels: channels, before: pad.before, after: pad.after, mode: op, value: Float(fill)),
      node)
    let atom = l.places(size + pad.before + pad.after, along: own)
    result.axes[axis] = [atom]
    result.elements = others + [atom]
    return result
  }

  private static func reverseSequence(_ l: inout Lowering, _ node: SourceNode) throws(ImportError)
    -> [LoweredValue]
  {
    var value = try l.carried(node, 0)
    let axis = node.integer("time_axis", default: 0)
    guard value.axes.indices.contains(axis), let lengths = try l.constant(node, 1, "lengths"),
      lengths.elements.allSatisfy({ SourceTensor.integer($0) == value.shape[axis] })
    else {
      throw node.refusal("lengths of their own", because: "each sequence is reversed as a whole")
    }
    guard value.axes[axis].count == 1, value.axes[axis][0].role == .time, value.form == .sequence
    else {
      throw node.refusal("axis \(axis)", because: "only steps are reversed", instead: nil)
    }
    value.node = l.builder.emit(.reverse, [value.node], named: node.outputs.first ?? node.name)
    return [.carried(value)]
  }
}
