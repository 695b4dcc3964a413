import ModelFormat

/// Comparisons and operators on booleans. A boolean is a number, false if 0, as for the op `where`.
enum ComparisonLowering {
  /// The outputs of a node; nil for an operator of another family.
  static func lower(
    _ l: inout Lowering, _ node: SourceNode
  ) throws(ImportError) -> [LoweredValue]? {
    switch node.op {
    case "Equal", "Less", "Greater", "LessOrEqual", "GreaterOrEqual":
      return [.carried(try compare(&l, node))]
    case "Sign": return [.carried(try sign(&l, node))]
    case "Not":
      var value = try boolean(&l, node, 0)
      value.isInverted.toggle()
      return [.carried(value)]
    case "And", "Or": return [try combine(&l, node)]
    case "IsNaN", "IsInf": return [try isNotFinite(&l, node)]
    default: return nil
    }
  }

  /// The numbers of a question are finite.
  private static func isNotFinite(
    _ l: inout Lowering, _ node: SourceNode
  ) throws(ImportError) -> LoweredValue {
    let value = try l.carried(node, 0)
    guard value.form == .tokens || !l.origins(of: value.node).isEmpty else {
      throw node.refusal(
        "\(node.op) of numbers that the model computes",
        because: "it is known of a question's alone",
        instead: "leave it out, or ask it of an input: torch.nan_to_num(x) ahead of all else")
    }
    return .constant(SourceTensor(repeating: 0, shape: value.shape, kind: .boolean))
  }

  private static func compare(
    _ l: inout Lowering, _ node: SourceNode
  ) throws(ImportError) -> CarriedValue {
    try checkSetting(&l, node)
    // Less is Greater with exchanged operands; LessOrEqual and GreaterOrEqual are negations.
    let isExchanged = node.op == "Less" || node.op == "GreaterOrEqual"
    var difference = node
    difference.op = "Sub"
    difference.inputs = isExchanged ? node.inputs.reversed() : node.inputs
    let first = numeric(&l, try l.required(difference, 0), node)
    let second = numeric(&l, try l.required(difference, 1), node)
    guard
      case .carried(let value) = try ElementwiseLowering.binary(
        &l, difference, "Sub", first, second)
    else {
      throw node.refusal(
        "a comparison of what is part of a pattern", because: "values of the inputs are compared")
    }
    var result = Layout.map(&l, value, node.op == "Equal" ? .abs : .relu, node)
    result.kind = .boolean
    result.isInverted = ["Equal", "LessOrEqual", "GreaterOrEqual"].contains(node.op)
    return result
  }

  /// 1 where the value is above 0, -1 where it is below, else 0.
  private static func sign(
    _ l: inout Lowering, _ node: SourceNode
  ) throws(ImportError) -> CarriedValue {
    let value = try l.carried(node, 0)
    guard value.form != .tokens, value.kind != .boolean else {
      throw node.refusal(
        "ids, or true and false", because: "numbers have a sign",
        instead: "leave it out: none of them is below 0")
    }
    func number(_ number: Double) -> String {
      Arithmetic.constant(&l, [number], like: value, node).node
    }
    let isAbove = Layout.map(&l, value, .relu, node)
    let isBelow = Layout.map(&l, Arithmetic.affine(&l, value, scale: [-1], node), .relu, node)
    let (one, minusOne, zero) = (number(1), number(-1), number(0))
    let name = node.outputs.first ?? node.name
    let rest = l.builder.emit(.where, [isBelow.node, minusOne, zero], named: "\(name).below")
    var result = value
    result.node = l.builder.emit(.where, [isAbove.node, one, rest], named: name)
    return result
  }

  /// Equal may also be of booleans, which are numbers other than 1 where they are true.
  private static func numeric(
    _ l: inout Lowering, _ value: LoweredValue, _ node: SourceNode
  ) -> LoweredValue {
    guard case .carried(var number) = value, number.kind == .boolean else { return value }
    number = straight(&l, number, node)
    number.kind = .float
    return .carried(number)
  }

  /// An integer input that is compared with a constant is a setting, such as a sampling rate, and has to be fixed.
  private static func checkSetting(
    _ l: inout Lowering, _ node: SourceNode
  ) throws(ImportError) {
    let (value, constant): (CarriedValue, SourceTensor)
    switch (try l.required(node, 0), try l.required(node, 1)) {
    case (.carried(let carried), .constant(let tensor)),
      (.constant(let tensor), .carried(let carried)):
      (value, constant) = (carried, tensor)
    default: return
    }
    // Numbers that are counted, as those of a boolean's true elements, are no input's.
    guard value.kind == .integer, value.form == .tokens || !l.origins(of: value.node).isEmpty else {
      return
    }
    let refusal = node.refusal(
      "a comparison of whole numbers", because: "ids lead to an embedding, and to no mask",
      instead: "leave masks out of the export: each sequence is answered at its own length")
    guard value.axes.allSatisfy(\.isEmpty), constant.count == 1, value.form != .tokens,
      let input = l.origins(of: value.node).first
    else { throw refusal }
    throw l.require(.fixed(input: input, value: constant[0]), or: refusal)
  }

  private static func boolean(
    _ l: inout Lowering, _ node: SourceNode, _ index: Int
  ) throws(ImportError) -> CarriedValue {
    let value = try l.carried(node, index)
    guard value.kind == .boolean else {
      throw node.refusal("numbers as input \(index)", because: "\(node.op) is of booleans")
    }
    return value
  }

  private static func combine(
    _ l: inout Lowering, _ node: SourceNode
  ) throws(ImportError) -> LoweredValue {
    for index in 0..<2 {
      guard case .constant(let constant) = try l.required(node, index) else { continue }
      guard constant.isUniform else {
        throw node.refusal("a constant mask that differs", because: "it is the same for every step")
      }
      let isTrue = constant.elements[0] != 0
      // PyTorch has the same operators for the bits of whole numbers.
      let other = try boolean(&l, node, 1 - index)
      return isTrue == (node.op == "And") ? .carried(other) : .constant(constant)
    }
    let isAnd = node.op == "And"
    let one = straight(&l, try boolean(&l, node, 0), node)
    let other = straight(&l, try boolean(&l, node, 1), node)
    var result = try Arithmetic.combining(&l, [one, other], isAnd ? .multiply : .maximum, node)
    result.kind = .boolean
    return .carried(result)
  }

  /// A boolean as 1 for true and 0 for false.
  static func straight(
    _ l: inout Lowering, _ value: CarriedValue, _ node: SourceNode
  ) -> CarriedValue {
    var result = value
    let (ones, zeros) = (
      Arithmetic.constant(&l, [1], like: value, node),
      Arithmetic.constant(&l, [0], like: value, node)
    )
    let choices = value.isInverted ? [zeros.node, ones.node] : [ones.node, zeros.node]
    result.node = l.builder.emit(
      .where, [value.node] + choices, named: node.outputs.first ?? node.name)
    result.isInverted = false
    return result
  }
}
