import ModelFormat

/// A layer that merges values element by element, with what the versions of Keras make of masks.
struct KerasMaskedMerge {
  let op: ModelDescription.Op
  let isMean: Bool

  init(_ op: ModelDescription.Op, isMean: Bool) {
    self.op = op
    self.isMean = isMean
  }

  /// The mask of the result.
  ///
  /// Up to Keras 2, a step is masked where any of the values' masks masks it. Keras 3.0 to 3.3 lose the masks of values in a
  /// list; from 3.4 on, the result has a mask only if each of the values has one.
  static func mask(of values: [KerasValue], in layer: KerasLayer) -> KerasMask? {
    let masks = values.compactMap(\.mask)
    guard layer.source.version == 3 else { return KerasMask(of: masks, isAll: true) }
    guard layer.source.isKeras3(since: 4), masks.count == values.count else { return nil }
    return KerasMask(of: masks, isAll: false)
  }

  func apply(
    _ translation: inout KerasTranslation, _ call: KerasCall
  ) throws(ImportError) -> KerasValue {
    // Keras 3.4's Multiply, Maximum and Minimum pass over what is masked.
    guard call.layer.source.isKeras3(since: 4), call.inputs.contains(where: { $0.mask != nil })
    else { return try KerasMergeLayers.elementwise(op, isMean: isMean, &translation, call) }
    switch op {
    case .multiply: return try product(&translation, call)
    case .maximum, .minimum: return try extreme(&translation, call)
    default: return try KerasMergeLayers.elementwise(op, isMean: isMean, &translation, call)
    }
  }

  /// The product, to which masked steps count as ones; where all values are masked, it is 0.
  private func product(
    _ translation: inout KerasTranslation, _ call: KerasCall
  ) throws(ImportError) -> KerasValue {
    var call = call
    let masks = try masks(&translation, call)
    let isMasked = masks.allSatisfy { $0 != nil }
    var factors: [KerasValue] = []
    for (index, (value, mask)) in zip(call.inputs, masks).enumerated() {
      guard let mask, !isMasked || call.inputs.contains(where: { $0.mask != value.mask }) else {
        factors.append(value)
        continue
      }
      let kept = try translation.combine(
        .multiply, [value, mask], as: value, for: call, part: "kept.\(index)")
      let rest = try masked(mask, &translation, call)
      factors.append(
        try translation.combine(.add, [kept, rest], as: value, for: call, part: "ones.\(index)"))
    }
    call.arguments = factors.map { .value($0) }
    let result = try KerasMergeLayers.elementwise(
      op, isMean: false, &translation, call, part: isMasked ? "product" : nil)
    guard isMasked else { return result }
    guard let mask = try translation.maskNode(of: result, for: call, key: "") else { return result }
    let steps = KerasValue(name: mask, axes: [result.axes[0], .size(1)])
    return try translation.combine(.multiply, [result, steps], as: result, for: call)
  }

  /// The largest or smallest of the values that are not masked; where all are, the first.
  private func extreme(
    _ translation: inout KerasTranslation, _ call: KerasCall
  ) throws(ImportError) -> KerasValue {
    let masks = try masks(&translation, call)
    var result = call.inputs[0]
    var resultMask = masks[0]
    for (index, next) in call.inputs.enumerated().dropFirst() {
      var value = next
      if let mask = masks[index] {
        value = try chosen(mask, value, else: result, &translation, call)
      }
      if let resultMask {
        result = try chosen(resultMask, result, else: value, &translation, call)
      }
      var pair = call
      pair.arguments = [.value(result), .value(value)]
      let isLast = index == call.inputs.count - 1
      let isMasked = resultMask != nil && masks[index] != nil
      result = try KerasMergeLayers.elementwise(
        op, isMean: false, &translation, pair, part: isLast ? nil : "merged.\(index)")
      if !isMasked { result.mask = nil }
      resultMask =
        isMasked
        ? try translation.maskNode(of: result, for: call, key: "").map {
          KerasValue(name: $0, axes: [result.axes[0], .size(1)])
        } : nil
    }
    return result
  }

  /// `value` where the mask keeps a step, `other` where it masks it.
  private func chosen(
    _ mask: KerasValue, _ value: KerasValue, else other: KerasValue,
    _ translation: inout KerasTranslation, _ call: KerasCall
  ) throws(ImportError) -> KerasValue {
    let kept = try translation.combine(
      .multiply, [value, mask], as: value, for: call, part: "kept")
    let rest = try translation.combine(
      .multiply, [other, masked(mask, &translation, call)], as: other, for: call, part: "other")
    return try translation.combine(.add, [kept, rest], as: value, for: call, part: "chosen")
  }

  /// 1 at masked steps, 0 at others.
  private func masked(
    _ mask: KerasValue, _ translation: inout KerasTranslation, _ call: KerasCall
  ) throws(ImportError) -> KerasValue {
    try translation.map(.affine(scale: [-1], shift: [1]), mask, for: call, part: "masked")
  }

  /// The values' masks as sequences of 1 and 0.
  private func masks(
    _ translation: inout KerasTranslation, _ call: KerasCall
  ) throws(ImportError) -> [KerasValue?] {
    var masks: [KerasValue?] = []
    for value in call.inputs {
      guard value.mask != nil else {
        masks.append(nil)
        continue
      }
      guard value.stepAxis == 0, !value.isSpread else {
        throw call.refusal(of: value, expected: "the steps first in a masked sequence")
      }
      let name = try translation.maskNode(of: value, for: call, key: "")
      masks.append(name.map { KerasValue(name: $0, axes: [value.axes[0], .size(1)]) })
    }
    return masks
  }
}
