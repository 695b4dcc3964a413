import JSON
import ModelFormat

/// `keras.ops.pad` and `tf.pad`: elements or steps at the ends of axes.
enum KerasPadding {
  static let pad: KerasFunctions.Function = { translation, function throws(ImportError) in
    let call = function.call
    var value = try translation.spreadOut(try function.value(), for: call)
    let given = function.constant("pad_width", position: 1) ?? function.constant("paddings")
    let pairs = given?.elements?.compactMap { ($0["config"]?["value"] ?? $0).integers } ?? []
    guard pairs.count == value.axes.count + 1, pairs[0] == [0, 0],
      pairs.allSatisfy({ $0.count == 2 && $0.allSatisfy(KerasLayer.ends.contains) })
    else {
      throw call.layer.refusal(
        "found \(given?.text ?? "none") as what is added to the axes of \(value.shape), expected two numbers for each, none to the "
          + "batch: ((0, 0), (1, 0), (0, 0))")
    }
    let name = (function.constant("mode", position: 2)?.string ?? "constant").lowercased()
    let number = function.constant("constant_values", position: 3)?.number ?? 0
    for (axis, ends) in pairs.dropFirst().enumerated() where ends != [0, 0] {
      let (before, after) = (ends[0], ends[1])
      guard case .size(let size) = value.axes[axis] else {
        guard name == "constant" || ["reflect", "edge"].contains(name) else {
          throw call.layer.refusal(
            "mode: found \(name.jsonExcerpt), expected \"constant\", \"reflect\" or \"edge\"")
        }
        let mode = name == "constant" ? nil : PadOp.Mode(rawValue: name)
        let op = ModelDescription.Op.padSteps(
          before: before, after: after, mode: mode, value: Float(number))
        var axes = value.axes
        axes[axis] = .steps(value.stepCount.map { $0 + before + after })
        value = value.with(name: try translation.add(op, [value], for: call), axes: axes)
        continue
      }
      guard name == "constant" else {
        throw call.layer.refusal(
          "mode: found \(name.jsonExcerpt) for elements, expected \"constant\"")
      }
      value = try elements(
        value, axis, size, before, after, Float(number), &translation, call)
    }
    return value
  }

  /// Numbers at the ends of an axis of elements, which goes ahead of the others for that.
  private static func elements(
    _ value: KerasValue, _ axis: Int, _ size: Int, _ before: Int, _ after: Int, _ number: Float,
    _ translation: inout KerasTranslation, _ call: KerasCall
  ) throws(ImportError) -> KerasValue {
    let order = [axis] + value.axes.indices.filter { $0 != axis }
    let turned = try KerasShapeLayers.permuted(value, order, &translation, call, part: "turned")
    let row = value.size / size
    let op = ModelDescription.Op.pad(
      before: before * row, after: after * row, mode: nil, value: number)
    var result = try translation.map(op, turned, for: call, part: "padded")
    result.axes = turned.axes
    result.axes[0] = .size(before + size + after)
    try result.check(call.layer)
    let back = order.indices.map { place in order.firstIndex(of: place)! }
    return try KerasShapeLayers.permuted(result, back, &translation, call)
  }
}
