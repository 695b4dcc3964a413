import JSON
import ModelFormat

/// Layers of several inputs: Concatenate, Add, Multiply, Dot, …
enum KerasMergeLayers {
  static let all: [KerasLayerKind] =
    [
      ("Add", ModelDescription.Op.add), ("Subtract", .subtract), ("Multiply", .multiply),
      ("Maximum", .maximum), ("Minimum", .minimum), ("Average", .add),
    ].map { name, op in
      KerasLayerKind(name) { translation, call throws(ImportError) in
        let function = KerasFunctionCall(call)
        if function.number != nil || KerasTable(function) != nil {
          return [try KerasFunctions.arithmetic(op)(&translation, function)]
        }
        return [try KerasMaskedMerge(op, isMean: name == "Average").apply(&translation, call)]
      }
    } + [
      KerasLayerKind("Concatenate") { translation, call throws(ImportError) in
        let axis = try call.layer.integers("axis")?.first ?? -1
        return [try concatenated(call.inputs, axis: axis, &translation, call)]
      },
      KerasLayerKind("Dot") { translation, call throws(ImportError) in
        [try KerasDot(call.layer).apply(&translation, call)]
      },
      KerasLayerKind("Merge", translate: merge),
    ]

  /// Keras 1's layer for all merges.
  private static func merge(
    _ translation: inout KerasTranslation, _ call: KerasCall
  ) throws(ImportError) -> [KerasValue] {
    switch try call.layer.text("mode") ?? "sum" {
    case "sum": return [try elementwise(.add, &translation, call)]
    case "mul": return [try elementwise(.multiply, &translation, call)]
    case "ave": return [try elementwise(.add, isMean: true, &translation, call)]
    case "max": return [try elementwise(.maximum, &translation, call)]
    case "concat":
      let axis = try call.layer.integers("concat_axis")?.first ?? -1
      return [try concatenated(call.inputs, axis: axis, &translation, call)]
    case let mode: throw call.layer.refusal("mode: found \(mode.jsonExcerpt), which is not carried")
    }
  }

  /// Merges element by element; sizes of 1 and missing axes are broadcast.
  static func elementwise(
    _ op: ModelDescription.Op, isMean: Bool = false, _ translation: inout KerasTranslation,
    _ call: KerasCall, part: String? = nil
  ) throws(ImportError) -> KerasValue {
    let values = call.inputs
    guard values.count >= 2, values.count <= 100 else {
      throw call.layer.refusal("found \(values.count) inputs, expected 2 to 100")
    }
    let (aligned, model) = try aligned(values, &translation, call)
    var result = try translation.combine(
      op, aligned, as: model, for: call, part: isMean ? "sum" : part)
    if isMean {
      let scale = 1 / Float(values.count)
      result = try translation.map(.affine(scale: [scale], shift: nil), result, for: call)
    }
    return result
  }

  /// The values broadcast against each other, and a value with the axes of the result.
  static func aligned(
    _ values: [KerasValue], _ translation: inout KerasTranslation, _ call: KerasCall
  ) throws(ImportError) -> ([KerasValue], KerasValue) {
    var values = try KerasCropping.cropped(
      try KerasFrameSteps.matched(try single(values, &translation, call), &translation, call),
      &translation, call)
    let rank = values.map(\.axes.count).max() ?? 0
    var model = values.first { $0.axes.count == rank }!
    var axes: [KerasValue.Axis] = model.axes
    for value in values {
      // Keras inserts missing axes after the batch.
      let shape = Array(repeating: .size(1), count: rank - value.axes.count) + value.axes
      for (index, axis) in shape.enumerated() where axis != axes[index] {
        switch (axes[index], axis) {
        case (.size(1), _): axes[index] = axis
        case (_, .size(1)): break
        case (.steps(let count), .steps(let other)) where count == nil || other == nil:
          axes[index] = .steps(count ?? other)
        case (.steps, .steps):
          throw call.layer.refusal(
            "found sequences of the sizes \(values.map(\.shape).joined(separator: " and ")), "
              + "expected as many steps in each")
        default:
          throw call.layer.refusal(
            "found the sizes \(values.map(\.shape).joined(separator: " and ")), which don't fit")
        }
      }
    }
    let whole = KerasValue(name: "", axes: axes)
    for index in values.indices where !values[index].isSpread {
      guard ![1, whole.size].contains(values[index].size) else { continue }
      values[index] = try repeated(values[index], like: whole, &translation, call)
    }
    let size = whole.size
    translation.unify(values)
    // The axes' order must be the same, except for values with one element for all.
    model.axes = axes
    model.mask = KerasMaskedMerge.mask(of: values, in: call.layer)
    model.isStepped = values.contains(where: \.isStepped)
    if values.allSatisfy({ $0.isSpread || $0.size == 1 }), size > 1,
      let first = values.first(where: \.isSpread)
    {
      var all = values
      let index = values.firstIndex { $0.isSpread }!
      all[index] = try translation.spreadOut(first, for: call)
      return (all, model)
    }
    return (values, model)
  }

  /// The value with as many elements as another, where its axes of 1 stand for more.
  private static func repeated(
    _ value: KerasValue, like whole: KerasValue, _ translation: inout KerasTranslation,
    _ call: KerasCall
  ) throws(ImportError) -> KerasValue {
    var result = value
    let missing = whole.axes.count - value.axes.count
    result.axes = Array(repeating: .size(1), count: missing) + value.axes
    for (place, axis) in whole.axes.enumerated() where result.axes[place] == .size(1) {
      guard case .size(let size) = axis, size > 1 else { continue }
      result = try KerasSlicing.arranged(
        result, place, Array(repeating: 0, count: size), &translation, call)
    }
    return result
  }

  /// The values with a sequence of one step as a vector, where another has more steps, or is a vector: it stands for each of them.
  private static func single(
    _ values: [KerasValue], _ translation: inout KerasTranslation, _ call: KerasCall
  ) throws(ImportError) -> [KerasValue] {
    let isBeside = values.contains {
      $0.stepAxis == 0
        ? $0.stepCount != 1 : $0.axes.count > 1 && $0.stepAxis == nil && $0.axes[0] != .size(1)
    }
    guard isBeside else { return values }
    var result: [KerasValue] = []
    for value in values {
      guard value.stepAxis == 0, value.stepCount == 1, value.content == .floats else {
        result.append(value)
        continue
      }
      result.append(try vector(ofStep: value, &translation, call, part: "step.\(result.count)"))
    }
    return result
  }

  /// A sequence of one step as a vector.
  static func vector(
    ofStep value: KerasValue, _ translation: inout KerasTranslation, _ call: KerasCall, part: String
  ) throws(ImportError) -> KerasValue {
    var one = value.with(name: try translation.add(.last, [value], for: call, part: part))
    one.axes[0] = .size(1)
    (one.origin, one.mask) = (nil, nil)
    return one
  }

  /// Concatenates elements or steps.
  static func concatenated(
    _ values: [KerasValue], axis: Int, _ translation: inout KerasTranslation, _ call: KerasCall
  ) throws(ImportError) -> KerasValue {
    guard let first = values.first, values.count <= 100 else {
      throw call.layer.refusal("found \(values.count) inputs, expected 1 to 100")
    }
    if values.count == 1 { return first }
    let rank = first.axes.count
    let place = axis < 0 ? rank + axis : axis - 1
    guard values.allSatisfy({ $0.axes.count == rank }), first.axes.indices.contains(place) else {
      throw call.layer.refusal(
        "axis: found \(axis), the inputs have the sizes \(values.map(\.shape).joined(separator: " and "))"
      )
    }
    if let mask = KerasMask(ofAll: values) {
      if place == 0 { return try KerasJoinedSteps.joinedMasks(values, &translation, call) }
      var result = first
      result.content = .mask(mask)
      result.axes[place] = .size(
        values.reduce(0) { if case .size(let size) = $1.axes[place] { $0 + size } else { $0 } })
      return result
    }
    if values.contains(where: { $0.stepAxis == place }) {
      return try KerasJoinedSteps.joined(values, axis: place, &translation, call)
    }
    let values = try KerasCropping.cropped(
      try KerasFrameSteps.matched(values, &translation, call), &translation, call)
    let lead = values[0]
    var axes = lead.axes
    var total = 0
    for value in values {
      guard case .size(let size) = value.axes[place] else {
        throw call.layer.refusal(
          "found the sizes \(values.map(\.shape).joined(separator: " and ")), which don't fit")
      }
      total += size
      for (index, axis) in value.axes.enumerated() where index != place {
        switch (axes[index], axis) {
        case (.steps(let count), .steps(let other))
        where count == other || count == nil || other == nil:
          axes[index] = .steps(count ?? other)
        case (let one, let other) where one == other: break
        default:
          throw call.layer.refusal(
            "found the sizes \(values.map(\.shape).joined(separator: " and ")), which don't fit")
        }
      }
    }
    axes[place] = .size(total)
    // Each value's elements stay contiguous if no axis before has a size above 1.
    let before = lead.axes[..<place].reduce(1) {
      if case .size(let size) = $1 { $0 * size } else { $0 }
    }
    translation.unify(values)
    var spread: [KerasValue] = []
    for value in values { spread.append(try translation.spreadOut(value, for: call)) }
    var result = lead.with(name: "", axes: axes)
    result.mask = KerasMaskedMerge.mask(of: values, in: call.layer)
    if before == 1 {
      result.name = try translation.add(.concat, spread, for: call)
      return result
    }
    let after = lead.axes[(place + 1)...].reduce(1) {
      if case .size(let size) = $1 { $0 * size } else { $0 }
    }
    var turned: [KerasValue] = []
    for (index, value) in spread.enumerated() {
      turned.append(
        try translation.map(.transpose(rows: before), value, for: call, part: "turned.\(index)"))
    }
    let joined = lead.with(
      name: try translation.add(.concat, turned, for: call, part: "joined"), axes: axes)
    result.name = try translation.add(.transpose(rows: total * after), [joined], for: call)
    return result
  }
}
