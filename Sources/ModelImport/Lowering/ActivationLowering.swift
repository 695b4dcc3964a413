import ModelFormat

/// Elementwise operators with one input.
enum ActivationLowering {
  /// The outputs of a node; nil for an operator of another family.
  static func lower(
    _ l: inout Lowering, _ node: SourceNode
  ) throws(ImportError) -> [LoweredValue]? {
    switch node.op {
    case _ where plain[node.op] != nil: return try applyPlain(&l, node)
    case _ where parametric[node.op] != nil: return try applyParametric(&l, node)
    case "HardSwish", "Mish", "Swish": return try gated(&l, node)
    case "Reciprocal": return try reciprocal(&l, node)
    case "Erf": return try erf(&l, node)
    case "Erfc": return try erfc(&l, node)
    case "Celu": return try celu(&l, node)
    case "Selu": return try selu(&l, node)
    case "Shrink": return try shrink(&l, node)
    case "Clip": return try clip(&l, node)
    default: return nil
    }
  }

  private static let plain: [String: ModelDescription.Op] = [
    "Sigmoid": .sigmoid, "Tanh": .tanh, "Relu": .relu, "Softsign": .softsign, "Sqrt": .sqrt,
    "Abs": .abs, "Exp": .exp, "Log": .log, "Neg": .affine(scale: [-1], shift: nil),
    "Softplus": .softplus(), "Sin": .sin, "Cos": .cos,
  ]

  private static let parametric: [String: @Sendable (SourceNode) -> ModelDescription.Op] = [
    "HardSigmoid": {
      .hardSigmoid(slope: Float($0.float("alpha") ?? 0.2), offset: Float($0.float("beta") ?? 0.5))
    },
    "LeakyRelu": { .leakyReLU(slope: Float($0.float("alpha") ?? 0.01)) },
    "ThresholdedRelu": { .thresholdedReLU(alpha: Float($0.float("alpha") ?? 1)) },
    "Elu": { .elu(alpha: Float($0.float("alpha") ?? 1)) },
    "Gelu": { .gelu(approximate: $0.text("approximate", default: "none") == "tanh" ? .tanh : nil) },
  ]

  private static func applyPlain(
    _ l: inout Lowering, _ node: SourceNode
  ) throws(ImportError) -> [LoweredValue] {
    guard let op = plain[node.op] else { preconditionFailure(node.op) }
    let value = try l.carried(node, 0)
    if op == .log, let source = l.builder.source(of: value.node, .sigmoid) {
      return [.carried(logSigmoid(&l, value, source, node))]
    }
    if op == .log, let result = logOnePlus(&l, value, node) { return [.carried(result)] }
    return [.carried(Layout.map(&l, value, op, node))]
  }

  /// `log(sigmoid(x))`, as exporters write logsigmoid, is `-softplus(-x)`: of a large negative x a sigmoid has no digits left.
  private static func logSigmoid(
    _ l: inout Lowering, _ sigmoid: CarriedValue, _ source: String, _ node: SourceNode
  ) -> CarriedValue {
    var x = sigmoid
    x.node = source
    let negative = Arithmetic.affine(&l, x, scale: [-1], node)
    return Arithmetic.affine(
      &l, Layout.map(&l, negative, .softplus(), node), scale: [-1], node)
  }

  /// `log(1 + x)`, as exporters write log1p: the sum of 1 and a small number has few of its digits.
  private static func logOnePlus(
    _ l: inout Lowering, _ sum: CarriedValue, _ node: SourceNode
  ) -> CarriedValue? {
    guard let affine = l.builder.affine(sum.node), affine.shift == [1] else { return nil }
    var x = sum
    x.node = affine.source
    if let scale = affine.scale, scale != [1] {
      x = Arithmetic.affine(&l, x, scale: scale.map(Double.init), node)
    }
    return Layout.map(&l, x, .log1p, node)
  }

  /// `exp(x) - 1`, likewise; nil for other differences.
  static func expMinusOne(
    _ l: inout Lowering, _ power: CarriedValue, plus addend: Double, _ node: SourceNode
  ) -> CarriedValue? {
    guard addend == -1, let source = l.builder.source(of: power.node, .exp) else { return nil }
    var x = power
    x.node = source
    return Layout.map(&l, x, .expm1, node)
  }

  private static func applyParametric(
    _ l: inout Lowering, _ node: SourceNode
  ) throws(ImportError) -> [LoweredValue] {
    guard let make = parametric[node.op] else { preconditionFailure(node.op) }
    let value = try l.carried(node, 0)
    return [.carried(Layout.map(&l, value, make(node), node))]
  }

  /// x times a function of x.
  private static func gated(
    _ l: inout Lowering, _ node: SourceNode
  ) throws(ImportError) -> [LoweredValue] {
    let value = try l.carried(node, 0)
    let gate: CarriedValue
    switch node.op {
    case "HardSwish": gate = Layout.map(&l, value, .hardSigmoid(), node)
    case "Mish": gate = Layout.map(&l, Layout.map(&l, value, .softplus(), node), .tanh, node)
    default:
      let alpha = node.float("alpha") ?? 1
      gate = Layout.map(&l, Arithmetic.affine(&l, value, scale: [alpha], node), .sigmoid, node)
    }
    return [.carried(Arithmetic.product(&l, value, gate, node))]
  }

  /// `alpha · elu(x / alpha)`
  private static func celu(
    _ l: inout Lowering, _ node: SourceNode
  ) throws(ImportError) -> [LoweredValue] {
    let (value, alpha) = (try l.carried(node, 0), node.float("alpha") ?? 1)
    let inner = Arithmetic.affine(&l, value, scale: [1 / alpha], node)
    let active = Layout.map(&l, inner, .elu(alpha: 1), node)
    return [.carried(Arithmetic.affine(&l, active, scale: [alpha], node))]
  }

  /// `gamma · elu(x)`, with numbers of its own where the file has some.
  private static func selu(
    _ l: inout Lowering, _ node: SourceNode
  ) throws(ImportError) -> [LoweredValue] {
    let value = try l.carried(node, 0)
    let (alpha, gamma) = (node.float("alpha"), node.float("gamma"))
    guard alpha != nil || gamma != nil else {
      return [.carried(Layout.map(&l, value, .selu, node))]
    }
    let active = Layout.map(&l, value, .elu(alpha: Float(alpha ?? 1.67326319217681884765625)), node)
    return [
      .carried(
        Arithmetic.affine(&l, active, scale: [gamma ?? 1.05070102214813232421875], node))
    ]
  }

  /// 0 from `-lambd` to `lambd`, beyond it `x` moved by `bias` towards 0: `x` less what it is between the bounds, if both are the
  /// same, and `x` itself if `bias` is 0.
  private static func shrink(
    _ l: inout Lowering, _ node: SourceNode
  ) throws(ImportError) -> [LoweredValue] {
    let value = try l.carried(node, 0)
    let (bias, bound) = (node.float("bias") ?? 0, node.float("lambd") ?? 0.5)
    guard bound >= 0, bias == 0 || bias == bound else {
      throw node.refusal(
        "bias \(bias) and lambd \(bound)", because: "a bias of 0 or of lambd is carried",
        instead: Remedy.unknownOperator)
    }
    if bias == 0 {
      let size = Layout.map(&l, value, .abs, node)
      let beyond = Layout.map(
        &l, Arithmetic.affine(&l, size, shift: [-bound], node), .relu, node)
      let zeros = Arithmetic.constant(&l, [0], like: value, node)
      var result = value
      result.node = l.builder.emit(
        .where, [beyond.node, value.node, zeros.node], named: node.outputs.first ?? node.name)
      return [.carried(result)]
    }
    let inside = Layout.map(&l, value, .clip(min: Float(-bound), max: Float(bound)), node)
    return [.carried(try Arithmetic.combining(&l, [value, inside], .subtract, node))]
  }

  private static func reciprocal(
    _ l: inout Lowering, _ node: SourceNode
  ) throws(ImportError) -> [LoweredValue] {
    let value = try l.carried(node, 0)
    return [
      .carried(
        try Arithmetic.combining(
          &l, [Arithmetic.constant(&l, [1], like: value, node), value], .divide, node))
    ]
  }

  private static func erf(
    _ l: inout Lowering, _ node: SourceNode
  ) throws(ImportError) -> [LoweredValue] {
    [.pending(.erf(try l.carried(node, 0), factor: 1, plus: 0))]
  }

  /// `1 - erf(x)`, which is `1 + erf(-x)`.
  private static func erfc(
    _ l: inout Lowering, _ node: SourceNode
  ) throws(ImportError) -> [LoweredValue] {
    var value = try l.carried(node, 0)
    // The sign and the factor may be separate nodes.
    var factor = -1.0
    while abs(factor * 2.0.squareRoot() - 1) > 1e-6,
      let source = l.builder.scaled(value.node)
    {
      value.node = source.node
      factor *= source.factor
    }
    value = Arithmetic.affine(&l, value, scale: [factor], node)
    return [.pending(.erf(value, factor: 1, plus: 1))]
  }

  private static func clip(_ l: inout Lowering, _ node: SourceNode) throws(ImportError)
    -> [LoweredValue]
  {
    let value = try l.carried(node, 0)
    let low = try l.number(node, "min", input: 1, default: -.infinity)
    let high = try l.number(node, "max", input: 2, default: .infinity)
    // Bounds outside of float's range have no effect.
    let largest = Double(Float.greatestFiniteMagnitude)
    let (min, max) = (low > -largest ? Float(low) : nil, high < largest ? Float(high) : nil)
    if min == nil, max == nil { return [.carried(value)] }
    return [.carried(Layout.map(&l, value, .clip(min: min, max: max), node))]
  }
}
