import ModelFormat

/// A convolution over images, or its transpose: windows over rows and columns, and weights, [rows, columns, channels, outputs] and
/// [outputs].
struct KerasFilter {
  let windows: [KerasWindow]
  let channels: Int
  let outputs: Int
  var kernel: [Float]
  var bias: [Float]?
  /// Whether each element is spread over the places of its window, rather than made of them.
  var isTransposed = false

  /// Where the columns of an image are taken for its rows.
  var turned: KerasFilter {
    var filter = KerasFilter(
      windows: windows.reversed(), channels: channels, outputs: outputs, kernel: [], bias: bias)
    let area = channels * outputs
    for column in 0..<windows[1].kernel {
      for row in 0..<windows[0].kernel {
        let start = (row * windows[1].kernel + column) * area
        filter.kernel += kernel[start..<(start + area)]
      }
    }
    return filter
  }

  /// Adds the node for images within a step: a matrix of all places.
  ///
  /// - Parameter tensors: the prefix of its tensors, and whether no other call of the layer has added them.
  func applied(
    to value: KerasValue, _ tensors: (prefix: String, isNew: Bool),
    _ translation: inout KerasTranslation, _ call: KerasCall, part: String?
  ) throws(ImportError) -> KerasValue {
    let layer = call.layer
    let sizes = value.sizes
    let counts = try zip(windows, sizes).map { window, length throws(ImportError) in
      isTransposed
        ? window.transposedCount(of: length) : try window.places(of: length, in: layer)
    }
    let result = value.with(
      name: "", axes: [.size(counts[0]), .size(counts[1]), .size(outputs)])
    try result.check(layer)
    let (inner, outer) = (value.size, result.size)
    guard inner <= KerasLayer.maxWeights / outer else {
      throw layer.refusal(
        "found images of the sizes \(value.shape), whose convolution as a matrix has more than \(KerasLayer.maxWeights) numbers",
        remedy: KerasModel.remedyInParts)
    }
    if tensors.isNew {
      var weight = [Float](repeating: 0, count: outer * inner)
      for row in links(0, of: sizes[0], and: counts[0]) {
        for column in links(1, of: sizes[1], and: counts[1]) {
          let tap = (row.tap * windows[1].kernel + column.tap) * channels * outputs
          for channel in 0..<channels {
            let source = (row.source * sizes[1] + column.source) * channels + channel
            for output in 0..<outputs {
              let target = (row.target * counts[1] + column.target) * outputs + output
              weight[target * inner + source] = kernel[tap + channel * outputs + output]
            }
          }
        }
      }
      translation.add(tensor: "\(tensors.prefix).weight", shape: [outer, inner], weight)
      if let bias {
        translation.add(
          tensor: "\(tensors.prefix).bias", shape: [outer],
          Array(repeating: bias, count: outer / outputs).flatMap(\.self))
      }
    }
    return result.with(
      name: try translation.add(.linear, [value], for: call, part: part, weights: tensors.prefix))
  }

  /// Which places of an axis are made of which of `length`, by which tap of the kernel; those in the padding are left out.
  private func links(
    _ axis: Int, of length: Int, and count: Int
  ) -> [(source: Int, target: Int, tap: Int)] {
    let window = windows[axis]
    let (whole, places) = isTransposed ? (count, length) : (length, count)
    let before = window.padding(of: whole)[0]
    return (0..<places).flatMap { place in
      (0..<window.kernel).compactMap { tap in
        let element = place * window.stride + tap * window.dilation - before
        guard (0..<whole).contains(element) else { return nil }
        return isTransposed ? (place, element, tap) : (element, place, tap)
      }
    }
  }
}
