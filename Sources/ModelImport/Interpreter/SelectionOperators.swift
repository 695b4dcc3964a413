/// Operators that select elements of their inputs, or concatenate inputs.
enum SelectionOperators {
  /// The outputs of a node; nil for an operator of another family.
  static func evaluate(_ a: Interpreter.Arguments) throws(ImportError) -> [SourceTensor]? {
    switch a.node.op {
    case "Gather": return try gather(a)
    case "Slice": return try slice(a)
    case "Concat": return try concat(a)
    case "Split": return try split(a)
    case "Pad": return try pad(a)
    case "GatherElements": return try gatherElements(a)
    case "OneHot": return try oneHot(a)
    case "ReverseSequence": return try reverseSequence(a)
    case "CumSum": return try cumulativeSum(a)
    case "NonZero": return try nonZero(a)
    case "GatherND": return try gatherND(a)
    case "ScatterElements": return try scatterElements(a)
    default: return nil
    }
  }

  private static func gather(_ a: Interpreter.Arguments) throws(ImportError) -> [SourceTensor] {
    let (value, indices) = (try a.required(0), try a.required(1))
    let axis = try a.axis(a.node.integer("axis", default: 0), rank: value.rank)
    let shape = value.shape[..<axis] + indices.shape + value.shape[(axis + 1)...]
    try a.checkCount(Array(shape))
    let chosen = try wrapped(a, indices.integers, size: value.shape[axis])
    let inner = value.shape[(axis + 1)...].reduce(1, *)
    var positions: [Int] = []
    for outer in 0..<value.shape[..<axis].reduce(1, *) {
      for index in chosen {
        let start = (outer * value.shape[axis] + index) * inner
        positions.append(contentsOf: start..<start + inner)
      }
    }
    return [value.picking(positions, shape: Array(shape))]
  }

  /// Indices, which may be negative to count from the end.
  static func wrapped(
    _ a: Interpreter.Arguments, _ indices: [Int], size: Int
  ) throws(ImportError) -> [Int] {
    var chosen: [Int] = []
    for index in indices {
      let counted = index < 0 ? index + size : index
      guard (0..<size).contains(counted) else {
        throw a.node.refusal("index \(index)", because: "the axis has \(size) elements")
      }
      chosen.append(counted)
    }
    return chosen
  }

  private static func gatherElements(_ a: Interpreter.Arguments) throws(ImportError)
    -> [SourceTensor]
  {
    let (value, indices) = (try a.required(0), try a.required(1))
    let axis = try a.axis(a.node.integer("axis", default: 0), rank: value.rank)
    guard indices.rank == value.rank else {
      throw a.node.refusal("\(indices.shape) of \(value.shape)", because: "they differ in rank")
    }
    try a.checkCount(indices.shape)
    let chosen = try wrapped(a, indices.integers, size: value.shape[axis])
    let strides = RowMajor.strides(value.shape)
    var others = strides
    others[axis] = 0
    let bases = RowMajor.positions(shape: indices.shape, strides: others)
    let positions = zip(bases, chosen).map { $0 + $1 * strides[axis] }
    guard positions.allSatisfy({ $0 < value.count }) else {
      throw a.node.refusal(
        "\(indices.shape) of \(value.shape)", because: "the indices reach beyond the value")
    }
    return [value.picking(positions, shape: indices.shape)]
  }

  private static func scatterElements(_ a: Interpreter.Arguments) throws(ImportError)
    -> [SourceTensor]
  {
    let (value, indices, updates) = (try a.required(0), try a.required(1), try a.required(2))
    let axis = try a.axis(a.node.integer("axis", default: 0), rank: value.rank)
    guard indices.rank == value.rank, updates.shape == indices.shape,
      a.node.text("reduction", default: "none") == "none"
    else {
      throw a.node.refusal(
        "\(updates.shape) at \(indices.shape)",
        because: "these shapes don't fit each other, or are reduced")
    }
    try a.checkCount(value.shape)
    let chosen = try wrapped(a, indices.integers, size: value.shape[axis])
    let strides = RowMajor.strides(value.shape)
    var others = strides
    others[axis] = 0
    var elements = value.dense
    for (index, base) in RowMajor.positions(shape: indices.shape, strides: others).enumerated() {
      let position = base + chosen[index] * strides[axis]
      guard elements.indices.contains(position) else {
        throw a.node.refusal(
          "\(indices.shape) of \(value.shape)", because: "the indices reach beyond the value")
      }
      elements[position] = updates[index]
    }
    return [SourceTensor(shape: value.shape, kind: value.kind, elements: elements)]
  }

  private static func gatherND(_ a: Interpreter.Arguments) throws(ImportError) -> [SourceTensor] {
    let (value, indices) = (try a.required(0), try a.required(1))
    guard a.node.integer("batch_dims", default: 0) == 0, let depth = indices.shape.last,
      value.rank > 0, (1...value.rank).contains(depth)
    else {
      throw a.node.refusal(
        "indices of \(indices.shape)", because: "only GatherND without batch_dims is known")
    }
    let strides = RowMajor.strides(value.shape)
    let inner = value.shape[depth...].reduce(1, *)
    let shape = Array(indices.shape.dropLast() + value.shape[depth...])
    try a.checkCount(shape)
    let all = indices.integers
    var positions: [Int] = []
    for row in 0..<indices.shape.dropLast().reduce(1, *) {
      var start = 0
      for axis in 0..<depth {
        start +=
          try wrapped(a, [all[row * depth + axis]], size: value.shape[axis])[0] * strides[axis]
      }
      positions.append(contentsOf: start..<start + inner)
    }
    return [value.picking(positions, shape: shape)]
  }

  private static func slice(_ a: Interpreter.Arguments) throws(ImportError) -> [SourceTensor] {
    let value = try a.required(0)
    let ranges = try sliceRanges(
      a.node, shape: value.shape, starts: try a.integers("starts", input: 1),
      ends: try a.integers("ends", input: 2), axes: a.axes(input: 3),
      steps: a.optional(4)?.integers)
    let strides = RowMajor.strides(value.shape)
    let shape = ranges.map(\.count)
    let offset = zip(ranges, strides).reduce(0) { $0 + $1.0.start * $1.1 }
    return [
      value.picking(
        shape: shape, strides: zip(ranges, strides).map { $0.step * $1 }, offset: offset)
    ]
  }

  /// The slices of Slice, one for each axis.
  static func sliceRanges(
    _ node: SourceNode, shape: [Int], starts: [Int], ends: [Int], axes: [Int]?, steps: [Int]?
  ) throws(ImportError) -> [AxisRange] {
    var ranges = shape.map { AxisRange(of: $0, start: 0, end: $0, step: 1) }
    let axes = axes ?? Array(starts.indices)
    let steps = steps ?? starts.map { _ in 1 }
    guard starts.count == ends.count, starts.count == axes.count, starts.count == steps.count else {
      throw node.refusal(
        "\(starts.count) starts and \(ends.count) ends", because: "Slice has one of each an axis")
    }
    for index in starts.indices {
      let axis = axes[index] < 0 ? axes[index] + shape.count : axes[index]
      guard shape.indices.contains(axis), steps[index] != 0 else {
        throw node.refusal(
          "axis \(axes[index]), step \(steps[index])", because: "the value has \(shape.count) axes")
      }
      ranges[axis] = AxisRange(
        of: shape[axis], start: starts[index], end: ends[index], step: steps[index])
    }
    return ranges
  }

  private static func concat(_ a: Interpreter.Arguments) throws(ImportError) -> [SourceTensor] {
    let first = try a.required(0)
    let axis = try a.axis(a.node.integer("axis", default: 0), rank: first.rank)
    var parts: [SourceTensor] = []
    for index in a.values.indices {
      let part = try a.required(index)
      guard part.rank == first.rank else {
        throw a.node.refusal(
          "\(first.shape) and \(part.shape)",
          because: "they have different numbers of axes, which ONNX doesn't allow",
          instead:
            "PyTorch's exporter writes an LSTM with a projection (proj_size) so, and ONNX Runtime refuses it too: torch.export.save(torch.export.export(model.eval(), (x,)), 'm.pt2') writes one that is carried"
        )
      }
      guard
        part.shape.indices.allSatisfy({ $0 == axis || part.shape[$0] == first.shape[$0] })
      else {
        throw a.node.refusal(
          "\(first.shape) and \(part.shape)", because: "they differ beside axis \(axis)")
      }
      parts.append(part)
    }
    var shape = first.shape
    shape[axis] = parts.reduce(0) { min($0 + $1.shape[axis], SourceTensor.maxExtent) }
    if first.isUniform, parts.allSatisfy({ $0.isUniform && $0.elements == first.elements }) {
      return [first.reshaped(shape)]
    }
    try a.checkCount(shape)
    var elements: [Double] = []
    let dense = parts.map(\.dense)
    for outer in 0..<shape[..<axis].reduce(1, *) {
      for (part, numbers) in zip(parts, dense) {
        let run = part.shape[axis...].reduce(1, *)
        elements += numbers[outer * run..<(outer + 1) * run]
      }
    }
    return [SourceTensor(shape: shape, kind: first.kind, elements: elements)]
  }

  private static func split(_ a: Interpreter.Arguments) throws(ImportError) -> [SourceTensor] {
    let value = try a.required(0)
    let axis = try a.axis(a.node.integer("axis", default: 0), rank: value.rank)
    let sizes = try splitSizes(
      a.node, size: value.shape[axis], given: a.node.integers("split") ?? a.optional(1)?.integers)
    var start = 0
    return sizes.map { size in
      defer { start += size }
      return value.part(start..<start + size, along: axis)
    }
  }

  /// Marks a Split whose parts differ by one element at most, the first ones being larger, where ONNX's last part is smaller.
  static let isBalanced = "balanced"

  /// The sizes of Split's outputs along its axis.
  static func splitSizes(_ node: SourceNode, size: Int, given: [Int]?) throws(ImportError) -> [Int]
  {
    if let given {
      guard given.allSatisfy({ (0...size).contains($0) }),
        given.reduce(0, { min($0 + $1, SourceTensor.maxExtent) }) == size
      else {
        throw node.refusal("parts of \(given)", because: "the axis has \(size) elements")
      }
      return given
    }
    let parts = max(node.integer("num_outputs") ?? node.outputs.count, 1)
    guard parts <= max(node.outputs.count, 1) else {
      throw node.refusal("\(parts) parts", because: "it has \(node.outputs.count) outputs")
    }
    if node.attributes[isBalanced] != nil {
      return (0..<parts).map { size / parts + ($0 < size % parts ? 1 : 0) }
    }
    let each = (size + parts - 1) / parts
    return (0..<parts).map { max(min(each, size - $0 * each), 0) }
  }

  private static func pad(_ a: Interpreter.Arguments) throws(ImportError) -> [SourceTensor] {
    let value = try a.required(0)
    let pads = try padding(
      a.node, rank: value.rank, pads: try a.integers("pads", input: 1),
      axes: a.optional(3)?.integers)
    let fill = try a.number("value", input: 2, default: 0)
    let mode = a.node.text("mode", default: "constant")
    let shape = value.shape.indices.map { value.shape[$0] + pads[$0].before + pads[$0].after }
    try a.checkCount(shape)
    var positions: [Int?] = [0]
    let strides = RowMajor.strides(value.shape)
    for axis in value.shape.indices {
      let size = value.shape[axis]
      var sources: [Int?] = []
      for index in 0..<shape[axis] {
        let at = index - pads[axis].before
        switch mode {
        case _ where (0..<size).contains(at): sources.append(at)
        case "constant": sources.append(nil)
        case "edge": sources.append(size == 0 ? nil : min(max(at, 0), size - 1))
        case "wrap" where size > 0: sources.append((at % size + size) % size)
        case "reflect":
          let mirrored = at < 0 ? -at : 2 * (size - 1) - at
          guard (0..<size).contains(mirrored) else {
            throw a.node.refusal(
              "\(pads[axis]) of \(size)",
              because: "only the elements that are there can be reflected")
          }
          sources.append(mirrored)
        default: throw a.node.refusal("the mode \(mode)", because: "it isn't known")
        }
      }
      positions = positions.flatMap { base in
        sources.map { source in base.flatMap { base in source.map { base + $0 * strides[axis] } } }
      }
    }
    return [
      SourceTensor(
        shape: shape, kind: value.kind, elements: positions.map { $0.map { value[$0] } ?? fill })
    ]
  }

  /// The padding of Pad before and after each axis.
  static func padding(
    _ node: SourceNode, rank: Int, pads: [Int], axes: [Int]?
  ) throws(ImportError) -> [(before: Int, after: Int)] {
    let axes = (axes ?? Array(0..<rank)).map { $0 < 0 ? $0 + rank : $0 }
    var result = Array(repeating: (before: 0, after: 0), count: rank)
    guard pads.count == 2 * axes.count, axes.allSatisfy({ (0..<rank).contains($0) }),
      pads.allSatisfy({ (-(1 << 31)..<1 << 31).contains($0) })
    else {
      throw node.refusal("pads \(pads)", because: "the value has \(rank) axes, each with two")
    }
    for (index, axis) in axes.enumerated() {
      result[axis] = (pads[index], pads[index + axes.count])
    }
    return result
  }

  private static func oneHot(_ a: Interpreter.Arguments) throws(ImportError) -> [SourceTensor] {
    let (indices, values) = (try a.required(0), try a.required(2))
    let depth = SourceTensor.integer(try a.number(1))
    guard values.count == 2 else {
      throw a.node.refusal(
        "values of \(values.shape)", because: "there is one for off and one for on")
    }
    let rank = indices.rank + 1
    let axis = try a.axis(a.node.integer("axis", default: -1), rank: rank)
    var shape = indices.shape
    shape.insert(depth, at: axis)
    try a.checkCount(shape)
    let inner = indices.shape[axis...].reduce(1, *)
    let chosen = indices.integers
    let elements = (0..<shape.reduce(1, *)).map { position in
      let (outer, rest) = position.quotientAndRemainder(dividingBy: depth * inner)
      let (slot, within) = rest.quotientAndRemainder(dividingBy: inner)
      let index = chosen[outer * inner + within]
      return values[(index < 0 ? index + depth : index) == slot ? 1 : 0]
    }
    return [SourceTensor(shape: shape, kind: values.kind, elements: elements)]
  }

  private static func reverseSequence(_ a: Interpreter.Arguments) throws(ImportError)
    -> [SourceTensor]
  {
    let (value, lengths) = (try a.required(0), try a.required(1).integers)
    let time = try a.axis(a.node.integer("time_axis", default: 0), rank: value.rank)
    let batch = try a.axis(a.node.integer("batch_axis", default: 1), rank: value.rank)
    guard lengths.count == value.shape[batch],
      lengths.allSatisfy({ (0...value.shape[time]).contains($0) })
    else { throw a.node.refusal("lengths \(lengths)", because: "the value is of \(value.shape)") }
    if value.isUniform { return [value] }
    let strides = RowMajor.strides(value.shape)
    let elements = (0..<value.count).map { position in
      let step = position / strides[time] % value.shape[time]
      let length = lengths[position / strides[batch] % value.shape[batch]]
      return value[step < length ? position + (length - 1 - 2 * step) * strides[time] : position]
    }
    return [SourceTensor(shape: value.shape, kind: value.kind, elements: elements)]
  }

  private static func cumulativeSum(_ a: Interpreter.Arguments) throws(ImportError)
    -> [SourceTensor]
  {
    let value = try a.required(0)
    let axis = try a.axis(SourceTensor.integer(try a.number(1)), rank: value.rank)
    guard a.node.integer("exclusive", default: 0) == 0, a.node.integer("reverse", default: 0) == 0
    else {
      throw a.node.refusal("exclusive or reverse", because: "only the plain CumSum is known")
    }
    try a.checkCount(value.shape)
    var elements = value.dense
    let stride = RowMajor.strides(value.shape)[axis]
    for position in elements.indices where position / stride % value.shape[axis] > 0 {
      elements[position] += elements[position - stride]
    }
    return [SourceTensor(shape: value.shape, kind: value.kind, elements: elements)]
  }

  private static func nonZero(_ a: Interpreter.Arguments) throws(ImportError) -> [SourceTensor] {
    let value = try a.required(0)
    try a.checkCount(value.shape)
    let found = value.dense.indices.filter { value[$0] != 0 }
    let strides = RowMajor.strides(value.shape)
    let elements = value.shape.indices.flatMap { axis in
      found.map { Double($0 / strides[axis] % value.shape[axis]) }
    }
    return [SourceTensor(shape: [value.rank, found.count], kind: .integer, elements: elements)]
  }
}
