/// Sizes, arithmetic on sizes, and arrays made from a shape.
enum AtenNumbers {
  static func translate(_ t: inout AtenTranslation, _ call: AtenCall) throws(ImportError)
    -> AtenValue?
  {
    switch call.name {
    case "size", "sym_size":
      if case .batchSizes? = call.value(0) { return nil }
      let tensor = try call.tensor(0, "self")
      guard call.value(1, "dim") == nil else {
        return t.size(of: tensor, axis: try call.int(1, "dim"), call)
      }
      guard let rank = tensor.rank else {
        throw call.failure("a tensor of unknown rank", because: "its sizes can't be counted")
      }
      return .list((0..<rank).map { t.size(of: tensor, axis: $0, call) })
    case "dim", "ndimension":
      guard let rank = try call.tensor(0, "self").rank else {
        throw call.failure("a tensor of unknown rank", because: "its axes can't be counted")
      }
      return .int(rank)
    case "is_nested", "is_grad_enabled", "is_inference", "is_quantized", "is_sparse":
      return .bool(false)
    case "is_autocast_enabled":
      // If true, attention is written with plain operators.
      return .bool(true)
    case "len":
      if case .text(let text)? = call.value(0) { return .int(text.unicodeScalars.count) }
      guard let list = call.list(0) else { return t.size(of: try call.tensor(0), axis: 0, call) }
      return .int(list.count)
    case "int", "Int", "NumToTensor", "scalar_tensor", "tensor", "item", "ScalarImplicit",
      "IntImplicit",
      "sym_size_int", "_local_scalar_dense", "list":
      if call.name == "tensor", let numbers = call.list(0), !numbers.isEmpty {
        return try array(&t, numbers, call)
      }
      return call.value(0)
    case "zeros", "new_zeros", "zeros_like", "ones", "new_ones", "ones_like", "full", "full_like",
      "new_full", "empty", "empty_like":
      return .tensor(try filled(&t, call))
    case "add", "sub", "mul", "floordiv", "floor_divide", "remainder", "neg", "eq", "ne", "lt",
      "gt", "le", "ge",
      "__not__", "__is__", "__isnot__", "__and__", "__or__", "floor", "truediv", "div":
      return known(call)
    case "arange": return try range(&t, call)
    case "linspace": return .tensor(try evenly(&t, call))
    case "triu", "tril":
      let x = try call.tensor(0, "self")
      let diagonal = t.scalar(Double(try call.int(1, "diagonal", default: 0)), isWhole: true)
      return .tensor(
        t.emit(
          "Trilu", [x, diagonal], ["upper": .integer(call.name == "triu" ? 1 : 0)], rank: x.rank,
          isWhole: x.isWhole, of: call))
    default: return nil
    }
  }

  /// `torch.tensor([…])` of known numbers.
  private static func array(
    _ t: inout AtenTranslation, _ values: [AtenValue], _ call: AtenCall
  ) throws(ImportError) -> AtenValue {
    let numbers = values.compactMap { value -> Double? in
      if case .bool(let value) = value { return value ? 1 : 0 }
      return double(value)
    }
    guard numbers.count == values.count else {
      throw call.failure("other than known numbers", because: "an array is made of such")
    }
    let isFloat = values.contains { if case .float = $0 { true } else { false } }
    let tensor = SourceTensor(
      shape: [numbers.count], kind: isFloat ? .float : .integer, elements: numbers)
    return .tensor(t.constant(SourceConstant(tensor), named: "numbers"))
  }

  /// The result of arithmetic on known numbers; nil if an operand is a tensor.
  private static func known(_ call: AtenCall) -> AtenValue? {
    switch call.name {
    case "__is__": return isSame(call).map { .bool($0) }
    case "__isnot__": return isSame(call).map { .bool(!$0) }
    case "__not__":
      guard case .bool(let value)? = call.value(0) else { return nil }
      return .bool(!value)
    case "neg":
      switch call.value(0) {
      case .int(let value)?: return .int(-value)
      case .float(let value)?: return .float(-value)
      default: return nil
      }
    default: break
    }
    if case .text(let a)? = call.value(0), case .text(let b)? = call.value(1) {
      return call.name == "eq" ? .bool(a == b) : call.name == "ne" ? .bool(a != b) : nil
    }
    if case .bool(let a)? = call.value(0), case .bool(let b)? = call.value(1) {
      switch call.name {
      case "__and__": return .bool(a && b)
      case "__or__": return .bool(a || b)
      case "eq": return .bool(a == b)
      case "ne": return .bool(a != b)
      default: return nil
      }
    }
    if case .int(let a)? = call.value(0), case .int(let b)? = call.value(1) {
      return whole(call.name, a, b)
    }
    if call.name == "add", case .list(let a)? = call.value(0), case .list(let b)? = call.value(1),
      a.count + b.count <= AtenListRoom.maxElements
    {
      return .list(a + b)
    }
    guard let a = double(call.value(0)), let b = double(call.value(1)) else { return nil }
    switch call.name {
    case "add": return .float(a + b)
    case "sub": return .float(a - b)
    case "mul": return .float(a * b)
    case "div", "truediv": return .float(a / b)
    default: return comparison(call.name, a, b)
    }
  }

  private static func comparison<Number: Comparable>(
    _ name: String, _ a: Number, _ b: Number
  ) -> AtenValue? {
    switch name {
    case "eq": .bool(a == b)
    case "ne": .bool(a != b)
    case "lt": .bool(a < b)
    case "gt": .bool(a > b)
    case "le": .bool(a <= b)
    case "ge": .bool(a >= b)
    default: nil
    }
  }

  /// Whether the operands are one object: both None, or one tensor; nil if that is not known.
  private static func isSame(_ call: AtenCall) -> Bool? {
    if case .tensor(let a)? = call.value(0), case .tensor(let b)? = call.value(1) {
      return a.name == b.name
    }
    guard let a = isNone(call.value(0)), let b = isNone(call.value(1)), a || b else { return nil }
    return a == b
  }

  /// Whether a value is None; nil if that is known only when the model runs.
  private static func isNone(_ value: AtenValue?) -> Bool? {
    switch value {
    case nil: nil
    case .some(.none): true
    case .tensor, .int, .float, .bool, .text, .list, .dictionary, .packed, .batchSizes,
      .permutation, .other:
      false
    }
  }

  private static func double(_ value: AtenValue?) -> Double? {
    switch value {
    case .int(let value)?: Double(value)
    case .float(let value)?: value
    default: nil
    }
  }

  private static func whole(_ name: String, _ a: Int, _ b: Int) -> AtenValue? {
    switch name {
    case "add": return .int(SourceTensor.integer(a + b))
    case "sub": return .int(SourceTensor.integer(a - b))
    case "mul": return .int(SourceTensor.integer(Double(a) * Double(b)))
    case "div", "truediv": return b == 0 ? nil : .float(Double(a) / Double(b))
    case "floordiv", "floor_divide":
      guard b != 0 else { return nil }
      return .int((Double(a) / Double(b)).rounded(.down) == Double(a / b) ? a / b : a / b - 1)
    case "remainder":
      guard b != 0 else { return nil }
      // As in Python it has the sign of the divisor.
      let rest = a % b
      return .int(rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest)
    case "eq": return .bool(a == b)
    case "ne": return .bool(a != b)
    case "lt": return .bool(a < b)
    case "gt": return .bool(a > b)
    case "le": return .bool(a <= b)
    case "ge": return .bool(a >= b)
    default: return nil
    }
  }

  /// Whether the type that a call asks for is one of whole numbers; nil if it asks for none.
  private static func isWholeType(_ call: AtenCall) -> Bool? {
    guard case .int(let type)? = call.value(-1, "dtype") else { return nil }
    return !AtenShapes.floatTypes.contains(type)
  }

  /// An array with all elements equal.
  private static func filled(_ t: inout AtenTranslation, _ call: AtenCall) throws(ImportError)
    -> AtenTensor
  {
    let isLike = call.name.hasSuffix("_like")
    let sizesAt = call.name.hasPrefix("new_") ? 1 : 0
    var value = call.name.contains("ones") ? 1.0 : 0.0
    if call.name.contains("full") {
      value = try call.number(isLike ? 1 : sizesAt + 1, "fill_value")
    }
    let isWhole = isWholeType(call) ?? false
    if isWhole { value.round(.towardZero) }
    let fill = SourceConstant(
      SourceTensor(shape: [1], kind: isWhole ? .integer : .float, elements: [value]))
    let shape: AtenTensor
    var rank: Int?
    if isLike {
      let tensor = try call.tensor(0, "self")
      shape = t.emit("Shape", [tensor], rank: 1, isWhole: true, of: call)
      rank = tensor.rank
    } else {
      guard let sizes = call.list(sizesAt, "size") else {
        throw call.failure("no sizes", because: "it needs a list of them")
      }
      shape = try t.sizes(sizes, call)
      rank = sizes.count
    }
    let filled = t.emit(
      "ConstantOfShape", [shape], ["value": .tensor(fill)], rank: rank, isWhole: isWhole, of: call)
    guard case .int(AtenShapes.booleanType)? = call.value(-1, "dtype") else { return filled }
    return t.asBoolean(filled, call)
  }

  private static func range(_ t: inout AtenTranslation, _ call: AtenCall) throws(ImportError)
    -> AtenValue
  {
    let values = (0..<min(call.count, 3)).compactMap { call.value($0) }.filter { value in
      switch value {
      case .int, .float, .tensor: true
      case .none, .bool, .text, .list, .dictionary, .packed, .batchSizes, .permutation, .other:
        false
      }
    }
    guard (1...3).contains(values.count) else {
      throw call.failure("no numbers", because: "it needs some")
    }
    let start = try t.operand(values.count > 1 ? values[0] : .int(0), call)
    let end = try t.operand(values.count > 1 ? values[1] : values[0], call)
    let step = try t.operand(values.count > 2 ? values[2] : .int(1), call)
    // Without a type, floats among the numbers make floats.
    let isWhole = isWholeType(call) ?? [start, end, step].allSatisfy(\.isWhole)
    let numbers = t.emit("Range", [start, end, step], rank: 1, isWhole: true, of: call)
    guard !isWhole else { return .tensor(numbers) }
    return .tensor(t.emit("Cast", [numbers], ["to": .integer(1)], rank: 1, of: call))
  }

  /// Numbers at equal distances: the first half counted from the start, the second from the end, as PyTorch does.
  private static func evenly(_ t: inout AtenTranslation, _ call: AtenCall) throws(ImportError)
    -> AtenTensor
  {
    let (start, end) = (try call.number(0, "start"), try call.number(1, "end"))
    if case .tensor(let count)? = call.value(2, "steps") {
      // Of a number that comes from sizes: places · (end − start) / (count − 1) + start.
      let places = t.emit(
        "Range",
        [t.scalar(0, isWhole: true), count, t.scalar(1, isWhole: true)], rank: 1, isWhole: true,
        of: call)
      let others = try AtenElementwise.two(&t, "Sub", .tensor(count), .int(1), call)
      let wide = try AtenElementwise.two(&t, "Mul", .tensor(places), .float(end - start), call)
      let float = t.emit("Cast", [others], ["to": .integer(1)], rank: others.rank, of: call)
      let shares = try AtenElementwise.two(&t, "Div", .tensor(wide), .tensor(float), call)
      return try AtenElementwise.two(&t, "Add", .tensor(shares), .float(start), call)
    }
    let count = try call.int(2, "steps")
    guard (1...SourceTensor.maxElements).contains(count) else {
      throw call.failure(
        "\(count) numbers", because: "there are 1 to \(SourceTensor.maxElements)")
    }
    let step = count > 1 ? (end - start) / Double(count - 1) : 0
    let numbers = (0..<count).map { index in
      index < count / 2 || count == 1
        ? start + Double(index) * step : end - Double(count - 1 - index) * step
    }
    return t.constant(
      SourceConstant(SourceTensor(shape: [count], kind: .float, elements: numbers)),
      named: "linspace")
  }
}
