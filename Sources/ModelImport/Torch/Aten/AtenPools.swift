/// Pools over windows.
enum AtenPools {
  static func translate(_ t: inout AtenTranslation, _ call: AtenCall) throws(ImportError)
    -> AtenValue?
  {
    switch call.name {
    case "max_pool1d", "avg_pool1d", "max_pool2d", "avg_pool2d", "max_pool3d", "avg_pool3d":
      return .tensor(try pool(&t, call))
    case "adaptive_avg_pool1d", "adaptive_avg_pool2d", "adaptive_avg_pool3d":
      return .tensor(try adaptive(&t, call))
    case "adaptive_max_pool1d", "adaptive_max_pool2d", "adaptive_max_pool3d":
      return .list([.tensor(try adaptive(&t, call)), .other("indices")])
    case "unfold": return .tensor(try windows(&t, call))
    case "upsample_nearest1d": return .tensor(try repeated(&t, call))
    case "upsample_linear1d", "upsample_nearest_exact1d":
      throw call.failure(
        "steps between the steps", because: "no op interpolates",
        instead: "use mode='nearest' with a whole scale_factor, or repeat_interleave")
    default: return nil
    }
  }

  /// The axes that a pool is over, as its name ends: `1d` to `3d`.
  private static func axisCount(_ call: AtenCall) -> Int {
    call.name.dropLast().last?.wholeNumberValue ?? 1
  }

  private static func pool(_ t: inout AtenTranslation, _ call: AtenCall) throws(ImportError)
    -> AtenTensor
  {
    let x = try call.tensor(0, "self")
    let count = axisCount(call)
    guard call.value(1, "kernel_size") != nil else {
      throw call.failure("no kernel_size", because: "it needs one")
    }
    let kernel = try AtenWeights.axes(call, 1, "kernel_size", count: count, default: 1)
    let given = try call.ints(2, "stride") ?? []
    let strides =
      given.isEmpty ? kernel : try AtenWeights.axes(call, 2, "stride", count: count, default: 1)
    let padding = try AtenWeights.axes(call, 3, "padding", count: count, default: 0)
    var attributes: [String: SourceAttribute] = [
      "kernel_shape": .integers(kernel), "strides": .integers(strides),
      "pads": .integers(padding + padding),
    ]
    let isMax = call.name.hasPrefix("max")
    if isMax {
      attributes["dilations"] = .integers(
        try AtenWeights.axes(call, 4, "dilation", count: count, default: 1))
    } else {
      attributes["count_include_pad"] = .integer(
        call.bool(5, "count_include_pad", default: true) ? 1 : 0)
    }
    let isCeiled = call.bool(isMax ? 5 : 4, "ceil_mode")
    attributes["ceil_mode"] = .integer(isCeiled ? 1 : 0)
    if !isMax, case .int(let divisor)? = call.value(6, "divisor_override") {
      return try sum(&t, call, attributes, kernel: kernel, by: divisor, isCeiled: isCeiled)
    }
    return t.emit(isMax ? "MaxPool" : "AveragePool", [x], attributes, rank: x.rank, of: call)
  }

  /// An average pool with a divisor of its own.
  private static func sum(
    _ t: inout AtenTranslation, _ call: AtenCall, _ attributes: [String: SourceAttribute],
    kernel: [Int], by divisor: Int, isCeiled: Bool
  ) throws(ImportError) -> AtenTensor {
    let x = try call.tensor(0, "self")
    guard divisor != 0, !isCeiled else {
      throw call.failure(
        "divisor_override=\(divisor)", because: "it is above 0, and without ceil_mode",
        instead: "multiply behind a pool without ceil_mode")
    }
    var attributes = attributes
    attributes["count_include_pad"] = .integer(1)
    let mean = t.emit("AveragePool", [x], attributes, rank: x.rank, of: call)
    let count = Double(kernel.reduce(1) { SourceTensor.integer($0 * $1) })
    return try AtenElementwise.two(
      &t, "Mul", .tensor(mean), .float(count / Double(divisor)), call)
  }

  /// The most windows: each is some nodes of the graph.
  private static let maxWindows = 100

  private static func adaptive(_ t: inout AtenTranslation, _ call: AtenCall) throws(ImportError)
    -> AtenTensor
  {
    var x = try call.tensor(0, "self")
    let axes = axisCount(call)
    guard let sizes = try call.ints(1, "output_size"), (1...axes).contains(sizes.count),
      sizes.allSatisfy((1...maxWindows).contains)
    else {
      throw call.failure(
        "an output_size other than 1 to \(maxWindows)",
        because: "each window takes nodes of its own")
    }
    for axis in 1...axes {
      x = try adaptive(&t, call, x, axis: -axis, count: sizes[max(sizes.count - axis, 0)])
    }
    return x
  }

  /// Windows of which there are as many however long the axis is: where they begin is computed from its length.
  private static func adaptive(
    _ t: inout AtenTranslation, _ call: AtenCall, _ x: AtenTensor, axis: Int, count: Int
  ) throws(ImportError) -> AtenTensor {
    let op = call.name.hasPrefix("adaptive_avg") ? "ReduceMean" : "ReduceMax"
    func pooled(_ part: AtenTensor, _ t: inout AtenTranslation) -> AtenTensor {
      t.emit(op, [part, t.ints([axis])], ["keepdims": .integer(1)], rank: x.rank, of: call)
    }
    if count == 1 { return pooled(x, &t) }
    let length = t.size(of: x, axis: axis, call)
    /// ⌊(length · factor + addend) / count⌋
    func share(
      _ factor: Int, plus addend: Int, _ t: inout AtenTranslation
    ) throws(ImportError) -> AtenValue {
      if case .int(let length) = length { return .int((length &* factor &+ addend) / count) }
      let product = try AtenElementwise.two(&t, "Mul", length, .int(factor), call)
      let sum = try AtenElementwise.two(&t, "Add", .tensor(product), .int(addend), call)
      return .tensor(try AtenElementwise.two(&t, "Div", .tensor(sum), .int(count), call))
    }
    var parts: [AtenTensor] = []
    for index in 0..<count {
      let start = try share(index, plus: 0, &t)
      let end = try share(index + 1, plus: count - 1, &t)
      let window = t.emit(
        "Slice", [x, try t.entry(start, call), try t.entry(end, call), t.ints([axis])],
        ["isOfExample": .integer(1)], rank: x.rank, of: call)
      parts.append(pooled(window, &t))
    }
    return t.emit("Concat", parts, ["axis": .integer(axis)], rank: x.rank, of: call)
  }

  /// `unfold(dim, size, step)`: the elements of each window as a last axis.
  private static func windows(_ t: inout AtenTranslation, _ call: AtenCall) throws(ImportError)
    -> AtenTensor
  {
    let x = try call.tensor(0, "self")
    let axis = try AtenShapes.axis(try call.int(1, "dimension"), of: x, call)
    let (size, step) = (try call.int(2, "size"), try call.int(3, "step"))
    guard (1...maxWindows).contains(size), step > 0, let rank = x.rank else {
      throw call.failure(
        "windows of \(size)", because: "each of their elements takes nodes of its own")
    }
    var parts: [AtenTensor] = []
    for index in 0..<size {
      let end = index + 1 == size ? Int(Int32.max) : index + 1 - size
      let part = t.emit(
        "Slice", [x, t.ints([index]), t.ints([end]), t.ints([axis]), t.ints([step])], rank: rank,
        isWhole: x.isWhole, of: call)
      parts.append(AtenShapes.unsqueeze(&t, part, rank, call))
    }
    if size == 1 { return parts[0] }
    return t.emit(
      "Concat", parts, ["axis": .integer(rank)], rank: rank + 1, isWhole: x.isWhole, of: call)
  }

  /// `upsample_nearest1d(input, output_size, scale_factors)`
  private static func repeated(_ t: inout AtenTranslation, _ call: AtenCall) throws(ImportError)
    -> AtenTensor
  {
    let x = try call.tensor(0, "input")
    var scale: Double?
    switch call.value(2, "scale_factors") {
    case .list(let values)?: if case .float(let value)? = values.first { scale = value }
    case .float(let value)?: scale = value
    default: break
    }
    var inputs = [x, nil, nil, nil]
    if let scale {
      let scales = SourceTensor(shape: [3], elements: [1, 1, scale])
      inputs[2] = t.constant(SourceConstant(scales), named: "scales")
    } else {
      let size = call.list(1, "output_size")?.first ?? .none
      inputs[3] = try t.sizes(
        [t.size(of: x, axis: 0, call), t.size(of: x, axis: 1, call), size], call)
    }
    return nearest(&t, inputs, of: call)
  }

  /// Each element repeated in a row: `inputs` are those of ONNX's Resize.
  static func nearest(
    _ t: inout AtenTranslation, _ inputs: [AtenTensor?], of call: AtenCall
  ) -> AtenTensor {
    t.emit(
      "Resize", inputs,
      [
        "mode": .text("nearest"), "nearest_mode": .text("floor"),
        "coordinate_transformation_mode": .text("asymmetric"),
      ], rank: inputs[0]?.rank, of: call)
  }
}
