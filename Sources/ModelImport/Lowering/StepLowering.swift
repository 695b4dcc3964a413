import ModelFormat

/// Operators that change the number of steps.
enum StepLowering {
  /// How the bounds of a slice were given.
  struct Bounds {
    enum Origin {
      case start, end
      /// From the start, unless the exporter made the number of the length of its example.
      case either
    }

    var start: Origin
    var end: Origin
    /// The bound itself: with a stride, the last step that is taken may lie farther before it.
    var behindLast: Int
  }

  /// Selects several steps.
  ///
  /// - Parameter bounds: nil where the node does not give any.
  static func range(
    _ l: inout Lowering, _ node: SourceNode, _ value: CarriedValue, axis: Int, _ indices: [Int],
    size: Int, bounds: Bounds? = nil
  ) throws(ImportError) -> CarriedValue {
    let stride = indices[1] - indices[0]
    guard stride > 0, value.form == .sequence,
      zip(indices, indices.dropFirst()).allSatisfy({ $1 - $0 == stride })
    else {
      throw node.refusal(
        "\(indices.count) of \(size) steps",
        because: "only steps that are as far apart can be taken",
        instead: "give the model only the steps that it is to read")
    }
    // Indices in the second half count from the end: a folder takes sequences of any length.
    func place(_ index: Int, _ origin: Bounds.Origin?) -> Int {
      origin == .end || origin != .start && index > size / 2 ? index - size : index
    }
    let (start, last) = (indices[0], indices[indices.count - 1])
    let end = max(min(bounds?.behindLast ?? last + 1, last + stride), last + 1)
    let isToEnd = bounds == nil || stride == 1 ? last + 1 + stride > size : end == size
    if let bounds {
      let isLate = ExampleLength.isLate(l, value.axes[axis][0])
      if bounds.start == .either && isLate(start) || bounds.end == .either && isLate(end) {
        ExampleLength.recordRange(&l, value.axes[axis][0], node, start...last)
      }
    }
    let (first, behind) = (place(start, bounds?.start), isToEnd ? nil : place(end, bounds?.end))
    let name = node.outputs.first ?? node.name
    let convolution =
      first == 0 && stride == 1
      ? l.builder.convolution(value.node, endingAt: behind, named: name) : nil
    var result = value
    result.node =
      convolution
      ?? l.builder.emit(
        .sliceSteps(start: first, end: behind, stride: stride), [value.node], named: name)
    result.axes[axis] = [l.steps(indices.count, like: value.axes[axis][0])]
    return result
  }

  static func pad(
    _ l: inout Lowering, _ node: SourceNode, _ value: CarriedValue, axis: Int,
    _ pad: (before: Int, after: Int), _ mode: String, _ fill: Double
  ) throws(ImportError) -> CarriedValue {
    guard value.axes[axis].count == 1, value.axes[axis][0].role == .time, value.form == .sequence
    else {
      throw node.refusal(
        "padding of \(value.axes[axis].map(\.role.rawValue).joined(separator: " and "))",
        because: "steps of a sequence and elements can be padded")
    }
    if pad.before < 0 || pad.after < 0 {
      // One end may be padded where the other is cut off, as of a shift.
      var source = value
      if pad.before > 0 || pad.after > 0 {
        source = try self.pad(
          &l, node, value, axis: axis, (max(pad.before, 0), max(pad.after, 0)), mode, fill)
      }
      let size = source.shape[axis]
      let (start, end) = (max(-pad.before, 0), size + min(pad.after, 0))
      guard start + 1 < end else {
        throw node.refusal("pads of \(pad) of \(size) steps", because: "two steps must be left")
      }
      return try range(
        &l, node, source, axis: axis, Array(start..<end), size: size,
        bounds: Bounds(start: .start, end: .end, behindLast: end))
    }
    let size = value.shape[axis]
    guard let op: PadOp.Mode = mode == "constant" ? .constant : PadOp.Mode(rawValue: mode) else {
      throw node.refusal("the mode \(mode)", because: "constant, reflect and edge are known")
    }
    var result = value
    result.node = l.builder.emit(
      .padSteps(before: pad.before, after: pad.after, mode: op, value: Float(fill)), [value.node],
      named: node.outputs.first ?? node.name)
    result.axes[axis] = [l.steps(size + pad.before + pad.after, like: value.axes[axis][0])]
    return result
  }

  /// Constant steps before and behind a value, all of one number; nil if that is not what the constants are.
  static func padded(
    _ l: inout Lowering, _ node: SourceNode, _ value: CarriedValue, at place: Int,
    _ constants: [Int: SourceTensor], axis: Int
  ) throws(ImportError) -> CarriedValue? {
    let atoms = value.axes[axis]
    guard atoms.count == 1, atoms[0].role == .time, value.form == .sequence,
      let fill = constants.values.first?.first,
      constants.values.allSatisfy({
        $0.rank == value.axes.count && $0.elements.allSatisfy { $0 == fill }
      })
    else { return nil }
    var steps = (before: 0, after: 0)
    for (index, tensor) in constants {
      if index < place {
        steps.before += tensor.shape[axis]
      } else {
        steps.after += tensor.shape[axis]
      }
    }
    return try pad(&l, node, value, axis: axis, steps, "constant", fill)
  }
}

extension FolderBuilder {
  /// Adds a convolution without the steps that it pads behind the last, which are then cut off, as a causal one is often written;
  /// nil if that is not what is cut.
  mutating func convolution(
    _ name: String, endingAt end: Int?, named text: String
  ) -> String? {
    guard let end, let node = nodes.last(where: { $0.name == name }),
      var convolution = node.op.definition as? any StepConvolutionDefinition,
      convolution.stride == 1,
      case .explicit(let before, let after)? = convolution.padding, after > 0, end == -after,
      let shape = tensors["\(name).weight"]?.shape
    else { return nil }
    let reach = (shape[2] - 1) * convolution.dilation
    convolution.padding =
      before == reach ? .causal : before == 0 ? .valid : .explicit(before: before, after: 0)
    return emit(convolution.op, node.inputs, named: text, weights: name)
  }

  /// The value that a node pads with zeros, and the padding.
  func zeroPadding(_ name: String) -> (source: String, padding: (before: Int, after: Int))? {
    guard let node = nodes.last(where: { $0.name == name }), let source = node.inputs.first ?? nil,
      let pad = node.op.definition as? PadStepsOp, pad.mode ?? .constant == .constant,
      pad.value == 0
    else { return nil }
    return (source, (pad.before, pad.after))
  }
}
