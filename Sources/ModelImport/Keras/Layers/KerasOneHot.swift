import JSON
import ModelFormat

/// Ids as rows of zeros with a one: `keras.ops.one_hot`, and CategoryEncoding.
enum KerasOneHot {
  /// The most ids: their rows are a matrix of as many columns.
  private static let maxIDs = 4096

  static let layer = KerasLayerKind("CategoryEncoding") { translation, call throws(ImportError) in
    let mode = try call.layer.text("output_mode") ?? "multi_hot"
    guard ["one_hot", "multi_hot", "count"].contains(mode), call.inputs.count == 1,
      call["count_weights"] == nil
    else { throw KerasLayerTable.refusal(of: call.layer) }
    let value = try call.input()
    let count = try call.layer.integer("num_tokens")
    // Of a single id, Keras answers its row alone.
    if mode == "one_hot", !value.hasSteps(1) {
      return [try rows(of: value, count: count, &translation, call)]
    }
    var part = call
    part.name = "\(call.name).rows"
    let rows = try rows(of: value, count: count, &translation, part)
    let op: ModelDescription.Op = mode == "count" ? .sum : .max
    return [rows.with(name: try translation.add(op, [rows], for: call), axes: [.size(count)])]
  }

  static let function: KerasFunctions.Function = { translation, function throws(ImportError) in
    let call = function.call
    let value = try function.value()
    let axis = function.constant("axis", position: 2)?.integer ?? -1
    let key = function.constant("num_classes") == nil ? "depth" : "num_classes"
    guard axis == -1 || axis == value.axes.count + 1,
      let count = function.constant(key, position: 1)?.integer
    else { throw call.layer.refusal("found no number of classes, or an axis that is not the last") }
    return try rows(of: value, count: count, takesNumbers: true, &translation, call)
  }

  /// - Parameter takesNumbers: whether the ids may also be elements of steps or vectors.
  private static func rows(
    of value: KerasValue, count: Int, takesNumbers: Bool = false,
    _ translation: inout KerasTranslation, _ call: KerasCall
  ) throws(ImportError) -> KerasValue {
    guard (1...maxIDs).contains(count) else {
      throw call.layer.refusal("found \(count) ids, expected 1 to \(maxIDs)")
    }
    guard case .input(let index) = value.content, value.axes.count == 1, !value.isStepped,
      !translation.inputs[index].isOfNumbers
    else {
      guard takesNumbers else {
        throw call.layer.refusal(
          "found ids of the sizes \(value.shape), expected an input of an id a step: (steps,)")
      }
      let result = try KerasLookup.rows(
        of: value, weights: nil, size: count, &translation, call)
      addTable(for: result.name, count: count, to: &translation)
      return result
    }
    try translation.inputs[index].declareTokens(size: count, for: call)
    var tokens = value
    tokens.content = .floats
    var result = value.with(name: try translation.add(.embedding, [tokens], for: call))
    addTable(for: result.name, count: count, to: &translation)
    let steps: Int? = if case .size(let count) = value.axes[0] { count } else { value.stepCount }
    result.axes = [.steps(steps), .size(count)]
    return result
  }

  private static func addTable(
    for node: String, count: Int, to translation: inout KerasTranslation
  ) {
    var rows = [Float](repeating: 0, count: count * count)
    for id in 0..<count { rows[id * count + id] = 1 }
    translation.add(tensor: "\(node).weight", shape: [count, count], rows)
  }
}
