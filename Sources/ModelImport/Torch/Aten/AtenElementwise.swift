/// Elementwise operators and activations.
enum AtenElementwise {
  /// Operators with one tensor that ONNX has too, without attributes.
  private static let plain = [
    "relu": "Relu", "sigmoid": "Sigmoid", "tanh": "Tanh", "exp": "Exp", "log": "Log",
    "sqrt": "Sqrt",
    "abs": "Abs", "neg": "Neg", "reciprocal": "Reciprocal", "erf": "Erf", "softsign": "Softsign",
    "mish": "Mish", "hardswish": "HardSwish", "floor": "Floor", "sign": "Sign", "sgn": "Sign",
    "cos": "Cos", "sin": "Sin", "logical_not": "Not", "bitwise_not": "Not",
    "isnan": "IsNaN", "isinf": "IsInf",
  ]

  private static let binary = [
    "mul": "Mul", "multiply": "Mul", "maximum": "Max", "minimum": "Min", "eq": "Equal",
    "lt": "Less",
    "gt": "Greater", "le": "LessOrEqual", "ge": "GreaterOrEqual", "logical_and": "And",
    "bitwise_and": "And", "logical_or": "Or", "bitwise_or": "Or", "__and__": "And", "__or__": "Or",
  ]

  /// Operators on the bits of whole numbers, which of true and false are logical ones.
  private static let bitwise: Set<String> = [
    "bitwise_not", "bitwise_and", "bitwise_or", "__and__", "__or__",
  ]

  private static func checkBits(_ t: AtenTranslation, _ call: AtenCall) throws(ImportError) {
    for index in 0..<2 {
      switch call.value(index, index == 0 ? "self" : "other") {
      case .tensor(let tensor)? where tensor.isWhole && !t.isBoolean(tensor): break
      case .int?: break
      default: continue
      }
      throw call.failure(
        "whole numbers", because: "no op of a folder is on bits",
        instead: "of masks take .bool() before")
    }
  }

  private static func areBooleans(_ t: AtenTranslation, _ values: AtenValue?...) -> Bool {
    values.allSatisfy { if case .tensor(let tensor)? = $0 { t.isBoolean(tensor) } else { false } }
  }

  private static let comparisons: Set<String> = ["eq", "ne", "lt", "gt", "le", "ge"]

  /// Whether the value is a tensor or a number.
  private static func isComparable(_ value: AtenValue?) -> Bool {
    switch value {
    case .tensor?, .int?, .float?, .bool?: true
    case nil, .some(.none), .text?, .list?, .dictionary?, .packed?, .batchSizes?, .permutation?,
      .other?:
      false
    }
  }

  static func translate(_ t: inout AtenTranslation, _ call: AtenCall) throws(ImportError)
    -> AtenValue?
  {
    // A final underscore means in place: `relu_`.
    let name =
      call.name.hasSuffix("_") && !call.name.hasPrefix("_")
      ? String(call.name.dropLast()) : call.name
    if bitwise.contains(name) { try checkBits(t, call) }
    if let op = plain[name] {
      let x = try call.tensor(0, "self")
      return .tensor(t.emit(op, [x], rank: x.rank, of: call))
    }
    if comparisons.contains(name),
      !isComparable(call.value(0, "self")) || !isComparable(call.value(1, "other"))
    {
      return .other("a comparison")
    }
    if ["mul", "multiply", "add"].contains(name),
      areBooleans(t, call.value(0, "self"), call.value(1, "other"))
    {
      // True and true is true, also added.
      return .tensor(
        try two(
          &t, name == "add" ? "Or" : "And", call.value(0, "self"), call.value(1, "other"), call))
    }
    if let op = binary[name] {
      return .tensor(try two(&t, op, call.value(0, "self"), call.value(1, "other"), call))
    }
    switch name {
    case "add", "sub", "rsub", "subtract": return .tensor(try sum(&t, name, call))
    case "div", "true_divide", "divide", "truediv", "floor_divide", "floordiv":
      let mode = call.text(-1, "rounding_mode")
      guard name.hasPrefix("floor") || mode != nil else { return .tensor(try ratio(&t, call)) }
      let quotient = try two(
        &t, "Div", call.value(0, "self"), call.value(1, "other"), call,
        attributes: mode == "trunc" ? [:] : SourceNode.floorDivision)
      guard mode != "trunc" || quotient.isWhole else {
        throw call.failure(
          "a division with rounding_mode=\"trunc\"", because: "no op of a folder rounds")
      }
      return .tensor(t.emit("Floor", [quotient], rank: quotient.rank, of: call))
    case "ne":
      let equal = try two(&t, "Equal", call.value(0, "self"), call.value(1, "other"), call)
      return .tensor(t.emit("Not", [equal], rank: equal.rank, of: call))
    case "pow":
      return .tensor(try two(&t, "Pow", call.value(0, "self"), call.value(1, "exponent"), call))
    case "square":
      let x = try call.tensor(0, "self")
      return .tensor(t.emit("Mul", [x, x], rank: x.rank, of: call))
    case "rsqrt":
      let x = try call.tensor(0, "self")
      let root = t.emit("Sqrt", [x], rank: x.rank, of: call)
      return .tensor(t.emit("Reciprocal", [root], rank: x.rank, of: call))
    case "log1p", "log10", "log2":
      var x = try call.tensor(0, "self")
      if name == "log1p" { x = t.emit("Add", [x, t.scalar(1)], rank: x.rank, of: call) }
      let log = t.emit("Log", [x], rank: x.rank, of: call)
      guard name != "log1p" else { return .tensor(log) }
      let base = name == "log10" ? 0.43429448190325182 : 1.4426950408889634
      return .tensor(t.emit("Mul", [log, t.scalar(base)], rank: x.rank, of: call))
    case "expm1":
      let x = try call.tensor(0, "self")
      let power = t.emit("Exp", [x], rank: x.rank, of: call)
      return .tensor(t.emit("Sub", [power, t.scalar(1)], rank: x.rank, of: call))
    case "nan_to_num":
      // What lies beyond the floats is refused with NaN.
      let x = try call.tensor(0, "self")
      let number = t.scalar(try call.number(1, "nan", default: 0))
      let isNaN = t.emit("IsNaN", [x], rank: x.rank, of: call)
      return .tensor(t.emit("Where", [isNaN, number, x], rank: x.rank, of: call))
    case "isfinite":
      let x = try call.tensor(0, "self")
      let isNaN = t.emit("IsNaN", [x], rank: x.rank, of: call)
      return .tensor(t.emit("Not", [isNaN], rank: x.rank, of: call))
    case "where": return .tensor(try choose(&t, call))
    case "masked_fill": return .tensor(try fill(&t, call))
    default: return try activation(&t, name, call).map { .tensor($0) }
    }
  }

  /// The result of an operator of two tensors or numbers.
  static func two(
    _ t: inout AtenTranslation, _ op: String, _ first: AtenValue?, _ second: AtenValue?,
    _ call: AtenCall, attributes: [String: SourceAttribute] = [:]
  ) throws(ImportError) -> AtenTensor {
    var a = try t.operand(first, call)
    var b = try t.operand(second, call)
    // A number gets the type of the tensor.
    if a.isWhole != b.isWhole {
      let (isFirst, whole) = a.isWhole ? (true, a) : (false, b)
      let float = t.emit("Cast", [whole], ["to": .integer(1)], rank: whole.rank, of: call)
      if isFirst { a = float } else { b = float }
    }
    let rank = a.rank.flatMap { first in b.rank.map { max(first, $0) } }
    var result = t.emit(
      op, [a, b], attributes, rank: rank, isWhole: a.isWhole && b.isWhole, of: call)
    result.isNumber = a.isNumber || b.isNumber
    return result
  }

  /// A division that does not round. ONNX's rounds if both operands are whole, so that the node says that it is another.
  private static func ratio(
    _ t: inout AtenTranslation, _ call: AtenCall
  ) throws(ImportError) -> AtenTensor {
    var first = try t.operand(call.value(0, "self"), call)
    let second = try t.operand(call.value(1, "other"), call)
    if first.isWhole, second.isWhole {
      let isNumber = first.isNumber
      first = t.emit("Cast", [first], ["to": .integer(1)], rank: first.rank, of: call)
      first.isNumber = isNumber
    }
    return try two(
      &t, "Div", .tensor(first), .tensor(second), call, attributes: SourceNode.trueDivision)
  }

  /// Sums and differences, with the second operand times `alpha`.
  private static func sum(
    _ t: inout AtenTranslation, _ name: String, _ call: AtenCall
  ) throws(ImportError) -> AtenTensor {
    var (first, second) = (call.value(0, "self"), call.value(1, "other"))
    if name == "rsub" { (first, second) = (second, first) }
    let alpha = try call.number(2, "alpha", default: 1)
    if alpha != 1 { second = .tensor(try two(&t, "Mul", second, .float(alpha), call)) }
    return try two(&t, name == "add" ? "Add" : "Sub", first, second, call)
  }

  private static func choose(_ t: inout AtenTranslation, _ call: AtenCall) throws(ImportError)
    -> AtenTensor
  {
    let condition = try call.tensor(0, "condition")
    let (a, b) = (
      try t.operand(call.value(1, "self"), call), try t.operand(call.value(2, "other"), call)
    )
    let rank = [condition.rank, a.rank, b.rank].compactMap { $0 }.max()
    let chosen = t.emit(
      "Where", [condition, a, b], rank: rank, isWhole: a.isWhole && b.isWhole, of: call)
    return areBooleans(t, .tensor(a), .tensor(b)) ? t.asBoolean(chosen, call) : chosen
  }

  private static func fill(_ t: inout AtenTranslation, _ call: AtenCall) throws(ImportError)
    -> AtenTensor
  {
    let (x, mask) = (try call.tensor(0, "self"), try call.tensor(1, "mask"))
    let value = t.scalar(try call.number(2, "value"), isWhole: x.isWhole)
    let filled = t.emit("Where", [mask, value, x], rank: x.rank, isWhole: x.isWhole, of: call)
    return t.isBoolean(x) ? t.asBoolean(filled, call) : filled
  }

  /// log(1 + exp(beta · x)) / beta, and x itself beyond the threshold.
  private static func softplus(
    _ t: inout AtenTranslation, _ call: AtenCall
  ) throws(ImportError) -> AtenTensor {
    let x = try call.tensor(0, "self")
    let beta = try call.number(1, "beta", default: 1)
    let threshold = try call.number(2, "threshold", default: 20)
    guard beta != 0 else { throw call.failure("a beta of 0", because: "it divides") }
    let scaled = beta == 1 ? x : t.emit("Mul", [x, t.scalar(beta)], rank: x.rank, of: call)
    let soft = t.emit("Softplus", [scaled], rank: x.rank, of: call)
    let result = beta == 1 ? soft : t.emit("Div", [soft, t.scalar(beta)], rank: x.rank, of: call)
    // Behind 20 the two differ by less than single precision shows.
    guard threshold < 20 else { return result }
    let isBeyond = t.emit("Greater", [scaled, t.scalar(threshold)], rank: x.rank, of: call)
    return t.emit("Where", [isBeyond, x, result], rank: x.rank, of: call)
  }

  // MARK: Activations

  private static func activation(
    _ t: inout AtenTranslation, _ name: String, _ call: AtenCall
  ) throws(ImportError) -> AtenTensor? {
    func one(_ op: String, _ attributes: [String: SourceAttribute]) throws(ImportError)
      -> AtenTensor
    {
      let x = try call.tensor(0, "self")
      return t.emit(op, [x], attributes, rank: x.rank, of: call)
    }
    switch name {
    case "leaky_relu":
      return try one(
        "LeakyRelu", ["alpha": .float(try call.number(1, "negative_slope", default: 0.01))])
    case "celu":
      // alpha · elu(x / alpha)
      let alpha = try call.number(1, "alpha", default: 1)
      let x = try two(&t, "Div", call.value(0, "self"), .float(alpha), call)
      let elu = t.emit("Elu", [x], rank: x.rank, of: call)
      return try two(&t, "Mul", .tensor(elu), .float(alpha), call)
    case "elu":
      guard try call.number(2, "scale", default: 1) == 1,
        try call.number(3, "input_scale", default: 1) == 1
      else {
        throw call.failure("a scale", because: "only elu's own form is known")
      }
      return try one("Elu", ["alpha": .float(try call.number(1, "alpha", default: 1))])
    case "softshrink", "hardshrink":
      let bound = try call.number(1, "lambd", default: 0.5)
      return try one(
        "Shrink", ["lambd": .float(bound), "bias": .float(name == "softshrink" ? bound : 0)])
    case "threshold":
      let x = try call.tensor(0, "self")
      let isBeyond = t.emit(
        "Greater", [x, t.scalar(try call.number(1, "threshold"))], rank: x.rank, of: call)
      let other = t.scalar(try call.number(2, "value"))
      return t.emit("Where", [isBeyond, x, other], rank: x.rank, of: call)
    case "selu": return try one("Selu", [:])
    case "gelu":
      return try one("Gelu", ["approximate": .text(call.text(-1, "approximate") ?? "none")])
    case "silu":
      return try two(&t, "Mul", call.value(0, "self"), .tensor(try one("Sigmoid", [:])), call)
    case "softplus":
      return try softplus(&t, call)
    case "hardsigmoid":
      return try one("HardSigmoid", ["alpha": .float(1.0 / 6), "beta": .float(0.5)])
    case "log_sigmoid":
      // -softplus(-x)
      let opposite = try one("Neg", [:])
      let result = t.emit("Softplus", [opposite], rank: opposite.rank, of: call)
      return t.emit("Neg", [result], rank: result.rank, of: call)
    case "hardtanh", "clamp", "clip", "relu6", "clamp_min", "clamp_max":
      let x = try call.tensor(0, "self")
      let isHardTanh = name == "hardtanh"
      func bound(_ index: Int, _ key: String, _ fallback: Double) throws(ImportError) -> AtenTensor?
      {
        guard let value = call.value(index, key) else {
          return isHardTanh ? t.scalar(fallback) : nil
        }
        if case .none = value { return nil }
        guard case .tensor(let tensor) = value else { return t.scalar(try call.number(index, key)) }
        return tensor
      }
      if name == "relu6" {
        return t.emit("Clip", [x, t.scalar(0), t.scalar(6)], rank: x.rank, of: call)
      }
      let low = name == "clamp_max" ? nil : try bound(1, isHardTanh ? "min_val" : "min", -1)
      let high =
        name == "clamp_min"
        ? nil : try bound(name == "clamp_max" ? 1 : 2, isHardTanh ? "max_val" : "max", 1)
      // Clip takes numbers; a tensor has a bound for each element.
      guard [low, high].contains(where: { $0?.rank != 0 && $0 != nil }) else {
        return t.emit("Clip", [x, low, high], rank: x.rank, of: call)
      }
      var result = x
      if let low { result = try two(&t, "Max", .tensor(result), .tensor(low), call) }
      if let high { result = try two(&t, "Min", .tensor(result), .tensor(high), call) }
      return result
    case "prelu", "_prelu_kernel":
      let x = try call.tensor(0, "self")
      var weight = try call.tensor(1, "weight")
      // The weights are of the channels, the second axis.
      if let count = t.shape(of: weight)?.first, count > 1, let rank = x.rank, rank > 2 {
        weight = t.emit(
          "Unsqueeze", [weight, t.ints(Array(1..<rank - 1))], rank: rank - 1, of: call)
      }
      return t.emit("PRelu", [x, weight], rank: x.rank, of: call)
    case "glu":
      let x = try call.tensor(0, "self")
      let axis = try call.int(1, "dim", default: -1)
      let halves = t.emit(
        "Split", [x], ["axis": .integer(axis), "num_outputs": .integer(2)], outputs: 2, of: call
      )
      .map { AtenTensor(name: $0, rank: x.rank) }
      let gate = t.emit("Sigmoid", [halves[1]], rank: x.rank, of: call)
      return t.emit("Mul", [halves[0], gate], rank: x.rank, of: call)
    case "softmax", "_softmax", "log_softmax", "_log_softmax":
      let op = name.contains("log") ? "LogSoftmax" : "Softmax"
      return try one(op, ["axis": .integer(try call.int(1, "dim"))])
    default: return nil
    }
  }
}
