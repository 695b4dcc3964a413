import JSON
import ModelFormat

/// Functions of Keras and TensorFlow that are several ops, or an op with numbers.
enum KerasMathFunctions {
  static let all: [String: KerasFunctions.Function] = [
    "clip": clip, "clip_by_value": clip,
    "power": power, "pow": power,
    "normalize": unitNorm, "l2_normalize": unitNorm,
    "var": { translation, function throws(ImportError) in
      try variance(&translation, function, part: nil)
    },
    "std": { translation, function throws(ImportError) in
      let variance = try variance(&translation, function, part: "variance")
      return try translation.map(.sqrt, variance, for: function.call)
    },
    "norm": norm, "logsumexp": logSumExp, "reduce_logsumexp": logSumExp, "sign": sign,
    "rsqrt": { translation, function throws(ImportError) in
      let root = try translation.map(
        .sqrt, try function.value(), for: function.call, part: "root")
      return try ratio(1, root, &translation, function.call)
    },
    "reciprocal": { translation, function throws(ImportError) in
      try ratio(1, try function.value(), &translation, function.call)
    },
    "glu": gated,
  ]

  /// A number divided by a value.
  static func ratio(
    _ number: Float, _ value: KerasValue, _ translation: inout KerasTranslation, _ call: KerasCall
  ) throws(ImportError) -> KerasValue {
    let numerator = try KerasComparisons.constant(number, like: value, &translation, call)
    return try translation.combine(.divide, [numerator, value], as: value, for: call)
  }

  /// The first half of the elements, times the sigmoid of the other.
  private static let gated: KerasFunctions.Function = { translation, function throws(ImportError) in
    let call = function.call
    let value = try function.value()
    let last = value.axes.count - 1
    guard try function.axes(of: value, standard: -1) == [last],
      case .size(let size) = value.axes[last],
      size % 2 == 0
    else {
      throw call.layer.refusal(
        "axis: found one of the sizes \(value.shape), expected the last, of an even number")
    }
    let first = try KerasSlicing.arranged(
      value, last, Array(0..<(size / 2)), &translation, call)
    let second = try KerasSlicing.arranged(
      value, last, Array((size / 2)..<size), &translation, call)
    let gate = try translation.map(.sigmoid, second, for: call, part: "gate")
    return try translation.combine(.multiply, [first, gate], as: first, for: call)
  }

  private static let clip: KerasFunctions.Function = { translation, function throws(ImportError) in
    let (least, most) =
      function.constant("clip_value_min") == nil
      ? ("x_min", "x_max") : ("clip_value_min", "clip_value_max")
    let bounds = ModelDescription.Op.clip(
      min: try function.number(least), max: try function.number(most, position: 2))
    return try translation.map(bounds, try function.value(), for: function.call)
  }

  /// Whole powers up to 8, roots, and one divided by these.
  private static let power: KerasFunctions.Function = { translation, function throws(ImportError) in
    let call = function.call
    guard let power = function.number, !function.isNumberFirst,
      abs(power) == 0.5 || power.rounded() == power && (1...8).contains(abs(power))
    else {
      throw call.layer.refusal(
        "found a power that is not carried, expected a whole number from 1 to 8, or 0.5")
    }
    let value = try function.value()
    let isInverse = power < 0
    var result: KerasValue
    switch abs(power) {
    case 0.5: result = try translation.map(.sqrt, value, for: call, part: isInverse ? "root" : nil)
    case 1: result = value
    case 2:
      result = try translation.map(.square, value, for: call, part: isInverse ? "square" : nil)
    default:
      result = try translation.combine(
        .multiply, Array(repeating: value, count: Int(abs(power))), as: value, for: call,
        part: isInverse ? "power" : nil)
    }
    return isInverse ? try ratio(1, result, &translation, call) : result
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

  /// The sum of the absolute values, or the root of the sum of the squares.
  private static let norm: KerasFunctions.Function = { translation, function throws(ImportError) in
    let call = function.call
    let order = function.constant("ord")
    let isSum = order?.number == 1
    guard
      order == nil || order == .null || isSum || order?.number == 2
        || order?.string == "euclidean"
    else {
      throw call.layer.refusal(
        "ord: found \(order?.text ?? "none"), expected 1 or 2",
        remedy: "compute it with keras.ops: abs, power, sum, max")
    }
    let value = try translation.spreadOut(try function.value(), for: call)
    let parts = try translation.map(isSum ? .abs : .square, value, for: call, part: "parts")
    let sum = try KerasReductions.reduced(
      .sum, parts, function, keeps: try function.bool("keepdims"), &translation,
      part: isSum ? nil : "sum")
    return isSum ? sum : try translation.map(.sqrt, sum, for: call)
  }

  /// The logarithm of the sum of the exponentials, from which the largest is taken and to which it is added again.
  private static let logSumExp: KerasFunctions.Function = {
    translation, function throws(ImportError) in
    let call = function.call
    let value = try translation.spreadOut(try function.value(), for: call)
    let largest = try KerasReductions.reduced(
      .max, value, function, keeps: true, &translation, part: "largest")
    var pair = call
    pair.arguments = [.value(value), .value(largest)]
    let below = try KerasMergeLayers.elementwise(.subtract, &translation, pair, part: "below")
    let powers = try translation.map(.exp, below, for: call, part: "powers")
    let sum = try KerasReductions.reduced(
      .sum, powers, function, keeps: true, &translation, part: "sum")
    let logarithm = try translation.map(.log, sum, for: call, part: "log")
    var result = try translation.combine(.add, [logarithm, largest], as: logarithm, for: call)
    guard try !function.bool("keepdims") else { return result }
    let places = try function.axes(of: value)
    result.axes = result.axes.enumerated().filter { !places.contains($0.offset) }.map(\.element)
    return result
  }

  /// 1 above 0, -1 below it.
  private static let sign: KerasFunctions.Function = { translation, function throws(ImportError) in
    let call = function.call
    let value = try function.value()
    let one = try KerasComparisons.constant(1, like: value, &translation, call)
    let zero = try KerasComparisons.constant(0, like: value, &translation, call)
    let above = try translation.map(.relu, value, for: call, part: "above")
    let below = try translation.chain(
      [.affine(scale: [-1], shift: nil), .relu], value, for: call, part: "below")
    let plus = try translation.combine(
      .where, [above, one, zero], as: value, for: call, part: "plus")
    let minus = try translation.combine(
      .where, [below, one, zero], as: value, for: call, part: "minus")
    return try translation.combine(.subtract, [plus, minus], as: value, for: call)
  }

  /// The mean of the squared distances from the mean.
  private static func variance(
    _ translation: inout KerasTranslation, _ function: KerasFunctionCall, part: String?
  ) throws(ImportError) -> KerasValue {
    let call = function.call
    let value = try translation.spreadOut(try function.value(), for: call)
    let mean = try KerasReductions.reduced(
      .mean, value, function, keeps: true, &translation, part: "mean")
    var pair = call
    pair.arguments = [.value(value), .value(mean)]
    let centred = try KerasMergeLayers.elementwise(.subtract, &translation, pair, part: "centred")
    let squares = try translation.map(.square, centred, for: call, part: "squares")
    return try KerasReductions.reduced(
      .mean, squares, function, keeps: try function.bool("keepdims"), &translation, part: part)
  }
}
