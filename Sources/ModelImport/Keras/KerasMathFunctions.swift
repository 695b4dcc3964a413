import JSON
import ModelFormat

/// Functions of Keras and TensorFlow that are several ops, or an op with numbers.
enum KerasMathFunctions {
  static let all: [String: KerasFunctions.Function] = [
    "clip": clip, "clip_by_value": clip,
    "selu": KerasFunctions.simple(.selu), "softsign": KerasFunctions.simple(.softsign),
    "hard_tanh": KerasFunctions.simple(.hardTanh),
    "hard_sigmoid": KerasFunctions.simple(.hardSigmoid()),
    "relu6": KerasFunctions.simple(.clip(min: 0, max: 6)), "leaky_relu": leakyReLU,
    "power": power, "pow": power,
    "normalize": unitNorm, "l2_normalize": unitNorm,
    "var": { translation, function throws(ImportError) in
      try variance(&translation, function, part: nil)
    },
    "std": { translation, function throws(ImportError) in
      let variance = try variance(&translation, function, part: "variance")
      return try translation.map(.sqrt, variance, for: function.call)
    },
    "flip": flip,
  ]

  private static func number(
    _ function: KerasFunctionCall, _ keys: [String], position: Int
  ) -> Float? {
    keys.lazy.compactMap { function.constant($0, position: position)?.number }.first
      .map { Float($0) }
  }

  private static let clip: KerasFunctions.Function = { translation, function throws(ImportError) in
    let least = number(function, ["x_min", "clip_value_min"], position: 1)
    let most = number(function, ["x_max", "clip_value_max"], position: 2)
    guard let least, let most else {
      throw function.call.layer.refusal("found bounds that are no numbers of the file")
    }
    return try translation.map(
      .clip(min: least, max: most), try function.value(), for: function.call)
  }

  private static let leakyReLU: KerasFunctions.Function = {
    translation, function throws(ImportError) in
    let slope = number(function, ["negative_slope", "alpha"], position: 1) ?? 0.2
    return try translation.map(
      .leakyReLU(slope: slope), try function.value(), for: function.call)
  }

  private static let power: KerasFunctions.Function = { translation, function throws(ImportError) in
    let op: ModelDescription.Op
    switch (function.number, function.isNumberFirst) {
    case (2, false): op = .square
    case (0.5, false): op = .sqrt
    default:
      throw function.call.layer.refusal("found a power that is not carried, expected 2 or 0.5")
    }
    return try translation.map(op, try function.value(), for: function.call)
  }

  /// Divides by the Euclidean norm of the elements.
  private static let unitNorm: KerasFunctions.Function = {
    translation, function throws(ImportError) in
    let value = try function.value()
    let order = function.constant("order", position: 2)?.number ?? 2
    guard try function.axes(of: value, standard: -1) == [value.axes.count - 1], order == 2,
      value.sizes.count == 1, value.stepAxis != value.axes.count - 1
    else {
      throw function.call.layer.refusal(
        "found another norm than the Euclidean one over the last axis, of elements")
    }
    return try translation.map(.l2Norm(epsilon: 1e-12), value, for: function.call)
  }

  /// The mean of the squared distances from the mean over the steps.
  private static func variance(
    _ translation: inout KerasTranslation, _ function: KerasFunctionCall, part: String?
  ) throws(ImportError) -> KerasValue {
    let call = function.call
    let value = try translation.spreadOut(try function.value(), for: call)
    let keeps = try function.bool("keepdims")
    guard let steps = value.stepAxis, try function.axes(of: value) == [steps] else {
      throw call.layer.refusal("axis: found one of the sizes \(value.shape), expected the steps")
    }
    var mean = value.with(name: try translation.add(.mean, [value], for: call, part: "mean"))
    mean.axes[steps] = .size(1)
    let centred = try translation.combine(
      .subtract, [value, mean], as: value, for: call, part: "centred")
    let squares = try translation.map(.square, centred, for: call, part: "squares")
    var result = mean.with(name: try translation.add(.mean, [squares], for: call, part: part))
    if !keeps { result.axes.remove(at: steps) }
    if result.axes.isEmpty { result.axes = [.size(1)] }
    return result
  }

  private static let flip: KerasFunctions.Function = { translation, function throws(ImportError) in
    let value = try function.value()
    guard let steps = value.stepAxis, try function.axes(of: value) == [steps] else {
      throw function.call.layer.refusal(
        "axis: found one of the sizes \(value.shape), expected the steps")
    }
    return try translation.map(.reverse, value, for: function.call)
  }
}
