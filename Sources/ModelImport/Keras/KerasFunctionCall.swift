import JSON

/// A call of a function, with positional and named tensors and constants.
struct KerasFunctionCall {
  let call: KerasCall

  init(_ call: KerasCall) { self.call = call }

  /// All tensors, positional or named.
  var values: [KerasValue] {
    call.inputs + call.named.flatMap(\.value.values)
  }

  func value() throws(ImportError) -> KerasValue {
    guard let value = values.first else { throw call.layer.refusal("found no tensor") }
    return value
  }

  /// The call with all tensors as positional arguments.
  func withValues() -> KerasCall {
    var call = call
    call.arguments = values.map { .value($0) }
    return call
  }

  /// A constant argument, by name or position; classes of Keras 3 keep it in their configuration.
  func constant(_ key: String, position: Int? = nil) -> JSONValue? {
    if case .constant(let value)? = call[key] { return value }
    if case .list(let operands)? = call[key] { return Self.constants(operands) }
    if let value = call.layer[key] { return value }
    guard let position, position < call.arguments.count else { return nil }
    switch call.arguments[position] {
    case .constant(let value): return value
    case .list(let operands): return Self.constants(operands)
    case .value: return nil
    }
  }

  private static func constants(_ operands: [KerasCall.Operand]) -> JSONValue? {
    var values: [JSONValue] = []
    for operand in operands {
      switch operand {
      case .constant(let value): values.append(value)
      case .list(let operands):
        guard let value = constants(operands) else { return nil }
        values.append(value)
      case .value: return nil
      }
    }
    return .array(values)
  }

  func bool(_ key: String) throws(ImportError) -> Bool {
    if case .bool(let value)? = constant(key) ?? constant("keep_dims") { return value }
    return false
  }

  func integers(_ key: String, position: Int? = nil) throws(ImportError) -> [Int]? {
    guard let value = constant(key, position: position), value != .null else { return nil }
    let plain = value["items"] ?? value["config"]?["value"] ?? value
    guard let integers = plain.integers, integers.allSatisfy({ abs($0) <= KerasLayer.maxSize })
    else {
      throw call.layer.refusal("\(key): found \(value.kind), expected whole numbers")
    }
    return integers
  }

  /// The indices of the axes that the call names, without the batch; nil for the batch.
  func axes(of value: KerasValue, standard: Int? = nil) throws(ImportError) -> [Int?] {
    let axes = try integers("axis", position: 1) ?? standard.map { [$0] } ?? []
    var places: [Int?] = []
    for axis in axes {
      let place = axis < 0 ? value.axes.count + axis : axis - 1
      guard value.axes.indices.contains(place) || axis == 0 else {
        throw call.layer.refusal("axis: found \(axis) of the sizes \(value.shape)")
      }
      places.append(axis == 0 ? nil : place)
    }
    return places
  }

  // MARK: Numbers

  /// The constant beside the tensor.
  var number: Float? {
    let constants =
      call.arguments.compactMap { if case .constant(let value) = $0 { value.number } else { nil } }
      + ["y", "x", "x1", "x2", "a", "b"].compactMap { key in
        if case .constant(let value)? = call[key] { value.number } else { nil }
      }
    return values.count == 1 ? constants.first.map(Float.init) : nil
  }

  var isNumberFirst: Bool {
    if case .constant? = call.arguments.first { return true }
    if case .constant? = call["x1"] ?? call["x"] { return call.arguments.isEmpty }
    return false
  }

  // MARK: Keys of x[…]

  enum Key {
    case index(Int)
    case slice(Int?, Int?, Int?)

    /// Start, end and stride, and whether the axis stays.
    func range(
      of size: Int, in layer: KerasLayer
    ) throws(ImportError) -> (start: Int, end: Int, stride: Int, keeps: Bool) {
      switch self {
      case .index(let index):
        let place = index < 0 ? size + index : index
        guard (0..<size).contains(place) else {
          throw layer.refusal("found the element \(index) of \(size)")
        }
        return (place, place + 1, 1, false)
      case .slice(let start, let end, let step):
        let stride = step ?? 1
        func place(_ index: Int) -> Int { min(max(index < 0 ? size + index : index, 0), size) }
        let (first, last) = (place(start ?? 0), place(end ?? size))
        guard stride > 0, first < last else {
          throw layer.refusal("found no elements of \(size) in a slice")
        }
        return (first, last, stride, true)
      }
    }
  }

  /// The keys in the brackets, the batch's first.
  func keys() throws(ImportError) -> [Key] {
    let value = constant("key", position: 1) ?? constant("slice_spec")
    let items = value?["items"]?.elements ?? value?.elements ?? value.map { [$0] } ?? []
    var keys: [Key] = []
    for item in items {
      if let index = item.integer {
        keys.append(.index(index))
      } else if let members = (item["config"] ?? item).members,
        members.contains(where: { $0.key == "start" || $0.key == "stop" })
      {
        let parts = item["config"] ?? item
        keys.append(
          .slice(parts["start"]?.integer, parts["stop"]?.integer, parts["step"]?.integer))
      } else {
        throw call.layer.refusal("found \(item.text) in the brackets, expected a number or a slice")
      }
    }
    return keys
  }
}
