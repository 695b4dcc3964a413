import ModelFormat

/// Products of two values: `matmul`, and `einsum` with one letter that is summed.
enum KerasProducts {
  static let all: [String: KerasFunctions.Function] = ["matmul": matmul, "einsum": einsum]

  private static let matmul: KerasFunctions.Function = {
    translation, function throws(ImportError) in
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
    let sides = text.replacing(" ", with: "").split(separator: ">")
    guard sides.count == 2, call.inputs.count == 2, sides[0].last == "-" else { throw refusal }
    let operands = sides[0].dropLast().split(separator: ",").map(Array.init)
    let output = Array(sides[1])
    guard operands.count == 2, let batch = output.first,
      operands.allSatisfy({ $0.first == batch && Set($0).count == $0.count }),
      zip(operands, call.inputs).allSatisfy({ $0.count == $1.axes.count + 1 })
    else { throw refusal }
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
