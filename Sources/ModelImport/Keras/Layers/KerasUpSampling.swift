import JSON
import ModelFormat

/// UpSampling1D and UpSampling2D: each place of an axis becomes several.
enum KerasUpSampling {
  static let all = [
    KerasLayerKind("UpSampling1D") { translation, call throws(ImportError) in
      let value = translation.withoutMask(
        try translation.spreadOut(try call.input(), for: call), for: call)
      guard value.axes.count == 2 else {
        throw call.refusal(of: value, expected: "(steps, channels)")
      }
      // Keras 1's name is length.
      let times = try call.layer.single(call.layer["size"] == nil ? "length" : "size", 2)
      return [try scaled(value, by: [times], isLinear: false, &translation, call)]
    },
    KerasLayerKind("UpSampling2D") { translation, call throws(ImportError) in
      let value = try KerasImageLayers.image(&translation, call)
      let times = try call.layer.integers("size") ?? [2, 2]
      guard (1...2).contains(times.count) else {
        throw call.layer.refusal("size: found \(times), expected two whole numbers")
      }
      return [
        try scaled(
          value, by: [times[0], times[times.count - 1]], isLinear: try isLinear(call.layer),
          &translation, call)
      ]
    },
  ]

  private static func isLinear(_ layer: KerasLayer) throws(ImportError) -> Bool {
    let interpolation = try layer.text("interpolation") ?? "nearest"
    let source = layer.source
    switch interpolation {
    case "nearest": return false
    // Some earlier ones place the columns otherwise.
    case "bilinear" where source.version == 3 || source.answersZeros && source.minor ?? .max >= 3:
      return true
    default:
      throw layer.refusal(
        "interpolation: found \(interpolation.jsonExcerpt), of which nearest is carried and, of TensorFlow 2.2 and later, bilinear",
        remedy: KerasModel.remedyInParts)
    }
  }

  /// Each of the first axes so many times as long.
  private static func scaled(
    _ given: KerasValue, by times: [Int], isLinear: Bool, _ translation: inout KerasTranslation,
    _ call: KerasCall
  ) throws(ImportError) -> KerasValue {
    var value = given
    for (axis, count) in times.enumerated() where count != 1 {
      guard count > 0 else { throw call.layer.refusal("size: found \(count), expected 1 or more") }
      var result = value
      switch value.axes[axis] {
      case .steps(let steps):
        guard !isLinear else {
          throw call.layer.refusal(
            "interpolation: found bilinear over the steps, of which nearest is carried",
            remedy: KerasModel.remedyInParts)
        }
        result.axes[axis] = .steps(steps.map { $0 * count })
        value = value.with(
          name: try translation.add(.repeatSteps(times: count), [value], for: call, part: "steps"),
          axes: result.axes)
      case .size(let length):
        result.axes[axis] = .size(length * count)
        try result.check(call.layer)
        if isLinear {
          value = try interpolated(value, as: result, axis, times: count, &translation, call)
        } else {
          let places = (0..<length).flatMap { Array(repeating: $0, count: count) }
          value = try KerasSlicing.arranged(value, axis, places, &translation, call)
        }
      }
    }
    return value
  }

  /// An axis of elements, by a matrix of all elements: a place has its share of the two that its middle is between.
  private static func interpolated(
    _ value: KerasValue, as result: KerasValue, _ axis: Int, times: Int,
    _ translation: inout KerasTranslation, _ call: KerasCall
  ) throws(ImportError) -> KerasValue {
    guard value.size <= KerasLayer.maxWeights / result.size else {
      throw call.layer.refusal(
        "found images of the sizes \(value.shape), whose interpolation as a matrix has more than \(KerasLayer.maxWeights) numbers",
        remedy: KerasModel.remedyInParts)
    }
    let inner = KerasReductions.size(of: Array((axis + 1)..<value.axes.count), value)
    let length = KerasReductions.size(of: [axis], value)
    var weight = [Float](repeating: 0, count: value.size * result.size)
    for target in 0..<result.size {
      let (row, element) = target.quotientAndRemainder(dividingBy: inner)
      let (outer, place) = row.quotientAndRemainder(dividingBy: length * times)
      let middle = (Float(place) + 0.5) / Float(times) - 0.5
      let before = middle.rounded(.down)
      for (source, share) in [(before, 1 - (middle - before)), (before + 1, middle - before)] {
        let source = min(max(Int(source), 0), length - 1)
        weight[target * value.size + (outer * length + source) * inner + element] += share
      }
    }
    let name = try translation.add(.linear, [value], for: call)
    translation.add(tensor: "\(name).weight", shape: [result.size, value.size], weight)
    return value.with(name: name, axes: result.axes)
  }
}
