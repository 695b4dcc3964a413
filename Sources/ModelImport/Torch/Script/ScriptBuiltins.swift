/// TorchScript functions that don't compute tensors: their results are known at once.
enum ScriptBuiltins {
  typealias Value = ScriptExecution.Value

  /// The result of a call; nil for other functions.
  static func value(of name: String, _ values: [Value]) -> Value? {
    // A named tuple is a tuple.
    if name.hasSuffix(".PackedSequence") { return .plain(.list(values.map(\.plain))) }
    switch name {
    case "isinstance":
      guard let first = values.first, case .callable(let type)? = values.dropFirst().first else {
        return nil
      }
      return .plain(.bool(isInstance(first.plain, of: type)))
    case "annotate", "unchecked_cast": return values.last ?? .plain(.none)
    case "uninitialized": return .plain(.none)
    case "torch.device", "ops.prim.device", "torch.format": return .plain(.other(name))
    // Tensors are dense ones, on the CPU.
    case "ops.prim.layout": return .plain(.int(0))
    case "ops.prim.type": return .plain(.text("cpu"))
    case "ops.prim.dtype":
      guard case .tensor(let tensor)? = values.first?.plain else { return .plain(.int(6)) }
      return .plain(.int(tensor.isWhole ? 4 : 6))
    case "ops.prim.data", "ops.prim.TupleUnpack": return values.first ?? .plain(.none)
    // Of `range(start, end, step)`: its count, and the number at an index.
    case "torch.__range_length":
      guard let numbers = integers(values, 3), numbers[2] != 0 else { return nil }
      let (start, end, step) = (numbers[0], numbers[1], numbers[2])
      let distance = step > 0 ? end - start : start - end
      return .plain(.int(max((distance + abs(step) - 1) / abs(step), 0)))
    case "torch.__derive_index":
      guard let numbers = integers(values, 3) else { return nil }
      return .plain(.int(numbers[1] + numbers[0] * numbers[2]))
    case "torch.__contains__": return contains(values.map(\.plain))
    default: return nil
    }
  }

  private static func isInstance(_ value: AtenValue, of type: String) -> Bool {
    switch value {
    case .tensor, .packed, .batchSizes, .permutation: type == "Tensor"
    case .int: type == "int"
    case .float: type == "float"
    case .bool: type == "bool"
    case .text: type == "str"
    case .none, .list, .dictionary, .other: false
    }
  }

  /// Whole numbers that are known; nil if one is not, or for another count of them.
  private static func integers(_ values: [Value], _ count: Int) -> [Int]? {
    let numbers = values.compactMap { value -> Int? in
      if case .int(let number) = value.plain, abs(Double(number)) < 1e9 { number } else { nil }
    }
    return numbers.count == count && values.count == count ? numbers : nil
  }

  private static func contains(_ values: [AtenValue]) -> Value {
    guard values.count == 2, case .list(let list) = values[0] else {
      return .plain(.other("whether it is among them"))
    }
    switch values[1] {
    case .int(let wanted):
      return .plain(.bool(list.contains { if case .int(wanted) = $0 { true } else { false } }))
    case .text(let wanted):
      return .plain(.bool(list.contains { if case .text(wanted) = $0 { true } else { false } }))
    default: return .plain(.other("whether it is among them"))
    }
  }
}

extension ScriptExecution.Value {
  /// The value as an operator's argument.
  var plain: AtenValue {
    switch self {
    case .plain(let value): value
    case .object: .other("a module")
    case .callable(let name): .other(name)
    }
  }
}
