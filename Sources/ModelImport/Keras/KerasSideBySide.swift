import ModelFormat

/// All steps of a sequence of a fixed length as one vector.
enum KerasSideBySide {
  /// Flattens all steps of a sequence to a vector, step by step.
  static func flat(
    _ value: KerasValue, steps: Int, _ translation: inout KerasTranslation, _ call: KerasCall
  ) throws(ImportError) -> String {
    let size = value.size / steps
    let sequence = value.with(name: value.name, axes: [.steps(steps), .size(size)])
    let channels = try channels(sequence, &translation, call)
    return try translation.add(.transpose(rows: size), [channels], for: call, part: "flat")
  }

  /// All steps of a sequence of a fixed length as a vector, channel by channel: by a convolution over all steps in which each
  /// output picks one element.
  static func channels(
    _ sequence: KerasValue, _ translation: inout KerasTranslation, _ call: KerasCall
  ) throws(ImportError) -> KerasValue {
    let (steps, size) = (sequence.stepCount ?? 1, sequence.size)
    let all = steps * size
    guard all * steps <= Self.maxPickedWeights else {
      throw call.layer.refusal(
        "found \(steps) steps of \(size) elements side by side, which only a Dense right behind the Flatten "
          + "can take where there are so many")
    }
    KerasLength.keep(&translation, sequence, steps: steps, in: call.layer)
    let picks = sequence.with(
      name: try translation.add(
        .conv(padding: .valid, groups: size), [sequence], for: call, part: "picks"))
    // Channel by channel, and within a channel step by step.
    var weight = [Float](repeating: 0, count: all * steps)
    for output in 0..<all { weight[output * steps + output % steps] = 1 }
    translation.add(tensor: "\(picks.name).weight", shape: [all, 1, steps], weight)
    return sequence.with(
      name: try translation.add(.last, [picks], for: call, part: "all"), axes: [.size(all)])
  }

  private static let maxPickedWeights = 1 << 22
}
