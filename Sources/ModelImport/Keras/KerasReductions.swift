import ModelFormat

/// Functions that make one number of many: mean, sum, max, min, over the steps, over elements, or both.
enum KerasReductions {
  enum Kind {
    case mean, sum, max, min
  }

  static func function(_ kind: Kind) -> KerasFunctions.Function {
    { translation, function throws(ImportError) in
      let value = try translation.spreadOut(try function.value(), for: function.call)
      return try reduced(
        kind, value, function, keeps: try function.bool("keepdims"), &translation)
    }
  }

  /// The value without the axes that the call names or, with `keeps`, with an axis of 1 in place of each.
  static func reduced(
    _ kind: Kind, _ value: KerasValue, _ function: KerasFunctionCall, keeps: Bool,
    _ translation: inout KerasTranslation, part: String? = nil
  ) throws(ImportError) -> KerasValue {
    let named = try function.axes(of: value)
    let places = named.compactMap { $0 }
    guard !places.isEmpty, places.count == named.count, Set(places).count == places.count else {
      throw function.call.layer.refusal(
        "axis: found \(named.isEmpty ? "none" : "the batch"), expected the steps or elements: axis=1, axis=-1"
      )
    }
    return try reduced(
      kind, value, over: Set(places), keeps: keeps, &translation, function.call, part: part)
  }

  static func reduced(
    _ kind: Kind, _ value: KerasValue, over places: Set<Int>, keeps: Bool,
    _ translation: inout KerasTranslation, _ call: KerasCall, part: String? = nil
  ) throws(ImportError) -> KerasValue {
    var result = try translation.chain(
      ops(kind, of: value, over: places), value, for: call, part: part)
    result.axes = value.axes.enumerated().compactMap { place, axis in
      places.contains(place) ? (keeps ? .size(1) : nil) : axis
    }
    result.mask = nil
    return result
  }

  /// A pool over the rows and columns of an image.
  static func overImage(
    _ kind: Kind, _ translation: inout KerasTranslation, _ call: KerasCall
  ) throws(ImportError) -> KerasValue {
    let value = try KerasImageLayers.image(&translation, call)
    var result = try translation.chain(ops(kind, of: value, over: [0, 1]), value, for: call)
    let keeps = try call.layer.bool("keepdims")
    result.axes = (keeps ? [.size(1), .size(1)] : []) + [value.axes[2]]
    return result
  }

  private static func ops(
    _ kind: Kind, of value: KerasValue, over places: Set<Int>
  ) -> [ModelDescription.Op] {
    var ops: [ModelDescription.Op] = []
    let isMin = kind == .min
    if isMin { ops.append(.affine(scale: [-1], shift: nil)) }
    // The elements that become one stand side by side, the others around them.
    let elements = value.axes.indices.filter { $0 != value.stepAxis }
    let others = elements.filter { !places.contains($0) }
    let order = others + elements.filter { places.contains($0) }
    let outer = size(of: others, value)
    let count = size(of: elements, value) / outer
    if order != elements { ops.append(.gather(indices(order, of: value))) }
    if count > 1 {
      let isMax = kind == .max || isMin
      ops.append(
        isMax
          ? .maxPool1D(channels: outer, kernel: count)
          : .averagePool1D(channels: outer, kernel: count))
      if kind == .sum { ops.append(.affine(scale: [Float(count)], shift: nil)) }
    }
    if let steps = value.stepAxis, places.contains(steps) {
      ops.append(kind == .mean ? .mean : kind == .sum ? .sum : .max)
    }
    if isMin { ops.append(.affine(scale: [-1], shift: nil)) }
    return ops.isEmpty ? [.affine(scale: [1], shift: nil)] : ops
  }

  static func size(of places: [Int], _ value: KerasValue) -> Int {
    places.reduce(1) { if case .size(let size) = value.axes[$1] { $0 * size } else { $0 } }
  }

  /// The elements with their axes in another order.
  static func indices(_ order: [Int], of value: KerasValue) -> [Int] {
    var strides: [Int: Int] = [:]
    var stride = 1
    for place in value.axes.indices.reversed() {
      guard case .size(let size) = value.axes[place] else { continue }
      strides[place] = stride
      stride *= size
    }
    var indices = [0]
    for place in order {
      guard case .size(let size) = value.axes[place] else { continue }
      indices = indices.flatMap { index in (0..<size).map { index + $0 * strides[place]! } }
    }
    return indices
  }
}
