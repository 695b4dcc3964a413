import JSON

/// `data_format="channels_first"` of any layer that has it: the channels, which are the first axis, go behind the others, and back where
/// the result has as many axes.
enum KerasChannelsFirst {
  static func translate(
    _ kind: KerasLayerKind, _ translation: inout KerasTranslation, _ call: KerasCall
  ) throws(ImportError) -> [KerasValue] {
    let rank = call.inputs.first?.axes.count ?? 0
    guard isSet(call.layer), call.inputs.count == 1, rank > 1 else {
      return try kind.translate(&translation, call)
    }
    var last = call
    last.arguments = [.value(try channelsLast(try call.input(), &translation, call))]
    var results = try kind.translate(&translation, last)
    for (index, result) in results.enumerated() where result.axes.count == rank {
      results[index] = try KerasShapeLayers.permuted(
        result, [rank - 1] + Array(0..<(rank - 1)), &translation, call, part: "channels_first")
    }
    return results
  }

  /// Keras 1 has another name and word.
  private static func isSet(_ layer: KerasLayer) -> Bool {
    layer["data_format"]?.string == "channels_first" || layer["dim_ordering"]?.string == "th"
  }

  private static func channelsLast(
    _ value: KerasValue, _ translation: inout KerasTranslation, _ call: KerasCall
  ) throws(ImportError) -> KerasValue {
    let turned = try KerasShapeLayers.permuted(
      translation.withoutMask(value, for: call), Array(1..<value.axes.count) + [0], &translation,
      call, part: "channels_last")
    guard turned.axes.last != .steps(nil) else {
      throw call.layer.refusal(
        "data_format: found channels_first, which takes the steps for channels, of sequences of any length",
        remedy: KerasLength.remedy())
    }
    return try KerasFrameSteps.frame(turned, &translation, call)
  }
}
