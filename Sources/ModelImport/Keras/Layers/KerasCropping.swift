import ModelFormat

/// Sequences of as many steps as each other in a model of a fixed number of steps, as a U-Net's: of one that came of pools and strides, the
/// graph does not know it, and it is cropped to one that did not.
enum KerasCropping {
  static func cropped(
    _ values: [KerasValue], _ translation: inout KerasTranslation, _ call: KerasCall
  ) throws(ImportError) -> [KerasValue] {
    guard translation.mode == .cropping, values.allSatisfy({ $0.stepAxis == 0 }),
      let steps = values.first?.stepCount, values.allSatisfy({ $0.stepCount == steps }),
      let like = values.min(by: { $0.resizes < $1.resizes }),
      values.contains(where: { $0.resizes > 0 })
    else { return values }
    var result: [KerasValue] = []
    for (index, value) in values.enumerated() {
      guard value.resizes > 0, value.name != like.name else {
        result.append(value)
        continue
      }
      KerasLength.keep(&translation, like, steps: steps, in: call.layer)
      var one = value.with(
        name: try translation.add(.cropOrPad(), [value, like], for: call, part: "cropped.\(index)"))
      (one.origin, one.resizes) = (like.origin, like.resizes)
      result.append(one)
    }
    return result
  }
}
