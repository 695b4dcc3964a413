import ModelFormat

/// Norms with a mean and a variance for each step of a sequence of a fixed length: `Normalization(axis=(1, 2))`, `BatchNormalization(axis=1)`.
enum KerasStepNorms {
  /// - Parameter weights: those of BatchNormalization, by name, a number for each step.
  static func batch(
    _ weights: [String: [Float]], of value: KerasValue, steps: Int,
    _ translation: inout KerasTranslation, _ call: KerasCall
  ) throws(ImportError) -> KerasValue {
    let epsilon = try call.layer.number("epsilon", 1e-3)
    var (scale, shift): ([Float], [Float]) = ([], [])
    for step in 0..<steps {
      let factor =
        Double(weights["gamma"]?[step] ?? 1)
        / (Double(weights["moving_variance"]![step]) + epsilon).squareRoot()
      scale.append(Float(factor))
      shift.append(
        Float(Double(weights["beta"]?[step] ?? 0) - Double(weights["moving_mean"]![step]) * factor))
    }
    let shape = [1] + value.axes.indices.map { $0 == value.stepAxis ? steps : 1 }
    let scaled = try KerasTable(shape: shape, scale).combined(
      .multiply, with: value, isFirst: false, &translation, call, part: "scaled")
    return try KerasTable(shape: shape, shift).combined(
      .add, with: scaled, isFirst: false, &translation, call)
  }

  static func normalization(
    _ axes: [Int], of value: KerasValue, _ translation: inout KerasTranslation, _ call: KerasCall
  ) throws(ImportError) -> KerasValue {
    let layer = call.layer
    let places = Set(axes.map { $0 < 0 ? value.axes.count + $0 : $0 - 1 })
    var shape = [1]
    for (place, axis) in value.axes.enumerated() {
      switch axis {
      case .size(let size): shape.append(places.contains(place) ? size : 1)
      case .steps(let count?): shape.append(places.contains(place) ? count : 1)
      case .steps(nil):
        throw layer.refusal(
          "found the axes \(axes), a mean for each step, of sequences of any length",
          remedy: "adapt it with axis=-1, or \(KerasLength.remedy())")
      }
    }
    guard layer["mean"] == nil else {
      throw layer.refusal(
        "found a mean that is not adapted but given, with the axes \(axes), expected the axis -1",
        remedy: "leave it out and normalise what is sent")
    }
    let sizes = value.axes.indices.filter(places.contains).map { shape[$0 + 1] }
    let arrays = try call.weights.arrays(
      [("mean", sizes), ("variance", sizes), ("count", [])], of: layer)
    let (mean, scale) = (arrays[0], arrays[1].map { max($0.squareRoot(), 1e-7) })
    guard (mean + scale).allSatisfy(\.isFinite) else {
      throw layer.refusal("found a mean or variance that is no number: was adapt() called?")
    }
    let isInverse = try layer.bool("invert")
    let first = try KerasTable(shape: shape, isInverse ? scale : mean).combined(
      isInverse ? .multiply : .subtract, with: value, isFirst: false, &translation, call,
      part: "first")
    return try KerasTable(shape: shape, isInverse ? mean : scale).combined(
      isInverse ? .add : .divide, with: first, isFirst: false, &translation, call)
  }
}
