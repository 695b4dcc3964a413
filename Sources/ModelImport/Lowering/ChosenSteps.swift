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
