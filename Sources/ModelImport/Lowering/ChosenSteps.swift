import ModelFormat

/// Steps that are chosen one by one, as by `h[:, [0, -1]]`: they become elements of a vector, which holds for any number of steps.
enum ChosenSteps {
  /// The most steps: each is some nodes of the graph.
  static let maxCount = 64

  /// The value with the chosen steps as an axis of elements; nil where they are all steps, or neighbours without an index from
  /// the end, or where the axis is not one of steps.
  static func lower(
    _ l: inout Lowering, _ node: SourceNode, _ value: CarriedValue, axis: Int, _ given: [Int]
  ) throws(ImportError) -> CarriedValue? {
    let size = value.shape[axis]
    let places = given.map { $0 < 0 ? $0 + size : $0 }
    guard value.form == .sequence, value.axes[axis].map(\.role) == [.time], given.count > 1,
      places != Array((0..<size).reversed())
    else { return nil }
    if !given.contains(where: { $0 < 0 }),
      zip(places, places.dropFirst()).allSatisfy({ $1 - $0 == 1 })
    {
      return nil
    }
    guard given.count <= maxCount else {
      throw node.refusal(
        "\(given.count) of \(size) steps, chosen by their indices",
        because: "each takes nodes of its own, and at most \(maxCount) are carried",
        instead: "where the steps are as far apart, choose them by a slice: x[:, start:end:stride]")
    }
    var parts: [CarriedValue] = []
    for (place, index) in zip(places, given) {
      parts.append(
        try SelectionLowering.select(
          &l, node, value, axis: axis, [place], isFromEnd: index < 0))
    }
    return joined(&l, node, parts, axis: axis)
  }

  /// The step whose number is computed, such as that of the last one that is no padding: all steps times 0, and this one times 1,
  /// summed. Where there is no such step the answer is not finite, as the framework refuses it. Nil where the axis is not one of
  /// steps, or the numbers are not one for each element of a step.
  static func computed(
    _ l: inout Lowering, _ node: SourceNode, _ value: CarriedValue, axis: Int,
    _ index: CarriedValue
  ) throws(ImportError) -> CarriedValue? {
    var wanted = value.shape
    wanted[axis] = 1
    guard value.form == .sequence, index.form == .vector,
      index.shape == wanted, value.axes[axis].map(\.role) == [.time],
      let zeros = l.zeros(likeStepsOf: value.axes[axis][0], node),
      let all = LengthLowering.emit(&l, .count, value.axes[axis][0], node)
    else { return nil }
    var axes = Array(repeating: [Atom](), count: value.axes.count)
    let count = CarriedValue(node: all, form: .vector, axes: axes, elements: [])
    axes[axis] = value.axes[axis]
    var ones = CarriedValue(node: zeros, form: .sequence, axes: axes, elements: [])
    ones = Arithmetic.affine(&l, ones, shift: [1], node)
    let places = try CumulativeLowering.overSteps(&l, node, ones)
    // Numbers below 0 count from the end.
    let negated = Arithmetic.affine(&l, index, scale: [-1], node)
    let isBelow = Layout.map(&l, negated, .clip(min: 0, max: 1), node)
    let length = try Arithmetic.combining(&l, [isBelow, count], .multiply, node)
    let place = try Arithmetic.combining(&l, [index, length], .add, node)
    let distance = Layout.map(
      &l,
      Arithmetic.affine(
        &l, try Arithmetic.combining(&l, [places, place], .subtract, node), shift: [-1], node),
      .abs, node)
    let others = Layout.map(&l, distance, .clip(min: 0, max: 1), node)
    let weights = Arithmetic.affine(&l, others, scale: [-1], shift: [1], node)
    let product = try Arithmetic.combining(&l, [value, weights], .multiply, node)
    let sum = try ReductionLowering.overSteps(&l, node, product, axis: axis, .sum, keeps: true)
    let chosen = try ReductionLowering.overSteps(&l, node, weights, axis: axis, .sum, keeps: true)
    return try Arithmetic.combining(&l, [sum, chosen], .divide, node)
  }

  /// Vectors side by side along an axis, which they have with size 1.
  static func joined(
    _ l: inout Lowering, _ node: SourceNode, _ parts: [CarriedValue], axis: Int
  ) -> CarriedValue {
    var result = parts[0]
    guard parts.count > 1 else { return result }
    let atom = l.newAtom(parts.count)
    result.node = l.builder.emit(
      .concat, parts.map(\.node), named: node.outputs.first ?? node.name)
    result.axes[axis] = [atom]
    result.elements = [atom] + result.elements
    return result
  }
}
