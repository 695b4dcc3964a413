import ModelFormat

/// A convolution over the steps, perhaps over elements of a step too.
struct StepConvolution {
  let value: CarriedValue
  let weight: SourceTensor
  let bias: SourceTensor?
  let groups: Int
  let windows: [ConvolutionOperators.Window]
  /// The index of the window over the steps.
  let time: Int

  func lower(_ l: inout Lowering, _ node: SourceNode) throws(ImportError) -> CarriedValue {
    guard value.form == .sequence else {
      throw node.refusal(
        "\(value.shape), the same at every step",
        because: "a convolution over the steps reads a sequence")
    }
    let window = windows[time]
    var (before, after) = (window.before, window.after)
    var source = value
    // Zeros from a Pad before the steps become the convolution's padding, which then is causal.
    if let (inner, padding) = l.builder.zeroPadding(value.node) {
      (before, after) = (before + padding.before, after + padding.after)
      source.node = inner
    }
    let reach = (window.size - 1) * window.dilation
    let isCausal = before == reach && after == 0 && window.stride == 1
    let padding: StepKernel.Padding =
      isCausal ? .causal : before + after == 0 ? .valid : .explicit(before: before, after: after)
    let spatial = windows.indices.filter { $0 != time }
    source = Layout.arranged(
      &l, source, value.axes[1] + spatial.flatMap { value.axes[$0 + 2] }, node)
    let places = spatial.map { windows[$0].count }
    let op: ModelDescription.Op
    let kernel: SourceTensor
    var repeats = 1
    if spatial.count == 1, places[0] > 1 {
      let own = windows[spatial[0]]
      kernel = stepsFirst(spatial)
      op = .conv2D(
        padding: padding, stride: window.stride, dilation: window.dilation,
        framePadding: [own.before, own.after], frameStride: own.stride,
        frameDilation: own.dilation, groups: groups)
    } else {
      kernel = try unfolded(spatial, node)
      repeats = places.reduce(1, *)
      op = .conv(
        padding: padding, stride: window.stride, dilation: window.dilation,
        groups: spatial.isEmpty ? groups : 1)
    }
    var tensors = [(name: "weight", shape: kernel.shape, elements: kernel.dense)]
    if let bias {
      let elements = bias.dense.flatMap { Array(repeating: $0, count: repeats) }
      tensors.append((name: "bias", shape: [elements.count], elements: elements))
    }
    var result = Layout.map(&l, source, op, node, tensors: tensors)
    result.axes[time + 2] = [l.steps(window.count, like: value.axes[time + 2][0])]
    let channels = l.newAtom(weight.shape[0])
    let atoms = spatial.map { l.places(windows[$0].count, along: value.axes[$0 + 2]) }
    result.axes[1] = [channels]
    for (index, axis) in spatial.enumerated() { result.axes[axis + 2] = [atoms[index]] }
    result.elements = [channels] + atoms
    return result.withoutSingles
  }

  /// The weights with the kernel's steps ahead of its elements.
  private func stepsFirst(_ spatial: [Int]) -> SourceTensor {
    weight.permuted([0, 1, time + 2] + spatial.map { $0 + 2 })
  }

  /// The weights [outputs, inputs, steps]. If the convolution is over elements too, each step's weights become a matrix.
  private func unfolded(_ spatial: [Int], _ node: SourceNode) throws(ImportError) -> SourceTensor {
    if spatial.isEmpty { return weight }
    let count = windows[time].size
    let unfolding = Unfolding(
      weight: stepsFirst(spatial), groups: groups, sizes: spatial.map { value.shape[$0 + 2] },
      windows: spatial.map { windows[$0] })
    let (outputs, inputs) = (unfolding.outputs, unfolding.inputs)
    guard RowMajor.count([outputs, inputs, count], limit: Lowering.maxElements) != nil else {
      throw node.refusal(
        "a convolution of \(inputs) elements to \(outputs) over \(count) steps",
        because:
          "over steps and several axes of elements it becomes a matrix a step, of at most \(Lowering.maxElements) weights together"
      )
    }
    var weights = Array(repeating: 0.0, count: outputs * inputs * count)
    for tap in 0..<count {
      for (position, element) in unfolding.matrix(tap: tap).enumerated() {
        weights[position * count + tap] = element
      }
    }
    return SourceTensor(shape: [outputs, inputs, count], elements: weights)
  }
}

/// A pool over the steps.
struct StepPool {
  let value: CarriedValue
  let axis: Int
  let window: ConvolutionOperators.Window

  func lower(_ l: inout Lowering, _ node: SourceNode) throws(ImportError) -> CarriedValue {
    guard value.form == .sequence, value.axes[axis].count == 1 else {
      throw node.refusal("\(value.shape)", because: "a pool over the steps reads a sequence")
    }
    let isPadded = window.before + window.after > 0
    if window.size == value.shape[axis], window.dilation == 1, !isPadded,
      !value.axes[axis][0].isOpen
    {
      // One window over all steps, whose number is fixed.
      OnlySteps.noteAll(&l, value.axes[axis], node, "pools")
      var result = Layout.map(&l, value, node.op == "MaxPool" ? .max : .mean, node)
      result.form = .vector
      result.axes[axis] = []
      return result
    }
    let padding: StepKernel.Padding? =
      isPadded ? .explicit(before: window.before, after: window.after) : nil
    let isCeiling = node.integer("ceil_mode") == 1
    let op: ModelDescription.Op
    if node.op == "MaxPool" {
      op = .maxPool(
        kernel: window.size, stride: window.stride, padding: padding, dilation: window.dilation,
        ceil: isCeiling)
    } else {
      guard window.dilation == 1 else {
        throw node.refusal(
          "a dilation of \(window.dilation)", because: "means are of steps side by side")
      }
      let countsPadding = node.integer("count_include_pad") == 1
      op = .averagePool(
        kernel: window.size, stride: window.stride, padding: padding, ceil: isCeiling,
        countPadding: isPadded ? countsPadding : nil)
    }
    var result = Layout.map(&l, value, op, node)
    result.axes[axis] = [l.steps(window.count, like: value.axes[axis][0])]
    return result
  }
}
