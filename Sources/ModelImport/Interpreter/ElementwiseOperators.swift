import Glibc

/// Elementwise operators.
enum ElementwiseOperators {
  /// The outputs of a node; nil for an operator of another family.
  static func evaluate(_ a: Interpreter.Arguments) throws(ImportError) -> [SourceTensor]? {
    switch a.node.op {
    case _ where unary[a.node.op] != nil: return try applyUnary(a)
    case _ where parametric[a.node.op] != nil: return try applyParametric(a)
    case _ where binary[a.node.op] != nil: return try applyBinary(a)
    case _ where comparisons[a.node.op] != nil: return try applyComparison(a)
    case _ where folded[a.node.op] != nil: return try applyFolded(a)
    case "Identity", "Dropout", "StopGradient": return try same(a)
    case "Mean": return try mean(a)
    case "Div": return try divide(a)
    case "Mod": return try modulo(a)
    case "Cast": return try cast(a)
    case "CastLike": return try castLike(a)
    case "Clip": return try clip(a)
    case "Where": return try choose(a)
    default: return nil
    }
  }

  private static let unary: [String: @Sendable (Double) -> Double] = [
    "Abs": { Swift.abs($0) }, "Neg": { -$0 }, "Exp": { exp($0) }, "Log": { log($0) },
    "Sqrt": { $0.squareRoot() }, "Reciprocal": { 1 / $0 }, "Floor": { floor($0) },
    "Ceil": { ceil($0) }, "Round": { rint($0) }, "Sign": { $0 > 0 ? 1 : $0 < 0 ? -1 : $0 },
    "Sin": { sin($0) }, "Cos": { cos($0) }, "Erf": { erf($0) }, "Atan": { atan($0) },
    "Not": { $0 == 0 ? 1 : 0 }, "IsNaN": { $0.isNaN ? 1 : 0 },
    "IsInf": { $0.isInfinite ? 1 : 0 }, "Sigmoid": { 1 / (1 + exp(-$0)) }, "Tanh": { tanh($0) },
    "Relu": { $0 < 0 ? 0 : $0 },
    "Softplus": { $0 > 40 ? $0 : log1p(exp($0)) }, "Softsign": { $0 / (1 + Swift.abs($0)) },
    "HardSwish": { $0 * min(max($0 / 6 + 0.5, 0), 1) },
    "Mish": { $0 * tanh($0 > 40 ? $0 : log1p(exp($0))) },
  ]

  private static let binary: [String: @Sendable (Double, Double) -> Double] = [
    "Add": { $0 + $1 }, "Sub": { $0 - $1 }, "Mul": { $0 * $1 }, "Pow": { pow($0, $1) },
    "PRelu": { $0 < 0 ? $0 * $1 : $0 },
  ]

  private static let folded: [String: @Sendable (Double, Double) -> Double] = [
    "Max": { $0.isNaN || $0 > $1 ? $0 : $1 }, "Min": { $0.isNaN || $0 < $1 ? $0 : $1 },
    "Sum": { $0 + $1 },
  ]

  private static let comparisons: [String: @Sendable (Double, Double) -> Double] = [
    "Equal": { $0 == $1 ? 1 : 0 }, "Less": { $0 < $1 ? 1 : 0 }, "Greater": { $0 > $1 ? 1 : 0 },
    "LessOrEqual": { $0 <= $1 ? 1 : 0 }, "GreaterOrEqual": { $0 >= $1 ? 1 : 0 },
    "And": { $0 != 0 && $1 != 0 ? 1 : 0 }, "Or": { $0 != 0 || $1 != 0 ? 1 : 0 },
    "Xor": { ($0 != 0) != ($1 != 0) ? 1 : 0 },
  ]

  /// Activations with attributes.
  private static let parametric: [String: @Sendable (SourceNode) -> (Double) -> Double] = [
    "HardSigmoid": { node in
      let (alpha, beta) = (node.float("alpha") ?? 0.2, node.float("beta") ?? 0.5)
      return { min(max(alpha * $0 + beta, 0), 1) }
    },
    "LeakyRelu": { node in
      let alpha = node.float("alpha") ?? 0.01
      return { $0 < 0 ? alpha * $0 : $0 }
    },
    "ThresholdedRelu": { node in
      let alpha = node.float("alpha") ?? 1
      return { $0 > alpha ? $0 : 0 }
    },
    "Elu": { node in
      let alpha = node.float("alpha") ?? 1
      return { $0 < 0 ? alpha * expm1($0) : $0 }
    },
    "Celu": { node in
      let alpha = node.float("alpha") ?? 1
      return { max(0, $0) + min(0, alpha * expm1($0 / alpha)) }
    },
    "Shrink": { node in
      let (bias, bound) = (node.float("bias") ?? 0, node.float("lambd") ?? 0.5)
      return { $0 < -bound ? $0 + bias : $0 > bound ? $0 - bias : 0 }
    },
    "Selu": { node in
      let (alpha, gamma) = (
        node.float("alpha") ?? 1.67326319217681884765625,
        node.float("gamma") ?? 1.05070102214813232421875
      )
      return { gamma * ($0 < 0 ? alpha * expm1($0) : $0) }
    },
    "Swish": { node in
      let alpha = node.float("alpha") ?? 1
      return { $0 / (1 + exp(-alpha * $0)) }
    },
    "Gelu": { node in
      if node.text("approximate", default: "none") == "tanh" {
        return {
          0.5 * $0 * (1 + tanh((2 / Double.pi).squareRoot() * ($0 + 0.044715 * $0 * $0 * $0)))
        }
      }
      return { 0.5 * $0 * (1 + erf($0 / 2.0.squareRoot())) }
    },
  ]

  private static func applyUnary(_ a: Interpreter.Arguments) throws(ImportError) -> [SourceTensor] {
    guard let function = unary[a.node.op] else { preconditionFailure(a.node.op) }
    let isQuestion = ["IsNaN", "IsInf"].contains(a.node.op)
    return [try a.required(0).map(isQuestion ? .boolean : nil, function)]
  }

  private static func applyParametric(_ a: Interpreter.Arguments) throws(ImportError)
    -> [SourceTensor]
  {
    guard let make = parametric[a.node.op] else { preconditionFailure(a.node.op) }
    return [try a.required(0).map(nil, make(a.node))]
  }

  private static func applyBinary(_ a: Interpreter.Arguments) throws(ImportError) -> [SourceTensor]
  {
    guard let function = binary[a.node.op] else { preconditionFailure(a.node.op) }
    return [try combine(a, kind: nil, function)]
  }

  private static func applyComparison(_ a: Interpreter.Arguments) throws(ImportError)
    -> [SourceTensor]
  {
    guard let function = comparisons[a.node.op] else { preconditionFailure(a.node.op) }
    return [try combine(a, kind: .boolean, function)]
  }

  private static func applyFolded(_ a: Interpreter.Arguments) throws(ImportError) -> [SourceTensor]
  {
    guard let function = folded[a.node.op] else { preconditionFailure(a.node.op) }
    return [try fold(a, function)]
  }

  private static func same(_ a: Interpreter.Arguments) throws(ImportError) -> [SourceTensor] {
    [try a.required(0)]
  }

  private static func mean(_ a: Interpreter.Arguments) throws(ImportError) -> [SourceTensor] {
    let count = Double(a.values.count)
    return [try fold(a) { $0 + $1 }.map { $0 / count }]
  }

  private static func castLike(_ a: Interpreter.Arguments) throws(ImportError) -> [SourceTensor] {
    [convert(try a.required(0), to: try a.required(1).kind)]
  }

  private static func combine(
    _ a: Interpreter.Arguments, kind: SourceTensor.Kind?, _ function: (Double, Double) -> Double
  ) throws(ImportError) -> SourceTensor {
    try combine(a, try a.required(0), try a.required(1), kind: kind, function)
  }

  private static func combine(
    _ a: Interpreter.Arguments, _ first: SourceTensor, _ second: SourceTensor,
    kind: SourceTensor.Kind?, _ function: (Double, Double) -> Double
  ) throws(ImportError) -> SourceTensor {
    guard let shape = RowMajor.broadcast(first.shape, second.shape) else {
      throw a.node.refusal(
        "\(first.shape) and \(second.shape)", because: "these shapes don't fit each other")
    }
    let kind = kind ?? first.kind
    if first.isUniform && second.isUniform {
      return SourceTensor(
        repeating: function(first.elements[0], second.elements[0]), shape: shape, kind: kind)
    }
    try a.checkCount(shape)
    let left = first.isUniform ? nil : positions(first, shape)
    let right = second.isUniform ? nil : positions(second, shape)
    let elements = (0..<shape.reduce(1, *)).map { position in
      function(
        first.elements[left?[position] ?? 0], second.elements[right?[position] ?? 0])
    }
    return SourceTensor(shape: shape, kind: kind, elements: elements)
  }

  private static func positions(_ tensor: SourceTensor, _ shape: [Int]) -> [Int] {
    RowMajor.positions(
      shape: shape, strides: RowMajor.broadcastStrides(tensor.shape, to: shape))
  }

  private static func fold(
    _ a: Interpreter.Arguments, _ function: (Double, Double) -> Double
  ) throws(ImportError) -> SourceTensor {
    var result = try a.required(0)
    for index in a.values.indices.dropFirst() {
      result = try combine(a, result, try a.required(index), kind: nil, function)
    }
    return result
  }

  private static func divide(_ a: Interpreter.Arguments) throws(ImportError) -> [SourceTensor] {
    if a.node.isTrueDivision { return [try combine(a, kind: .float) { $0 / $1 }] }
    if a.node.isFloorDivision { return [try combine(a, kind: nil) { floor($0 / $1) }] }
    let isWhole = try a.required(0).kind == .integer
    if isWhole, try a.required(1).elements.contains(0) {
      throw a.node.refusal("a divisor of 0", because: "whole numbers can't be divided by it")
    }
    return [try combine(a, kind: nil) { isWhole ? ($0 / $1).rounded(.towardZero) : $0 / $1 }]
  }

  private static func modulo(_ a: Interpreter.Arguments) throws(ImportError) -> [SourceTensor] {
    let truncates = a.node.integer("fmod") == 1
    return [
      try combine(a, kind: nil) { x, y in
        truncates ? fmod(x, y) : x - y * (x / y).rounded(.down)
      }
    ]
  }

  private static func cast(_ a: Interpreter.Arguments) throws(ImportError) -> [SourceTensor] {
    let type = a.node.integer("to", default: 1)
    guard let kind = ONNXElementType(rawValue: type)?.kind else {
      throw a.node.refusal("a cast to type \(type)", because: "numbers of that type aren't known")
    }
    return [convert(try a.required(0), to: kind)]
  }

  private static func convert(_ tensor: SourceTensor, to kind: SourceTensor.Kind) -> SourceTensor {
    switch kind {
    case .float: tensor.map(.float) { $0 }
    case .integer: tensor.map(.integer) { $0.rounded(.towardZero) }
    case .boolean: tensor.map(.boolean) { $0 == 0 ? 0 : 1 }
    }
  }

  private static func clip(_ a: Interpreter.Arguments) throws(ImportError) -> [SourceTensor] {
    let low = try a.number("min", input: 1, default: -.infinity)
    let high = try a.number("max", input: 2, default: .infinity)
    return [try a.required(0).map { min(max($0, low), high) }]
  }

  private static func choose(_ a: Interpreter.Arguments) throws(ImportError) -> [SourceTensor] {
    let (condition, yes, no) = (try a.required(0), try a.required(1), try a.required(2))
    guard let both = RowMajor.broadcast(yes.shape, no.shape),
      let shape = RowMajor.broadcast(condition.shape, both)
    else {
      throw a.node.refusal(
        "\(condition.shape), \(yes.shape) and \(no.shape)",
        because: "these shapes don't fit each other")
    }
    if condition.isUniform {
      let chosen = condition.elements[0] != 0 ? yes : no
      if chosen.isUniform { return [chosen.reshaped(shape)] }
      try a.checkCount(shape)
      return [chosen.picking(positions(chosen, shape), shape: shape)]
    }
    try a.checkCount(shape)
    let masks = positions(condition, shape)
    let (left, right) = (positions(yes, shape), positions(no, shape))
    let elements = masks.indices.map { index in
      condition[masks[index]] != 0 ? yes[left[index]] : no[right[index]]
    }
    return [SourceTensor(shape: shape, kind: yes.kind, elements: elements)]
  }
}
