import JSON
import ModelFormat

/// Layers that change axes: Flatten, Reshape, Permute, RepeatVector.
enum KerasShapeLayers {
  static let all = [
    KerasLayerKind("Flatten") { translation, call throws(ImportError) in
      let value = translation.withoutMask(try call.input(), for: call)
      return [try flattened(value, &translation, call)]
    },
    KerasLayerKind("Reshape") { translation, call throws(ImportError) in
      // Keras 1's name is dims.
      let key = call.layer["target_shape"] == nil ? "dims" : "target_shape"
      let sizes = try call.layer.integers(key) ?? []
      let value = translation.withoutMask(try call.input(), for: call)
      return [try reshaped(value, sizes, &translation, call)]
    },
    KerasLayerKind("Permute") { translation, call throws(ImportError) in
      let order = try call.layer.integers("dims") ?? []
      let value = translation.withoutMask(try call.input(), for: call)
      return [try permuted(value, order.map { $0 - 1 }, &translation, call)]
    },
    KerasLayerKind("RepeatVector") { translation, call throws(ImportError) in
      [try repeated(try call.input(), &translation, call)]
    },
  ]

  // MARK: Flatten

  static func flattened(
    _ value: KerasValue, _ translation: inout KerasTranslation, _ call: KerasCall
  ) throws(ImportError) -> KerasValue {
    var result = value
    guard let stepAxis = value.stepAxis else {
      result.axes = [.size(value.size)]
      return result
    }
    // Flattened steps of one element are a vector with an element for each step.
    if value.size == 1 {
      result.axes = [value.axes[stepAxis]]
      return result
    }
    return try flattenedSteps(value, &translation, call)
  }

  /// All steps as a vector.
  private static func flattenedSteps(
    _ value: KerasValue, _ translation: inout KerasTranslation, _ call: KerasCall
  ) throws(ImportError) -> KerasValue {
    var result = value
    guard let steps = value.stepCount else {
      throw call.layer.refusal(
        "found sequences of any length, whose steps can't stand side by side",
        remedy: KerasLength.remedy())
    }
    if steps == 1 {
      result = value.with(
        name: try translation.add(.last, [value], for: call), axes: [.size(value.size)])
      result.mask = nil
      return result
    }
    if value.stepAxis != 0 {
      result = try KerasFrameSteps.frame(value, &translation, call)
      result.axes = [.size(result.size)]
      return result
    }
    guard translation.mode == .flattening, !value.isStepped else {
      throw call.layer.refusal("found \(steps) steps side by side, which can't stand so here")
    }
    result = try translation.spreadOut(translation.withoutMask(value, for: call), for: call)
    if case .input(let index) = result.content {
      try translation.inputs[index].declareFloats(for: call)
    }
    result.axes = [.size(steps * value.size)]
    result.content = .flattened(steps: steps)
    return result
  }

  // MARK: Reshape

  static func reshaped(
    _ value: KerasValue, _ sizes: [Int], _ translation: inout KerasTranslation, _ call: KerasCall
  ) throws(ImportError) -> KerasValue {
    let target = try resolved(sizes, of: value, call)
    // An input that nothing has used yet gets the target's axes.
    if let result = translation.reread(value, as: target) { return result }
    var result = value
    guard let stepAxis = value.stepAxis else {
      // A vector becomes a sequence of one step, as a recurrent layer may follow.
      if target.count == 2, target[0] == .size(1), !value.isStepped, value.axes.count == 1 {
        return try steps(1, of: value, &translation, call)
      }
      result.axes = target
      return result
    }
    // The steps are kept if the other sizes give the same number of elements.
    if stepAxis == 0, case .steps = target[0] {
      result.axes = target
      return result
    }
    if target.count == 1 { return try flattened(value, &translation, call) }
    // A single step is a vector.
    if value.stepCount == 1, stepAxis == 0 {
      result = try flattened(value, &translation, call)
      result.axes = target
      return result
    }
    // A number for each step is a sequence too, until its steps stand side by side.
    if value.size == 1 { result.axes = [.size(1), value.axes[stepAxis]] }
    result = try flattenedSteps(result, &translation, call)
    if case .flattened(let steps) = result.content {
      result = result.with(
        name: try KerasSideBySide.flat(result, steps: steps, &translation, call))
    }
    (result.axes, result.origin) = (target, nil)
    return result
  }

  /// The target's sizes, with -1 computed; steps are kept if they come first and the rest fits.
  private static func resolved(
    _ sizes: [Int], of value: KerasValue, _ call: KerasCall
  ) throws(ImportError) -> [KerasValue.Axis] {
    let refusal = call.layer.refusal("found \(value.shape) made \(sizes), which don't fit")
    guard !sizes.isEmpty, sizes.allSatisfy({ $0 >= -1 }), sizes.count(where: { $0 == -1 }) <= 1,
      sizes.count <= 8
    else { throw refusal }
    let known = sizes.filter { $0 != -1 }.reduce(1.0) { $0 * Double($1) }
    guard known > 0, known <= Double(1 << 40) else { throw refusal }
    if value.stepAxis == 0, let first = sizes.first {
      let rest = sizes.dropFirst().reduce(1) { $0 * max($1, 1) }
      let keeps = first == -1 || value.stepCount == nil || first == value.stepCount
      if keeps, !sizes.dropFirst().contains(-1), rest == value.size {
        return [value.axes[0]] + sizes.dropFirst().map { .size($0) }
      }
      if keeps, first != -1, let open = sizes.firstIndex(of: -1), value.size % rest == 0 {
        var axes: [KerasValue.Axis] = [value.axes[0]] + sizes.dropFirst().map { .size($0) }
        axes[open] = .size(value.size / rest)
        return axes
      }
    }
    guard value.stepAxis == nil || value.stepCount != nil else { throw refusal }
    let total = value.size * (value.stepCount ?? 1)
    var axes = sizes
    if let open = sizes.firstIndex(of: -1) {
      guard total % Int(known) == 0 else { throw refusal }
      axes[open] = total / Int(known)
    }
    guard axes.reduce(1, *) == total else { throw refusal }
    return axes.map { .size($0) }
  }

  // MARK: Permute

  static func permuted(
    _ value: KerasValue, _ order: [Int], _ translation: inout KerasTranslation, _ call: KerasCall,
    part: String? = nil
  ) throws(ImportError) -> KerasValue {
    guard order.sorted() == Array(value.axes.indices) else {
      throw call.layer.refusal(
        "dims: found \(order.map { $0 + 1 }), the input has the sizes \(value.shape)")
    }
    var result = value
    result.axes = order.map { value.axes[$0] }
    // The position of the steps makes no difference to the graph.
    let before = value.axes.indices.filter { $0 != value.stepAxis }
    let after = order.filter { $0 != value.stepAxis }
    if before == after || value.isSpread { return result }
    let op: ModelDescription.Op =
      before.count == 2
      ? .transpose(rows: value.sizes[0]) : .gather(KerasReductions.indices(after, of: value))
    result.name = try translation.add(op, [value], for: call, part: part)
    result.content = .floats
    return result
  }

  // MARK: RepeatVector

  private static func repeated(
    _ value: KerasValue, _ translation: inout KerasTranslation, _ call: KerasCall
  ) throws(ImportError) -> KerasValue {
    let count = try call.layer.integer("n")
    guard value.axes.count == 1 else {
      throw call.refusal(of: value, expected: "a vector")
    }
    // A sequence with one number for each step, repeated as elements.
    if case .steps = value.axes[0] {
      var result = value
      result.axes = [.size(count), value.axes[0]]
      result.isSpread = true
      return result
    }
    guard count > 0 else { throw call.layer.refusal("n: found 0, expected 1 or more") }
    return try steps(count, of: value, &translation, call)
  }

  /// Repeats a vector for so many steps, by an input with that fixed number of steps, so that both can be combined.
  static func steps(
    _ count: Int, of value: KerasValue, _ translation: inout KerasTranslation, _ call: KerasCall,
    part: String? = nil
  ) throws(ImportError) -> KerasValue {
    let value = try translation.spreadOut(value, for: call)
    var result = value
    if let index = translation.inputs.firstIndex(where: { $0.hasSteps(count) }) {
      translation.inputs[index].noteUse()
      KerasLength.keep(
        &translation, index, "\(call.layer.place) repeats a vector for the input's steps")
      var like = KerasValue(
        name: translation.inputs[index].name, axes: translation.inputs[index].axes)
      like.origin = index
      result.name = try translation.add(.repeat(), [value, like], for: call, part: part)
      result.origin = index
    } else {
      result.name = try translation.add(.repeat(steps: count), [value], for: call, part: part)
      result.origin = nil
    }
    result.content = .floats
    result.isSpread = false
    result.axes = [.steps(count), .size(value.size)]
    return result
  }
}
