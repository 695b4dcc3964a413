import JSON
import ModelFormat

/// An array of numbers beside a value: `x * weights`, a table of positions that is added.
struct KerasTable {
  let shape: [Int]
  let floats: [Float]

  init(shape: [Int], _ floats: [Float]) {
    self.shape = shape
    self.floats = floats
  }

  /// The array among a function's arguments, if there is one tensor besides; else nil.
  init?(_ function: KerasFunctionCall) {
    guard function.values.count == 1 else { return nil }
    let operands = function.call.arguments + function.call.named.map(\.value)
    let arrays = operands.compactMap { KerasFunctionCall.constant($0) }.compactMap { Self($0) }
    guard arrays.count == 1 else { return nil }
    self = arrays[0]
  }

  /// Nested arrays, as Keras 2 writes them, or Keras 3's object with such. True is 1.
  init?(_ json: JSONValue) {
    var value = json
    if let name = json["class_name"]?.string {
      guard name == "__tensor__" || name == "__numpy__", let inner = json["config"]?["value"]
      else { return nil }
      value = inner
    }
    var shape: [Int] = []
    var level = [value]
    while let first = level.first?.elements {
      guard shape.count < 8 else { return nil }
      shape.append(first.count)
      var next: [JSONValue] = []
      for one in level {
        guard let elements = one.elements, elements.count == first.count else { return nil }
        next += elements
      }
      level = next
    }
    let numbers = level.compactMap { $0 == .bool(true) ? 1 : $0 == .bool(false) ? 0 : $0.number }
    guard !shape.isEmpty || json["class_name"] != nil, numbers.count == level.count,
      !numbers.isEmpty, numbers.count <= KerasLayer.maxSize
    else { return nil }
    self.init(shape: shape, numbers.map { Float($0) })
  }

  /// The op of a value and the array, broadcast to the value's sizes.
  func combined(
    _ op: ModelDescription.Op, with given: KerasValue, isFirst: Bool,
    _ translation: inout KerasTranslation, _ call: KerasCall, part: String? = nil
  ) throws(ImportError) -> KerasValue {
    let value = try widened(try translation.spreadOut(given, for: call), &translation, call)
    let table = try node(like: value, &translation, call)
    let operands = isFirst ? [table, value] : [value, table]
    return try translation.combine(op, operands, as: value, for: call, part: part)
  }

  /// The value with its axes of 1 as long as the array's.
  private func widened(
    _ value: KerasValue, _ translation: inout KerasTranslation, _ call: KerasCall
  ) throws(ImportError) -> KerasValue {
    var result = value
    for (place, size) in zip(value.axes.indices.reversed(), shape.reversed())
    where size > 1 && [.size(1), .steps(1)].contains(value.axes[place]) {
      if value.axes[place] == .steps(1), place == 0, !value.isStepped {
        result = try KerasMergeLayers.vector(ofStep: result, &translation, call, part: "step")
      }
      result = try KerasSlicing.arranged(
        result, place, Array(repeating: 0, count: size), &translation, call)
    }
    return result
  }

  /// The numbers beside the elements of a step, the same at each.
  func row(like value: KerasValue, _ call: KerasCall) throws(ImportError) -> [Float] {
    row(step: 0, of: try whole(like: value, call), in: value)
  }

  /// The array's sizes with those of 1 that Keras puts before them, which fit those of a value.
  private func whole(like value: KerasValue, _ call: KerasCall) throws(ImportError) -> [Int] {
    let whole = Array(repeating: 1, count: max(value.axes.count + 1 - shape.count, 0)) + shape
    let refusal = call.layer.refusal(
      "found an array of the sizes \(shape) beside a value of the sizes \(value.shape), which don't fit"
    )
    guard whole.count == value.axes.count + 1, whole[0] == 1, !value.isStepped || whole.count > 1
    else { throw refusal }
    for (size, axis) in zip(whole.dropFirst(), value.axes) where size != 1 {
      switch axis {
      case .size(size), .steps(size): break
      case .steps(nil):
        throw call.layer.refusal(
          "found an array of \(size) steps beside sequences of any length",
          remedy: KerasLength.remedy(steps: "\(size)"))
      default: throw refusal
      }
    }
    return whole
  }

  /// The array as a value of the sizes of another: a vector's elements at each step, or a row for each.
  private func node(
    like value: KerasValue, _ translation: inout KerasTranslation, _ call: KerasCall
  ) throws(ImportError) -> KerasValue {
    let whole = try whole(like: value, call)
    let steps = value.stepAxis.map { whole[$0 + 1] } ?? 1
    let rows = (0..<steps).map { row(step: $0, of: whole, in: value) }
    guard steps > 1 else {
      return try translation.map(
        .affine(scale: Array(repeating: 0, count: value.size), shift: rows[0]), value, for: call,
        part: "array")
    }
    return try Self.steps(rows, like: value, &translation, call)
  }

  /// The numbers beside the elements of a step.
  private func row(step: Int, of whole: [Int], in value: KerasValue) -> [Float] {
    var places = [0]
    for (index, axis) in value.axes.enumerated() {
      let size = whole[index + 1]
      let stride = whole[(index + 2)...].reduce(1, *)
      switch axis {
      case .steps: places = places.map { $0 + (size == 1 ? 0 : step) * stride }
      case .size(let count):
        places = places.flatMap { place in
          (0..<count).map { place + (size == 1 ? 0 : $0) * stride }
        }
      }
    }
    return places.map { floats[$0] }
  }

  /// A row at each step, for sequences of that many steps alone: a one at the first step, where a convolution puts its kernel, turned
  /// round.
  private static func steps(
    _ rows: [[Float]], like value: KerasValue, _ translation: inout KerasTranslation,
    _ call: KerasCall
  ) throws(ImportError) -> KerasValue {
    KerasLength.keep(&translation, value, steps: rows.count, in: call.layer)
    var one = value
    one.axes = [.steps(rows.count), .size(value.size)]
    func add(
      _ op: ModelDescription.Op, _ inputs: [KerasValue], _ part: String
    ) throws(ImportError) -> KerasValue {
      one.with(name: try translation.add(op, inputs, for: call, part: part))
    }
    let first = try add(.slice(start: 0, end: 1), [one], "element")
    let ones = try add(.affine(scale: [0], shift: [1]), [first], "ones")
    let later = try add(.shift(steps: 1), [ones], "later")
    let start = try add(.subtract, [ones, later], "start")
    let table = try add(.conv(), [start], "array")
    translation.add(
      tensor: "\(table.name).weight", shape: [value.size, 1, rows.count],
      (0..<value.size).flatMap { element in rows.reversed().map { $0[element] } })
    return value.with(name: table.name)
  }
}
