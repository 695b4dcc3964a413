import ModelFormat

/// A matrix over the steps, the same for each element: Dense behind `Permute((2, 1))`, as attention was written before Keras
/// had layers for it. It is made for one number of steps.
enum KerasStepMixing {
  /// - Parameter value: of the axes (size, steps).
  static func dense(
    _ translation: inout KerasTranslation, _ call: KerasCall, _ given: KerasValue, steps: Int,
    part: String?
  ) throws(ImportError) -> KerasValue {
    let value = try translation.spreadOut(given, for: call)
    let size = value.size
    guard size * steps <= KerasLayer.maxWeights / max(size, steps) else {
      throw call.layer.refusal(
        "found \(size) elements and \(steps) steps, and weights for each step, which take more than \(KerasLayer.maxWeights) numbers",
        remedy:
          "attention by Dense(1) and a softmax over the steps, or by Attention, takes none for each step"
      )
    }
    KerasLength.keep(&translation, value, steps: steps, in: call.layer)
    var sequence = value
    sequence.axes = [.steps(steps), .size(size)]

    // The products for all steps, (size, steps), once: a convolution over all steps, and its last step.
    let weights = try addWeights(&translation, call, size: size, steps: steps)
    let all = try add(
      &translation, .conv(padding: .valid, groups: size), [sequence], call, "steps", weights)
    let last = sequence.with(
      name: try translation.add(.last, [all], for: call, part: "all"), axes: [.size(size * steps)])
    let repeated = try KerasShapeLayers.steps(
      steps, of: last, &translation, call, part: "repeated")

    // Of these, each step has its own.
    let places = try places(&translation, call, sequence, steps: steps)
    let own = try translation.combine(
      .multiply, [repeated, places], as: repeated, for: call, part: "own")
    // Not under the layer's own name, which is that of its weights.
    let result = try add(&translation, .linear, [own], call, part ?? "mixed")
    var rows = [Float](repeating: 0, count: size * size * steps)
    for element in 0..<size {
      for step in 0..<steps { rows[(element * size + element) * steps + step] = 1 }
    }
    translation.add(tensor: "\(result.name).weight", shape: [size, size * steps], rows)
    return value.with(name: result.name, axes: [.size(size), .steps(steps)])
  }

  private static func add(
    _ translation: inout KerasTranslation, _ op: ModelDescription.Op, _ inputs: [KerasValue],
    _ call: KerasCall, _ part: String?, _ weights: String? = nil
  ) throws(ImportError) -> KerasValue {
    inputs[0].with(
      name: try translation.add(op, inputs, for: call, part: part, weights: weights))
  }

  /// The weights for each element and step, one group of outputs an element.
  private static func addWeights(
    _ translation: inout KerasTranslation, _ call: KerasCall, size: Int, steps: Int
  ) throws(ImportError) -> String {
    let (prefix, isNew) = translation.names.prefix(of: call.layer, name: call.name)
    guard isNew else { return prefix }
    var expected = [(name: "kernel", shape: [steps, steps])]
    if KerasDenseLayers.hasBias(call.layer) { expected.append(("bias", [steps])) }
    let arrays = try call.weights.arrays(expected, of: call.layer)
    var columns = [Float](repeating: 0, count: steps * steps)
    for step in 0..<steps {
      for output in 0..<steps { columns[output * steps + step] = arrays[0][step * steps + output] }
    }
    translation.add(
      tensor: "\(prefix).weight", shape: [size * steps, 1, steps],
      Array(repeating: columns, count: size).flatMap(\.self))
    if arrays.count > 1 {
      translation.add(
        tensor: "\(prefix).bias", shape: [size * steps],
        Array(repeating: arrays[1], count: size).flatMap(\.self))
    }
    return prefix
  }

  /// For each step a one at its own place among (size, steps), zeros elsewhere: a one at the first step alone, and a convolution
  /// that puts its kernel there, turned round.
  private static func places(
    _ translation: inout KerasTranslation, _ call: KerasCall, _ sequence: KerasValue, steps: Int
  ) throws(ImportError) -> KerasValue {
    let size = sequence.size
    var first = try add(&translation, .slice(start: 0, end: 1), [sequence], call, "first")
    first.axes = [.steps(steps), .size(1)]
    let ones = try add(&translation, .affine(scale: [0], shift: [1]), [first], call, "ones")
    let later = try add(&translation, .shift(steps: 1), [ones], call, "later")
    let start = try add(&translation, .subtract, [ones, later], call, "start")
    let places = try add(&translation, .conv(), [start], call, "places")
    var kernels = [Float](repeating: 0, count: size * steps * steps)
    for element in 0..<size {
      for step in 0..<steps { kernels[(element * steps + step) * steps + steps - 1 - step] = 1 }
    }
    translation.add(
      tensor: "\(places.name).weight", shape: [size * steps, 1, steps], kernels)
    return places.with(name: places.name, axes: [.steps(steps), .size(size * steps)])
  }
}
