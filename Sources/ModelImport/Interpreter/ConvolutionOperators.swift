/// Convolutions and pools, over any number of axes.
enum ConvolutionOperators {
  /// The outputs of a node; nil for an operator of another family.
  static func evaluate(_ a: Interpreter.Arguments) throws(ImportError) -> [SourceTensor]? {
    switch a.node.op {
    case "Conv": return try convolve(a)
    case "MaxPool", "AveragePool", "LpPool": return try pool(a)
    default: return nil
    }
  }

  /// How a window moves along one axis.
  struct Window: Equatable {
    var size: Int
    var stride: Int
    var dilation: Int
    /// The elements of padding.
    var before: Int
    var after: Int
    /// The number of windows.
    var count: Int
  }

  /// The windows along the axes behind the channels.
  static func windows(
    _ node: SourceNode, sizes: [Int], kernel: [Int]
  ) throws(ImportError) -> [Window] {
    let rank = sizes.count
    let strides = node.integers("strides") ?? Array(repeating: 1, count: rank)
    let dilations = node.integers("dilations") ?? Array(repeating: 1, count: rank)
    let pads = node.integers("pads") ?? Array(repeating: 0, count: 2 * rank)
    let auto = node.text("auto_pad", default: "NOTSET")
    guard kernel.count == rank, strides.count == rank, dilations.count == rank,
      pads.count == 2 * rank,
      (kernel + strides + dilations).allSatisfy({ (1...1 << 24).contains($0) }),
      pads.allSatisfy({ (0...1 << 24).contains($0) })
    else {
      throw node.refusal(
        "a kernel of \(kernel), strides \(strides), dilations \(dilations), pads \(pads)",
        because: "the value has \(rank) axes behind its channels")
    }
    var windows: [Window] = []
    for axis in 0..<rank {
      let reach = dilations[axis] * (kernel[axis] - 1) + 1
      var window = Window(
        size: kernel[axis], stride: strides[axis], dilation: dilations[axis], before: pads[axis],
        after: pads[axis + rank], count: 0)
      if auto == "VALID" { (window.before, window.after) = (0, 0) }
      if auto.hasPrefix("SAME") {
        let count = (sizes[axis] + strides[axis] - 1) / strides[axis]
        let total = max((count - 1) * strides[axis] + reach - sizes[axis], 0)
        (window.before, window.after) =
          auto == "SAME_UPPER" ? (total / 2, total - total / 2) : (total - total / 2, total / 2)
      }
      let room = sizes[axis] + window.before + window.after - reach
      guard room >= 0 else {
        throw node.refusal(
          "a kernel of \(kernel)", because: "the value has \(sizes) elements there")
      }
      window.count = room / window.stride + 1
      if node.integer("ceil_mode") == 1, room % window.stride != 0,
        window.count * window.stride < sizes[axis] + window.before
      {
        window.count += 1
      }
      windows.append(window)
    }
    return windows
  }

  /// For each window, the positions of its elements within a channel; nil for padding.
  private static func positions(_ windows: [Window], sizes: [Int]) -> [[Int?]] {
    let strides = RowMajor.strides(sizes)
    var places: [[Int?]] = [[0]]
    for (axis, window) in windows.enumerated() {
      places = places.flatMap { place in
        (0..<window.count).map { index in
          place.flatMap { base in
            (0..<window.size).map { tap -> Int? in
              let at = index * window.stride - window.before + tap * window.dilation
              return (0..<sizes[axis]).contains(at) ? base.map { $0 + at * strides[axis] } : nil
            }
          }
        }
      }
    }
    return places
  }

  /// For each window, how many of its elements lie within the value and its padding: a last one, of ceil_mode, may reach beyond.
  private static func counts(_ windows: [Window], sizes: [Int]) -> [Int] {
    var counts = [1]
    for (size, window) in zip(sizes, windows) {
      let end = size + window.before + window.after
      counts = counts.flatMap { count in
        (0..<window.count).map { index in
          let room = end - index * window.stride
          return count * min(window.size, (room + window.dilation - 1) / window.dilation)
        }
      }
    }
    return counts
  }

  private static func convolve(_ a: Interpreter.Arguments) throws(ImportError) -> [SourceTensor] {
    let (value, weight) = (try a.required(0), try a.required(1))
    let groups = a.node.integer("group", default: 1)
    guard value.rank >= 3, weight.rank == value.rank, groups > 0, weight.shape[0] % groups == 0,
      value.shape[1] % groups == 0, weight.shape[1] == value.shape[1] / groups,
      a.optional(2).map({ $0.count == weight.shape[0] }) ?? true
    else {
      throw a.node.refusal(
        "\(value.shape) and weights of \(weight.shape)",
        because: "these shapes don't fit each other")
    }
    let sizes = Array(value.shape[2...])
    let windows = try windows(a.node, sizes: sizes, kernel: Array(weight.shape[2...]))
    let shape = [value.shape[0], weight.shape[0]] + windows.map(\.count)
    try a.checkCount(shape)
    try a.checkCount(windows.map(\.count) + windows.map(\.size))
    try a.takeMultiplications(
      shape.reduce(1, *), weight.shape[1], windows.reduce(1) { $0 * $1.size })
    let places = positions(windows, sizes: sizes)
    let (taps, area) = (windows.map(\.size).reduce(1, *), sizes.reduce(1, *))
    let (channels, perGroup) = (weight.shape[1], weight.shape[0] / groups)
    let (x, w) = (value.dense, weight.dense)
    var elements: [Double] = []
    for batch in 0..<value.shape[0] {
      for output in 0..<weight.shape[0] {
        let first = (batch * value.shape[1] + output / perGroup * channels) * area
        for place in places {
          var sum = a.optional(2)?[output] ?? 0
          for channel in 0..<channels {
            let row = (output * channels + channel) * taps
            for (tap, at) in place.enumerated() {
              if let at { sum += w[row + tap] * x[first + channel * area + at] }
            }
          }
          elements.append(sum)
        }
      }
    }
    return [SourceTensor(shape: shape, elements: elements)]
  }

  private static func pooled(_ node: SourceNode, _ window: [Double], count: Int) -> Double {
    switch node.op {
    case "MaxPool": return window.max() ?? -.infinity
    case "AveragePool":
      let isPadded = node.integer("count_include_pad") == 1
      return window.reduce(0, +) / Double(isPadded ? count : max(window.count, 1))
    default: return window.reduce(0) { $0 + $1 * $1 }.squareRoot()
    }
  }

  private static func pool(_ a: Interpreter.Arguments) throws(ImportError) -> [SourceTensor] {
    let value = try a.required(0)
    guard value.rank >= 3, let kernel = a.node.integers("kernel_shape") else {
      throw a.node.refusal(
        "\(value.shape)", because: "a pool has a kernel_shape and axes behind the channels")
    }
    let sizes = Array(value.shape[2...])
    let windows = try windows(a.node, sizes: sizes, kernel: kernel)
    let shape = Array(value.shape[..<2]) + windows.map(\.count)
    try a.checkCount(shape)
    try a.checkCount(windows.map(\.count) + windows.map(\.size))
    try a.takeMultiplications(shape.reduce(1, *), windows.reduce(1) { $0 * $1.size })
    let places = positions(windows, sizes: sizes)
    let (counts, area) = (counts(windows, sizes: sizes), sizes.reduce(1, *))
    var elements: [Double] = []
    for channel in 0..<value.shape[0] * value.shape[1] {
      for (place, count) in zip(places, counts) {
        let window = place.compactMap { at in at.map { value[channel * area + $0] } }
        elements.append(pooled(a.node, window, count: count))
      }
    }
    return [SourceTensor(shape: shape, elements: elements)]
  }
}
