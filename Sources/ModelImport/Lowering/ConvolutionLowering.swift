import ModelFormat

/// Convolutions and pools: over the steps, within a step, or both.
enum ConvolutionLowering {
  /// The outputs of a node; nil for an operator of another family.
  static func lower(
    _ l: inout Lowering, _ node: SourceNode
  ) throws(ImportError) -> [LoweredValue]? {
    switch node.op {
    case "Conv", "MaxPool", "AveragePool": return try window(&l, node)
    default: return nil
    }
  }

  private static func window(
    _ l: inout Lowering, _ node: SourceNode
  ) throws(ImportError) -> [LoweredValue] {
    [.carried(node.op == "Conv" ? try convolve(&l, node) : try pool(&l, node))]
  }

  private static func checkRoles(
    _ l: inout Lowering, _ node: SourceNode, _ value: CarriedValue
  ) throws(ImportError) {
    if let atom = value.axes[1].first(where: { $0.role != .element }) {
      throw l.requiring(
        atom, .element,
        or: node.refusal(
          "channels that are \(atom.role.rawValue)",
          because: "axis 1 of \(value.shape) must be elements of a step"))
    }
    for axis in 2..<value.axes.count {
      if let atom = value.axes[axis].first(where: { $0.role == .batch }) {
        throw BatchMixing.refusal(
          &l, along: atom, "a window over the sequences of a batch (axis \(axis))", node)
      }
    }
  }

  // MARK: Conv

  private static func convolve(
    _ l: inout Lowering, _ node: SourceNode
  ) throws(ImportError) -> CarriedValue {
    let value = try l.carried(node, 0)
    guard let weight = try l.constant(node, 1, "weights"), weight.rank >= 3,
      weight.rank == value.axes.count
    else {
      throw node.refusal(
        "\(value.shape)", because: "the weights must be constant and have as many axes")
    }
    try checkRoles(&l, node, value)
    let bias = try l.constant(node, 2, "biases")
    let groups = node.integer("group", default: 1)
    let channels = RowMajor.count([weight.shape[1], max(groups, 1)]) ?? 0
    guard groups > 0, weight.shape[0] % groups == 0, channels == value.shape[1],
      bias.map({ $0.count == weight.shape[0] }) ?? true
    else {
      throw l.requiring(
        value.axes[1], ofSize: channels,
        or: node.refusal(
          "\(value.shape) and weights of \(weight.shape)",
          because: "these shapes don't fit each other"))
    }
    if let atom = value.axes[0].first(where: { $0.role == .element }) {
      let refusal = node.refusal(
        "axis 0 of \(value.shape), which holds \(atom.role.rawValue)",
        because: "the same convolution for parts of a step isn't carried",
        instead: atom.origin == nil ? nil : Remedy.channelsOfOwn)
      throw value.axes[0] == [atom] ? l.requiring(atom, .batch, or: refusal) : refusal
    }
    let windows = try windows(&l, node, value, kernel: Array(weight.shape[2...]))
    let times = (2..<value.axes.count).filter { value.axes[$0].contains { $0.role == .time } }
    guard times.allSatisfy({ value.axes[$0].count == 1 }), times.count <= 1 else {
      throw node.refusal("\(value.shape)", because: "an axis mixes steps and elements")
    }
    guard let time = times.first else {
      return try FrameConvolution(
        value: value, weight: weight, bias: bias, groups: groups, windows: windows
      )
      .lower(&l, node)
    }
    return try StepConvolution(
      value: value, weight: weight, bias: bias, groups: groups, windows: windows, time: time - 2
    ).lower(&l, node)
  }

  /// The windows along the axes behind the channels. How many steps SAME pads for a stride depends on how many there are.
  static func windows(
    _ l: inout Lowering, _ node: SourceNode, _ value: CarriedValue, kernel: [Int]
  ) throws(ImportError) -> [ConvolutionOperators.Window] {
    let windows = try ConvolutionOperators.windows(
      node, sizes: Array(value.shape[2...]), kernel: kernel)
    guard node.text("auto_pad", default: "").hasPrefix("SAME") else { return windows }
    for (axis, window) in zip(value.axes[2...], windows) where window.stride > 1 && window.size > 1
    {
      try ExampleLength.keep(
        &l, axis, node, "pads for its stride what the number of steps asks for")
    }
    return windows
  }

  // MARK: Pools

  private static func pool(
    _ l: inout Lowering, _ node: SourceNode
  ) throws(ImportError) -> CarriedValue {
    var value = try l.carried(node, 0)
    guard value.axes.count >= 3, let kernel = node.integers("kernel_shape") else {
      throw node.refusal(
        "\(value.shape)", because: "a pool has a kernel_shape and axes behind the channels")
    }
    try checkRoles(&l, node, value)
    let windows = try windows(&l, node, value, kernel: kernel)
    for (index, window) in windows.enumerated() {
      let axis = index + 2
      if window.size == 1, window.stride == 1, window.before == 0, window.after == 0 { continue }
      if value.axes[axis].contains(where: { $0.role == .time }) {
        try ExampleLength.checkPool(&l, value, axis: axis, node)
        value = try StepPool(value: value, axis: axis, window: window).lower(&l, node)
      } else {
        value = try poolElements(&l, node, value, axis: axis, window)
      }
    }
    return value
  }

  /// A pool over an axis of elements, for each index of the others.
  private static func poolElements(
    _ l: inout Lowering, _ node: SourceNode, _ value: CarriedValue, axis: Int,
    _ window: ConvolutionOperators.Window
  ) throws(ImportError) -> CarriedValue {
    guard window.dilation == 1, window.before * 2 <= window.size else {
      throw node.refusal(
        "\(window)",
        because: "a window without gaps, at most half of it beyond the ends, is carried")
    }
    let own = value.axes[axis]
    let others = value.foreignOrder.filter { !own.contains($0) }
    let channels = others.reduce(1) { $0 * $1.size }
    let size = value.shape[axis]
    // With ceil_mode the last window may reach beyond the end.
    let reach = (window.count - 1) * window.stride + window.size
    let beyond = max(reach - size - window.before, 0)
    var (source, after) = (value, beyond)
    if beyond * 2 > window.size {
      // More than an op pads: the last element once more is no larger, and zeros are taken out of a mean.
      source = try SelectionLowering.padElements(
        &l, node, value, axis: axis, (0, beyond), node.op == "MaxPool" ? "edge" : "constant", 0)
      after = 0
    }
    var result = Layout.arranged(&l, source, others + source.axes[axis], node)
    let padding = [window.before, after]
    let op: ModelDescription.Op =
      node.op == "MaxPool"
      ? .maxPool1D(
        channels: channels, kernel: window.size, stride: window.stride, padding: padding)
      : .averagePool1D(
        channels: channels, kernel: window.size, stride: window.stride, padding: padding)
    result = Layout.map(&l, result, op, node)
    let atom = l.places(window.count, along: own)
    result.axes[axis] = [atom]
    result.elements = others + [atom]
    if node.op == "AveragePool", window.before + beyond > 0 {
      result = try correctingMeans(&l, node, result, axis: axis, window, size: size)
    }
    return result.withoutSingles
  }

  /// Scales means to the number of elements that each window counts: without padding, unless `count_include_pad`.
  private static func correctingMeans(
    _ l: inout Lowering, _ node: SourceNode, _ value: CarriedValue, axis: Int,
    _ window: ConvolutionOperators.Window, size: Int
  ) throws(ImportError) -> CarriedValue {
    let countsPadding = node.integer("count_include_pad") == 1
    let factors = (0..<window.count).map { index -> Double in
      let start = index * window.stride - window.before
      let end = start + window.size
      let counted =
        countsPadding
        ? min(end, size + window.after) - start : min(end, size) - max(start, 0)
      return Double(window.size) / Double(max(counted, 1))
    }
    var shape = Array(repeating: 1, count: value.axes.count)
    shape[axis] = window.count
    let constant = SourceTensor(shape: shape, elements: factors)
    return Arithmetic.affine(
      &l, value, scale: try Layout.elements(of: constant, along: value, node), node)
  }
}

/// A convolution within a step.
private struct FrameConvolution {
  let value: CarriedValue
  let weight: SourceTensor
  let bias: SourceTensor?
  let groups: Int
  let windows: [ConvolutionOperators.Window]

  func lower(_ l: inout Lowering, _ node: SourceNode) throws(ImportError) -> CarriedValue {
    let moving = windows.indices.filter { value.shape[$0 + 2] > 1 || windows[$0].size > 1 }
    if moving.count <= 1 { return try along(&l, node, axis: moving.first ?? 0) }
    return try dense(&l, node)
  }

  /// A convolution along one axis, as torch.nn.Conv1d.
  private func along(_ l: inout Lowering, _ node: SourceNode, axis: Int) throws(ImportError)
    -> CarriedValue
  {
    let window = windows[axis]
    let order = value.axes[1] + value.axes[axis + 2]
    var result = Layout.arranged(&l, value, order, node)
    var tensors = [
      (
        name: "weight", shape: [weight.shape[0], weight.shape[1], window.size],
        elements: weight.dense
      )
    ]
    if let bias { tensors.append((name: "bias", shape: [bias.count], elements: bias.dense)) }
    result = Layout.map(
      &l,
      result,
      .conv1D(
        stride: window.stride, dilation: window.dilation, groups: groups,
        padding: [window.before, window.after]),
      node, tensors: tensors)
    let channels = l.newAtom(weight.shape[0])
    let places = l.places(window.count, along: value.axes[axis + 2])
    result.axes[1] = [channels]
    result.axes[axis + 2] = [places]
    result.elements = [channels, places]
    return result.withoutSingles
  }

  /// A convolution over several axes, as a matrix from all elements to all results.
  private func dense(_ l: inout Lowering, _ node: SourceNode) throws(ImportError) -> CarriedValue {
    let unfolding = Unfolding(
      weight: weight, groups: groups, sizes: Array(value.shape[2...]), windows: windows)
    guard
      RowMajor.count([unfolding.inputs, unfolding.outputs], limit: Lowering.maxElements) != nil
    else {
      throw node.refusal(
        "a convolution of \(unfolding.inputs) elements to \(unfolding.outputs)",
        because:
          "over several axes of a step it becomes a matrix, of at most \(Lowering.maxElements) weights"
      )
    }
    var result = Layout.arranged(&l, value, value.axes[1] + value.axes[2...].joined(), node)
    var tensors = [
      (name: "weight", shape: [unfolding.outputs, unfolding.inputs], elements: unfolding.matrix())
    ]
    if let bias {
      let places = windows.reduce(1) { $0 * $1.count }
      tensors.append(
        (
          name: "bias", shape: [unfolding.outputs],
          elements: bias.dense.flatMap { Array(repeating: $0, count: places) }
        ))
    }
    result = Layout.map(&l, result, .linear, node, tensors: tensors)
    let atoms =
      [l.newAtom(weight.shape[0])]
      + windows.enumerated().map { l.places($1.count, along: value.axes[$0 + 2]) }
    for (index, atom) in atoms.enumerated() { result.axes[index + 1] = [atom] }
    result.elements = atoms
    return result.withoutSingles
  }
}

/// A convolution over several axes as a matrix.
struct Unfolding {
  let weight: SourceTensor
  let groups: Int
  let sizes: [Int]
  let windows: [ConvolutionOperators.Window]

  var inputs: Int { RowMajor.count([weight.shape[1], groups] + sizes) ?? SourceTensor.maxExtent }
  var outputs: Int {
    RowMajor.count([weight.shape[0]] + windows.map(\.count)) ?? SourceTensor.maxExtent
  }

  /// The matrix [outputs, inputs], row-major, with channels outermost on both sides. `tap` is the index in the kernel's first
  /// axis, if `weight` has one axis more than `sizes`.
  func matrix(tap: Int? = nil) -> [Double] {
    var matrix = Array(repeating: 0.0, count: outputs * inputs)
    let kernel = windows.map(\.size)
    let taps = RowMajor.positions(shape: kernel, strides: RowMajor.strides(kernel))
    let kernelStrides = RowMajor.strides(kernel)
    let places = windows.map(\.count)
    let placeStrides = RowMajor.strides(places)
    let sizeStrides = RowMajor.strides(sizes)
    let (area, count) = (sizes.reduce(1, *), places.reduce(1, *))
    let perGroup = weight.shape[0] / groups
    let channels = weight.shape[1]
    let stride = weight.shape[2...].reduce(1, *)
    for place in 0..<count {
      for at in taps {
        var source = 0
        var isInside = true
        for axis in sizes.indices {
          let offset = at / kernelStrides[axis] % kernel[axis]
          let start =
            place / placeStrides[axis] % places[axis] * windows[axis].stride - windows[axis].before
          let index = start + offset * windows[axis].dilation
          isInside = isInside && (0..<sizes[axis]).contains(index)
          source += index * sizeStrides[axis]
        }
        guard isInside else { continue }
        for output in 0..<weight.shape[0] {
          for channel in 0..<channels {
            let input = output / perGroup * channels + channel
            let position = (output * channels + channel) * stride + (tap ?? 0) * taps.count + at
            matrix[(output * count + place) * inputs + input * area + source] += weight[position]
          }
        }
      }
    }
    return matrix
  }
}
