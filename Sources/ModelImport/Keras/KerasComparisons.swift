import ModelFormat

/// Comparisons, which are 1 where they hold and else 0, and what is chosen by them.
enum KerasComparisons {
  static let all: [String: KerasFunctions.Function] = [
    "greater": compared(isExchanged: false, isInverted: false),
    "less": compared(isExchanged: true, isInverted: false),
    "less_equal": compared(isExchanged: false, isInverted: true),
    "greater_equal": compared(isExchanged: true, isInverted: true),
    "logical_and": { translation, function throws(ImportError) in
      try KerasMergeLayers.elementwise(.multiply, &translation, function.withValues())
    },
    "logical_not": { translation, function throws(ImportError) in
      let value = try number(try function.value(), &translation, function.call)
      return try translation.map(.affine(scale: [-1], shift: [1]), value, for: function.call)
    },
    "where": chosen, "cast": cast, "isnan": ofFinite(0), "is_nan": ofFinite(0),
    "isinf": ofFinite(0), "is_inf": ofFinite(0), "isfinite": ofFinite(1), "is_finite": ofFinite(1),
    "nan_to_num": { translation, function throws(ImportError) in
      try finite(translation, function)
    },
  ]

  /// `a > b` is where `relu(a - b)` is not 0.
  private static func compared(isExchanged: Bool, isInverted: Bool) -> KerasFunctions.Function {
    { translation, function throws(ImportError) in
      let call = function.call
      var difference = try KerasFunctions.arithmetic(.subtract)(&translation, function)
      if isExchanged {
        difference = try translation.map(
          .affine(scale: [-1], shift: nil), difference, for: call, part: "exchanged")
      }
      let above = try translation.map(.relu, difference, for: call, part: "above")
      let one = try constant(1, like: above, &translation, call)
      let zero = try constant(0, like: above, &translation, call)
      return try translation.combine(
        .where, isInverted ? [above, zero, one] : [above, one, zero], as: above, for: call)
    }
  }

  /// What is true of all of a question's numbers, which are finite, or of none.
  private static func ofFinite(_ answer: Float) -> KerasFunctions.Function {
    { translation, function throws(ImportError) in
      let value = try finite(translation, function)
      return try constant(answer, like: value, &translation, function.call)
    }
  }

  /// A value whose elements are an input's.
  private static func finite(
    _ translation: KerasTranslation, _ function: KerasFunctionCall
  ) throws(ImportError) -> KerasValue {
    let value = try function.value()
    if case .input = value.content { return value }
    guard value.content == .floats, value.isSelected(in: translation) else {
      throw function.call.layer.refusal(
        "found numbers that the model computes, expected an input's, which are finite",
        remedy: "leave it out, or ask it of an input")
    }
    return value
  }

  private static let chosen: KerasFunctions.Function = {
    translation, function throws(ImportError) in
    let call = function.call
    var operands = Array(call.arguments.prefix(3))
    for key in ["condition", "x1", "x2", "x", "y"] {
      if operands.count < 3, let operand = call[key] { operands.append(operand) }
    }
    guard operands.count == 3, case .value(let condition) = operands[0] else {
      throw call.layer.refusal(
        "found \(operands.count) operands, expected a condition and two values")
    }
    var values = [try number(condition, &translation, call)]
    for operand in operands.dropFirst() {
      switch operand {
      case .value(let value): values.append(value)
      case .constant(let json):
        guard let number = json.number else {
          throw call.layer.refusal("found \(json.kind), expected a number or a value")
        }
        values.append(try constant(Float(number), like: values[0], &translation, call))
      case .list, .dictionary:
        throw call.layer.refusal("found an array, expected a number or a value")
      }
    }
    let (aligned, model) = try KerasMergeLayers.aligned(values, &translation, call)
    return try translation.combine(.where, aligned, as: model, for: call)
  }

  /// Another kind of number. A mask becomes ones and zeros.
  private static let cast: KerasFunctions.Function = { translation, function throws(ImportError) in
    let value = try function.value()
    let kind = function.constant("dtype", position: 1)?.string ?? "float32"
    if value.isMask, !kind.contains("bool") {
      return try number(value, &translation, function.call)
    }
    if value.content == .floats, kind.contains("int"), value.isExact(in: translation) {
      var numbers = value
      numbers.content = .wholeNumbers
      return numbers
    }
    guard kind.contains("float") || value.content != .floats else {
      throw function.call.layer.refusal(
        "dtype: found \(kind), expected float32: no op rounds numbers",
        remedy: remedyToRound)
    }
    return value
  }

  static let remedyToRound =
    "round before the model, and give the whole numbers as an input of their own; where they are whole already, leave the cast out"

  /// The value; a mask as a sequence of ones and zeros.
  private static func number(
    _ value: KerasValue, _ translation: inout KerasTranslation, _ call: KerasCall
  ) throws(ImportError) -> KerasValue {
    guard case .mask(let mask) = value.content else { return value }
    var masked = value
    masked.content = .floats
    masked.mask = mask
    guard let name = try translation.maskNode(of: masked, for: call, key: "") else {
      throw call.layer.refusal("found a mask of no steps, which is not carried")
    }
    var result = value.with(name: name)
    guard value.stepAxis != nil else {
      throw call.layer.refusal("found a mask of no steps, which is not carried")
    }
    result.axes = value.axes.map { if case .steps = $0 { $0 } else { .size(1) } }
    return result
  }

  /// The same number in all places of a value.
  static func constant(
    _ number: Float, like value: KerasValue, _ translation: inout KerasTranslation,
    _ call: KerasCall
  ) throws(ImportError) -> KerasValue {
    try translation.map(
      .affine(scale: [0], shift: [number]), value, for: call, part: "constant")
  }
}
