import ModelFormat

/// Steps or elements repeated in a row: PyTorch's `interpolate` and `Upsample` of the mode nearest, by whole numbers.
enum ResizeLowering {
  /// The outputs of a node; nil for an operator of another family.
  static func lower(
    _ l: inout Lowering, _ node: SourceNode
  ) throws(ImportError) -> [LoweredValue]? {
    guard node.op == "Resize" || node.op == "Upsample" else { return nil }
    var value = try l.carried(node, 0)
    let mode = node.text("mode", default: "nearest")
    let places = ResizeOperators.Places(node, opset: l.opset)
    guard mode == "nearest", places.repeatEach, node.attributes["axes"] == nil else {
      throw node.refusal(
        "the mode \(mode), \(places.coordinates), \(places.rounding)",
        because: "no op interpolates: only mode nearest by whole numbers can be carried",
        instead: "use mode='nearest' with a whole scale_factor")
    }
    for (axis, times) in try factors(&l, node, value).enumerated() where times > 1 {
      let size = value.shape[axis]
      if value.axes[axis].allSatisfy({ $0.role == .element }) {
        value = Layout.selecting(
          &l, value, axis: axis, (0..<size * times).map { $0 / times }, node)
        continue
      }
      guard value.form == .sequence, value.axes[axis].map(\.role) == [.time] else {
        throw node.refusal(
          "axis \(axis) of \(value.shape)", because: "steps or elements are repeated")
      }
      let steps = l.steps(size * times, like: value.axes[axis][0])
      value = Layout.map(&l, value, .repeatSteps(times: times), node)
      value.axes[axis] = [steps]
    }
    return [.carried(value)]
  }

  /// By how much each axis grows.
  private static func factors(
    _ l: inout Lowering, _ node: SourceNode, _ value: CarriedValue
  ) throws(ImportError) -> [Int] {
    let refusal = node.refusal(
      "sizes that are no multiples of \(value.shape)",
      because: "each step or element is repeated as often as the others",
      instead: "use mode='nearest' with a whole scale_factor")
    let scalesAt = node.op == "Upsample" || l.opset < 11 ? 1 : 2
    if let sizes = try l.constant(node, 3, "sizes")?.integers, !sizes.isEmpty {
      guard sizes.count == value.axes.count else { throw refusal }
      for (axis, size) in sizes.enumerated() where size != value.shape[axis] {
        try ExampleLength.keep(&l, value.axes[axis], node)
      }
      let factors = zip(sizes, value.shape).map { $0 / $1 }
      guard zip(sizes, value.shape).allSatisfy({ $0 > 0 && $0 % $1 == 0 }), check(factors, value)
      else { throw refusal }
      return factors
    }
    guard let scales = try l.constant(node, scalesAt, "scales"), scales.count == value.axes.count,
      scales.elements.allSatisfy({ $0 >= 1 && $0 <= 1024 && $0.rounded() == $0 }),
      check(scales.integers, value)
    else { throw refusal }
    return scales.integers
  }

  /// Whether a step has no more elements than it may.
  private static func check(_ factors: [Int], _ value: CarriedValue) -> Bool {
    let own = value.axes.indices.filter { value.axes[$0].allSatisfy { $0.role == .element } }
    return RowMajor.count(
      value.elements.map(\.size) + own.map { factors[$0] }, limit: Lowering.maxElements) != nil
  }
}
