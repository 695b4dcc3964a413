import Glibc
import ModelFormat

/// Elementwise operators with two inputs or more.
enum ElementwiseLowering {
  /// The outputs of a node; nil for an operator of another family.
  static func lower(
    _ l: inout Lowering, _ node: SourceNode
  ) throws(ImportError) -> [LoweredValue]? {
    switch node.op {
    case "Add", "Sub", "Mul", "Div", "Max", "Min", "Sum", "Mean": return try fold(&l, node)
    case "Pow": return [.carried(try PowerLowering.power(&l, node))]
    case "PRelu": return try prelu(&l, node)
    case "Where": return try choose(&l, node)
    default: return nil
    }
  }

  private static func fold(
    _ l: inout Lowering, _ node: SourceNode
  ) throws(ImportError) -> [LoweredValue] {
    let op = node.op
    var result = try l.required(node, 0)
    for index in node.inputs.indices.dropFirst() {
      let next = try l.required(node, index)
      result = try binary(&l, node, op, result, next)
    }
    if op == "Mean", node.inputs.count > 1 {
      let factor = SourceTensor(shape: [], elements: [1 / Double(node.inputs.count)])
      result = try binary(&l, node, "Mul", result, .constant(factor))
    }
    return [result]
  }

  /// One operator of two values.
  static func binary(
    _ l: inout Lowering, _ node: SourceNode, _ op: String, _ first: LoweredValue,
    _ second: LoweredValue
  ) throws(ImportError) -> LoweredValue {
    if let result = try PatternLowering.binary(&l, node, op, first, second) { return result }
    if op == "Mul", let zero = settingTimesZero(first, second) ?? settingTimesZero(second, first) {
      return zero
    }
    if op == "Div", !node.isTrueDivision, isWhole(first), isWhole(second), !isOne(second),
      !isConstant(first) || !isConstant(second)
    {
      throw node.refusal(
        "a division of whole numbers", because: "its quotient is rounded, and no op rounds",
        instead: Remedy.rounding)
    }
    switch (first, second) {
    case (.carried(let first), .carried(let second)):
      return .carried(try combine(&l, node, op, first, second))
    case (.carried(let value), .constant(let constant)):
      return .carried(try combine(&l, node, op, value, constant, isFirst: false))
    case (.constant(let constant), .carried(let value)):
      return .carried(try combine(&l, node, op, value, constant, isFirst: true))
    case (.constant(let first), .constant(let second)):
      let sum = op == "Sum" || op == "Mean" ? "Add" : op
      return .constant(
        try Interpreter.result(of: sum, in: node, first, second, opset: l.opset))
    case (.pending(let value), _), (_, .pending(let value)):
      throw PatternLowering.refusal(node, value)
    }
  }

  /// A single number times 0, by which exporters keep an unused setting in the graph.
  private static func settingTimesZero(
    _ first: LoweredValue, _ second: LoweredValue
  ) -> LoweredValue? {
    guard case .carried(let value) = first, case .constant(let constant) = second,
      value.axes.allSatisfy(\.isEmpty), value.form == .vector, constant.count == 1,
      constant.elements[0] == 0
    else { return nil }
    return .constant(SourceTensor(repeating: 0, shape: constant.shape))
  }

  private static func isConstant(_ value: LoweredValue) -> Bool {
    if case .constant = value { true } else { false }
  }

  /// Whether a value has whole numbers to compute with.
  private static func isWhole(_ value: LoweredValue) -> Bool {
    switch value {
    case .carried(let value): value.form != .tokens && value.kind == .integer
    case .constant(let constant): constant.kind == .integer
    case .pending: false
    }
  }

  private static func isOne(_ value: LoweredValue) -> Bool {
    guard case .constant(let constant) = value else { return false }
    return constant.elements.allSatisfy { abs($0) == 1 }
  }

  // MARK: Two values

  private static func combine(
    _ l: inout Lowering, _ node: SourceNode, _ op: String, _ first: CarriedValue,
    _ second: CarriedValue
  ) throws(ImportError) -> CarriedValue {
    for value in [first, second] where value.form == .tokens { throw arithmeticOfIDs(node, value) }
    let kind: ModelDescription.Op
    switch op {
    case "Add", "Sum", "Mean": kind = .add
    case "Sub": kind = .subtract
    case "Mul": kind = .multiply
    case "Div": kind = .divide
    case "Max": kind = .maximum
    default: kind = .minimum
    }
    return try Arithmetic.combining(&l, [first, second], kind, node)
  }

  private static func arithmeticOfIDs(_ node: SourceNode, _ ids: CarriedValue) -> ImportError {
    let atoms = ids.axes.joined()
    // One number a sequence may be that of its steps.
    let lengths = ids.axes.count == 1 ? atoms.first?.origin?.input : nil
    return node.refusal(
      "arithmetic with ids", because: "ids lead to an embedding",
      instead: lengths.map {
        "if \($0.jsonExcerpt) is how many steps a sequence has, --set \($0)=100 carries it for sequences of 100; else export the model with a float input"
      } ?? "export the model with a float input")
  }

  // MARK: A value and a constant

  /// - Parameter isFirst: whether the constant is the first operand.
  private static func combine(
    _ l: inout Lowering, _ node: SourceNode, _ op: String, _ carried: CarriedValue,
    _ constant: SourceTensor,
    isFirst: Bool
  ) throws(ImportError) -> CarriedValue {
    guard carried.form != .tokens else { throw arithmeticOfIDs(node, carried) }
    if constant.count == 1, op == "Add" || op == "Sub" && !isFirst,
      let result = ActivationLowering.expMinusOne(
        &l, carried, plus: op == "Add" ? constant.first : -constant.first, node)
    {
      return result
    }
    let constant = Layout.withoutBatch(constant, along: carried)
    if let length = LengthLowering.value(&l, constant, node) {
      return try combine(&l, node, op, isFirst ? length : carried, isFirst ? carried : length)
    }
    if let count = try StepNumbers.progression(&l, constant, along: carried, node) {
      return try combine(&l, node, op, isFirst ? count : carried, isFirst ? carried : count)
    }
    let value = try Layout.expanded(&l, carried, to: constant.shape, node)
    if let table = ExampleLength.table(&l, constant, along: value, node) {
      return try combine(&l, node, op, isFirst ? table : value, isFirst ? value : table)
    }
    let numbers = try Layout.elements(of: constant, along: value, node)
    if let number = numbers.first, numbers.allSatisfy({ $0 == number }) {
      switch op {
      case "Mul", "Div": ExampleLength.check(&l, value, times: number, node)
      case "Add", "Sub": ExampleLength.check(&l, value, plus: number, node)
      default: break
      }
    }
    switch op {
    case "Add", "Sum", "Mean": return Arithmetic.affine(&l, value, shift: numbers, node)
    case "Sub":
      if isFirst {
        return Arithmetic.affine(
          &l, Arithmetic.affine(&l, value, scale: [-1], node), shift: numbers, node)
      }
      return Arithmetic.affine(&l, value, shift: numbers.map { -$0 }, node)
    case "Mul": return Arithmetic.affine(&l, value, scale: numbers, node)
    case "Div" where !isFirst:
      guard numbers.allSatisfy({ $0 != 0 }) else {
        throw node.refusal("a divisor of 0", because: "the result would not be finite")
      }
      return Arithmetic.affine(&l, value, scale: numbers.map { 1 / $0 }, node)
    default: break
    }
    let other = Arithmetic.constant(&l, numbers, like: value, node)
    return try combine(&l, node, op, isFirst ? other : value, isFirst ? value : other)
  }

  private static func prelu(
    _ l: inout Lowering, _ node: SourceNode
  ) throws(ImportError) -> [LoweredValue] {
    let carried = try l.carried(node, 0)
    guard let slope = try l.constant(node, 1, "a slope") else {
      throw node.refusal("no slope", because: "PRelu needs one")
    }
    let value = try Layout.expanded(&l, carried, to: slope.shape, node)
    if let slopes = ExampleLength.table(&l, slope, along: value, node) {
      // A slope for each step: relu(x) − slope · relu(−x).
      let below = Layout.map(&l, Arithmetic.affine(&l, value, scale: [-1], node), .relu, node)
      let product = try Arithmetic.combining(&l, [slopes, below], .multiply, node)
      let above = Layout.map(&l, value, .relu, node)
      return [.carried(try Arithmetic.combining(&l, [above, product], .subtract, node))]
    }
    let numbers = try Layout.elements(of: slope, along: value, node)
    return [
      .carried(Layout.map(&l, value, .prelu, node, tensors: [("weight", [numbers.count], numbers)]))
    ]
  }

  /// A choice by a constant mask that differs among the elements.
  private static func chooseElements(
    _ l: inout Lowering, _ node: SourceNode,
    _ values: (mask: LoweredValue, yes: LoweredValue, no: LoweredValue)
  ) throws(ImportError) -> CarriedValue {
    guard case .constant(let mask) = values.mask else {
      throw node.refusal("a mask that is part of a pattern", because: "it must be a value")
    }
    var like: CarriedValue?
    for side in [values.yes, values.no] {
      if case .carried(let value) = side, like.map({ $0.size < value.size }) ?? true {
        like = value
      }
    }
    guard let like else {
      throw node.refusal(
        "a constant mask that differs", because: "one of the values must depend on an input")
    }
    var wide = try Layout.expanded(&l, like, to: mask.shape, node)
    for case .constant(let side) in [values.yes, values.no] {
      wide = try Layout.expanded(&l, wide, to: side.shape, node)
    }
    let flags = SourceTensor(shape: mask.shape, elements: mask.elements.map { $0 == 0 ? 0 : 1 })
    var operands: [CarriedValue] = []
    if let steps = ExampleLength.table(&l, flags, along: wide, node) {
      operands.append(steps)
    } else {
      let numbers = try Layout.elements(of: flags, along: wide, node)
      operands.append(Arithmetic.constant(&l, numbers, like: wide, node))
    }
    for side in [values.yes, values.no] {
      switch side {
      case .carried(let value): operands.append(value)
      case .constant(let constant):
        guard constant.elements.allSatisfy({ Float($0).isFinite || $0 == -.infinity }) else {
          throw node.refusal("a constant that is not finite", because: "weights must be finite")
        }
        if let steps = ExampleLength.table(&l, constant, along: wide, node) {
          operands.append(steps)
          continue
        }
        let numbers = try Layout.elements(of: constant, along: wide, node)
        let bounded = numbers.map { max($0, -Double(Float.greatestFiniteMagnitude)) }
        operands.append(Arithmetic.constant(&l, bounded, like: wide, node))
      case .pending(let value): throw PatternLowering.refusal(node, value)
      }
    }
    return try Arithmetic.combining(&l, operands, .where, node)
  }

  private static func choose(
    _ l: inout Lowering, _ node: SourceNode
  ) throws(ImportError) -> [LoweredValue] {
    let values = (try l.required(node, 0), try l.required(node, 1), try l.required(node, 2))
    if let result = try PatternLowering.choose(&l, node, values.0, values.1, values.2) {
      return [result]
    }
    guard case .carried(let condition) = values.0 else {
      guard case .constant(let mask) = values.0, mask.isUniform || Set(mask.elements).count == 1
      else { return [.carried(try chooseElements(&l, node, values))] }
      let chosen = mask.elements[0] != 0 ? values.1 : values.2
      guard case .carried(let value) = chosen else { return [chosen] }
      return [.carried(try Layout.expanded(&l, value, to: mask.shape, node))]
    }
    var operands: [CarriedValue] = [condition]
    for side in [values.1, values.2] {
      switch side {
      case .carried(let value): operands.append(value)
      case .constant(let constant):
        // The smallest float serves a softmax or a maximum as well as minus infinity.
        guard constant.elements.allSatisfy({ Float($0).isFinite || $0 == -.infinity }) else {
          throw node.refusal("a constant that is not finite", because: "weights must be finite")
        }
        var value = try Layout.expanded(&l, condition, to: constant.shape, node)
        // The numbers are the constant's, and not true or false as the condition.
        (value.kind, value.isInverted) = (constant.kind, false)
        operands.append(
          Arithmetic.constant(
            &l,
            try Layout.elements(of: constant, along: value, node).map {
              max($0, -Double(Float.greatestFiniteMagnitude))
            }, like: value, node))
      case .pending(let value): throw PatternLowering.refusal(node, value)
      }
    }
    if condition.isInverted { operands.swapAt(1, 2) }
    var result = try Arithmetic.combining(&l, operands, .where, node)
    result.isInverted = false
    return [.carried(result)]
  }
}
