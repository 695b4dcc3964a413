import ModelFormat

/// Products of two values: `matmul`, and `einsum` with one letter that is summed; and of a value's last axis with an array.
enum KerasProducts {
  static let all: [String: KerasFunctions.Function] = [
    "matmul": matmul, "dot": dot, "tensordot": tensordot, "einsum": einsum,
  ]

  private static let matmul: KerasFunctions.Function = {
    translation, function throws(ImportError) in
    if let product = try product(&translation, function) { return product }
    let call = function.withValues()
    guard call.inputs.count == 2, call.inputs.allSatisfy({ $0.axes.count == 2 }) else {
      throw call.layer.refusal(
        "found the sizes \(shapes(call)), expected two values of two sizes each")
    }
    if case .constant(.bool(true))? = call["transpose_b"] {
      return try KerasDot(call.layer, axes: [2, 2]).apply(&translation, call)
    }
    return try KerasDot(call.layer, axes: [2, 1]).apply(&translation, call)
  }

  /// The product of the last axis with an array that stands behind the value; nil where there is none.
  private static func product(
    _ translation: inout KerasTranslation, _ function: KerasFunctionCall
  ) throws(ImportError) -> KerasValue? {
    guard !function.isNumberFirst, let matrix = KerasTable(function) else { return nil }
    return try KerasDenseLayers.product(
      try function.value(), with: matrix, &translation, function.call)
  }

  private static let dot: KerasFunctions.Function = { translation, function throws(ImportError) in
    guard let product = try product(&translation, function) else {
      throw function.call.layer.refusal(
        "found the sizes \(shapes(function.withValues())), expected a value and an array, its matrix"
      )
    }
    return product
  }

  /// As `dot`, of the value's last axis.
  private static let tensordot: KerasFunctions.Function = {
    translation, function throws(ImportError) in
    let axes = function.constant("axes", position: 2) ?? .array([])
    let value = try function.value()
    let named = axes.elements?.compactMap { $0.integers?.first ?? $0.integer } ?? []
    guard axes.integer == 1 || named == [value.axes.count, 0] || named == [-1, 0] else {
      throw function.call.layer.refusal(
        "axes: found \(axes.text), expected 1: the value's last axis, and the array's first")
    }
    return try dot(&translation, function)
  }

  private static func shapes(_ call: KerasCall) -> String {
    call.inputs.map(\.shape).joined(separator: " and ")
  }

  private static let einsum: KerasFunctions.Function = {
    translation, function throws(ImportError) in
    let call = function.withValues()
    let text = function.constant("subscripts", position: 0)?.string ?? ""
    let refusal = call.layer.refusal(
      "found the subscripts \(text.jsonExcerpt) of the sizes \(shapes(call)), of which those are carried that sum one axis of "
        + "two values: bqd,bkd->bqk")
    let equation = text.replacing(" ", with: "")
    if KerasDenseLayers.productOfLast(equation) != nil,
      let product = try product(&translation, function)
    {
      return product
    }
    let sides = equation.split(separator: ">")
    guard sides.count == 2, call.inputs.count == 2, sides[0].last == "-" else { throw refusal }
    let operands = sides[0].dropLast().split(separator: ",").map(Array.init)
    let output = Array(sides[1])
    guard operands.count == 2, let batch = output.first,
      operands.allSatisfy({ $0.first == batch && Set($0).count == $0.count }),
      zip(operands, call.inputs).allSatisfy({ $0.count == $1.axes.count + 1 })
    else { throw refusal }
    if operands[0] == operands[1], output.starts(with: operands[0].dropLast()) {
      return try productsOfElements(&translation, call, isSum: output != operands[0])
    }
    let shared = operands[0].dropFirst().filter { operands[1].dropFirst().contains($0) }
    let summed = shared.filter { !output.contains($0) }
    guard summed.count == 1, shared.count == 1 else { throw refusal }
    let letter = summed[0]
    let rest = operands.map { $0.dropFirst().filter { $0 != letter } }
    let axes = operands.map { $0.firstIndex(of: letter)! }
    if output.dropFirst() == (rest[0] + rest[1])[...] {
      return try KerasDot(call.layer, axes: axes).apply(&translation, call)
    }
    guard output.dropFirst() == (rest[1] + rest[0])[...] else { throw refusal }
    var turned = call
    turned.arguments.reverse()
    return try KerasDot(call.layer, axes: axes.reversed()).apply(&translation, turned)
  }

  /// The products of two values' elements, or their sums over the last axis.
  private static func productsOfElements(
    _ translation: inout KerasTranslation, _ call: KerasCall, isSum: Bool
  ) throws(ImportError) -> KerasValue {
    let products = try KerasMergeLayers.elementwise(
      .multiply, &translation, call, part: isSum ? "products" : nil)
    guard isSum else { return products }
    let value = try translation.spreadOut(products, for: call)
    return try KerasReductions.reduced(
      .sum, value, over: [value.axes.count - 1], keeps: false, &translation, call)
  }

  /// Scores that are multiplied with a number or divided by it, as by the root of their size; nil for other values.
  static func scaled(_ function: KerasFunctionCall, _ op: ModelDescription.Op) -> KerasValue? {
    guard let number = function.number, number != 0, !function.isNumberFirst || op == .multiply,
      var value = function.values.first, case .scores(var scores) = value.content,
      !scores.isSoftmax
    else { return nil }
    scores.scale *= op == .multiply ? number : 1 / number
    value.content = .scores(scores)
    return value
  }
}
