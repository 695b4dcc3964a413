import ModelFormat

/// Functions of each element alone, as Keras and TensorFlow call them: `keras.ops.elu(x, alpha=0.5)`.
enum KerasActivationFunctions {
  static let all: [String: KerasFunctions.Function] = [
    "tanh": ops(.tanh), "sigmoid": ops(.sigmoid), "relu": ops(.relu), "silu": ops(.silu),
    "swish": ops(.silu), "selu": ops(.selu), "softsign": ops(.softsign),
    "softplus": ops(.softplus()), "hard_tanh": ops(.hardTanh), "hard_sigmoid": ops(.hardSigmoid()),
    "relu6": ops(.clip(min: 0, max: 6)), "log_sigmoid": ops(negative, .softplus(), negative),
    "exp": ops(.exp), "log": ops(.log), "sqrt": ops(.sqrt), "square": ops(.square),
    "abs": ops(.abs), "absolute": ops(.abs), "sin": ops(.sin), "cos": ops(.cos),
    "negative": ops(negative), "neg": ops(negative),
    "log1p": ops(.log1p), "expm1": ops(.expm1),
    "log2": ops(.log, .affine(scale: [1.442695], shift: nil)),
    "log10": ops(.log, .affine(scale: [0.4342945], shift: nil)),
    "hard_silu": times(.hardSigmoid()), "hard_swish": times(.hardSigmoid()),
    "mish": times(.softplus(), .tanh), "gelu": gelu,
    "leaky_relu": leakyReLU, "threshold": threshold,
    "elu": ops("alpha", standard: 1) { [.elu(alpha: $0)] },
    "celu": ops("alpha", standard: 1) {
      [.affine(scale: [1 / $0], shift: nil), .elu(), .affine(scale: [$0], shift: nil)]
    },
    "tanh_shrink": { translation, function throws(ImportError) in
      try less(.tanh, of: try function.value(besides: []), &translation, function.call)
    },
    "soft_shrink": { translation, function throws(ImportError) in
      let value = try function.value(besides: ["threshold"])
      let bound = try function.number("threshold", standard: 0.5)
      return try less(.clip(min: -bound, max: bound), of: value, &translation, function.call)
    },
    "hard_shrink": { translation, function throws(ImportError) in
      let value = try function.value(besides: ["threshold"])
      let size = try translation.map(.abs, value, for: function.call, part: "size")
      return try chosen(
        value, where: size, isAbove: try function.number("threshold", standard: 0.5), else: 0,
        &translation, function.call)
    },
  ]

  private static let negative = ModelDescription.Op.affine(scale: [-1], shift: nil)

  /// One op after another.
  private static func ops(_ ops: ModelDescription.Op...) -> KerasFunctions.Function {
    { translation, function throws(ImportError) in
      try translation.chain(ops, try function.value(besides: []), for: function.call)
    }
  }

  /// Ops that depend on a number.
  private static func ops(
    _ key: String, standard: Float, _ ops: @escaping @Sendable (Float) -> [ModelDescription.Op]
  ) -> KerasFunctions.Function {
    { translation, function throws(ImportError) in
      let value = try function.value(besides: [key])
      let number = try function.number(key, standard: standard)
      return try translation.chain(ops(number), value, for: function.call)
    }
  }

  /// The value times what the ops make of it.
  private static func times(_ ops: ModelDescription.Op...) -> KerasFunctions.Function {
    { translation, function throws(ImportError) in
      let value = try function.value(besides: [])
      let factor = try translation.chain(ops, value, for: function.call, part: "factor")
      return try translation.combine(.multiply, [value, factor], as: value, for: function.call)
    }
  }

  private static let gelu: KerasFunctions.Function = { translation, function throws(ImportError) in
    let value = try function.value(besides: ["approximate"])
    // Keras approximates unless it is told otherwise, TensorFlow does not.
    var isApproximate = function.call.layer.source.version == 3
    if case .bool(let given)? = function.constant("approximate", position: 1) {
      isApproximate = given
    }
    return try translation.map(
      .gelu(approximate: isApproximate ? .tanh : nil), value, for: function.call)
  }

  /// TensorFlow calls the slope alpha.
  private static let leakyReLU: KerasFunctions.Function = {
    translation, function throws(ImportError) in
    let value = try function.value(besides: ["negative_slope", "alpha"])
    let key = function.constant("alpha") == nil ? "negative_slope" : "alpha"
    let slope = try function.number(key, standard: 0.2)
    return try translation.map(.leakyReLU(slope: slope), value, for: function.call)
  }

  private static let threshold: KerasFunctions.Function = {
    translation, function throws(ImportError) in
    let value = try function.value(besides: ["threshold", "default_value"])
    return try chosen(
      value, where: value, isAbove: try function.number("threshold"),
      else: try function.number("default_value", position: 2), &translation, function.call)
  }

  /// The value, less what the op makes of it.
  private static func less(
    _ op: ModelDescription.Op, of value: KerasValue, _ translation: inout KerasTranslation,
    _ call: KerasCall
  ) throws(ImportError) -> KerasValue {
    let other = try translation.map(op, value, for: call, part: op.name)
    return try translation.combine(.subtract, [value, other], as: value, for: call)
  }

  /// The value where another is above a number, else a number.
  private static func chosen(
    _ value: KerasValue, where other: KerasValue, isAbove bound: Float, else rest: Float,
    _ translation: inout KerasTranslation, _ call: KerasCall
  ) throws(ImportError) -> KerasValue {
    let above = try translation.chain(
      [.affine(scale: nil, shift: [-bound]), .relu], other, for: call, part: "above")
    let number = try KerasComparisons.constant(rest, like: value, &translation, call)
    return try translation.combine(.where, [above, value, number], as: value, for: call)
  }
}
