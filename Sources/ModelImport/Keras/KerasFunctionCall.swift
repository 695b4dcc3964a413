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
    return Self.constant(call.arguments[position])
  }

  /// An argument without tensors.
  static func constant(_ operand: KerasCall.Operand) -> JSONValue? {
    switch operand {
    case .constant(let value): value
    case .list(let operands): constants(operands)
    case .value, .dictionary: nil
    }
  }

  private static func constants(_ operands: [KerasCall.Operand]) -> JSONValue? {
    var values: [JSONValue] = []
    for operand in operands {
      guard let value = constant(operand) else { return nil }
      values.append(value)
    }
    return .array(values)
  }

  /// A number that the function takes, behind the tensor or by name.
  func number(
    _ key: String, position: Int = 1, standard: Float? = nil
  ) throws(ImportError) -> Float {
    guard let value = constant(key, position: position), value != .null else {
      if let standard { return standard }
      throw call.layer.refusal("\(key): found none in the file, expected a number")
    }
    guard let number = value.number.map(Float.init), number.isFinite else {
      throw call.layer.refusal("\(key): found \(value.kind), expected a number")
    }
    return number
  }

  /// The tensor of a function that has no parameters but those.
  func value(besides keys: [String]) throws(ImportError) -> KerasValue {
    let known = keys + ["name", "dtype", "trainable", "function"]
    let given =
      call.layer.members.filter { $0.value != .null }.map(\.key)
      + call.named.filter { Self.constant($0.value).map { $0 != .null } ?? false }.map(\.key)
    if let key = given.first(where: { !known.contains($0) }) {
      throw call.layer.refusal(
        "found \(key.jsonExcerpt), expected "
          + (keys.isEmpty ? "a tensor alone" : "a tensor and \(keys.joined(separator: ", "))"))
    }
    let positional = call.arguments.dropFirst().compactMap(Self.constant).filter { $0 != .null }
    guard positional.count <= keys.count else {
      throw call.layer.refusal(
        "found \(positional.count) numbers behind the tensor, expected \(keys.count)")
    }
    return try value()
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
    guard let first = call.arguments.first ?? call["x1"] ?? call["x"] else { return false }
    return Self.constant(first) != nil
  }
}
