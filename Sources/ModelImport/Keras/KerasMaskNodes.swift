import ModelFormat

/// The nodes of masks.
enum KerasMaskNodes {
  /// The node of a value's mask, or of the mask that a call names, which has to be the same or an input; nil if there is none.
  static func node(
    of value: KerasValue, for call: KerasCall, key: String, _ translation: inout KerasTranslation
  ) throws(ImportError) -> String? {
    guard let mask = try mask(of: value, for: call, key: key, &translation), mask != .everything
    else { return nil }
    if let node = translation.maskNodes[mask] { return node }
    var number: Float = 0
    var masked = value
    switch mask {
    case .steps(let name): return name
    case .zeroTokens(let input):
      masked = KerasValue(name: input, axes: [.steps(nil)])
    case .padding(let name, let padding, true):
      masked = KerasValue(name: name, axes: [.steps(nil)])
      number = padding
      for index in translation.inputs.indices where translation.inputs[index].name == name {
        try translation.inputs[index].declareFloats(for: call)
      }
    case .all(let masks), .any(let masks):
      let isAll = mask == .all(masks)
      var nodes: [KerasValue] = []
      for one in masks {
        var other = value
        other.mask = one
        guard let name = try node(of: other, for: call, key: "", &translation) else { continue }
        nodes.append(KerasValue(name: name, axes: [.steps(value.stepCount), .size(1)]))
      }
      let name = try translation.add(isAll ? .minimum : .maximum, nodes, for: call, part: "masks")
      translation.maskNodes[mask] = name
      return name
    case .nothing, .everything, .padding(_, _, false):
      try call.refuseMask(of: value)
      throw call.layer.refusal("\(key): \(mask.text), which is not carried")
    }
    let node = try translation.add(.mask(value: number), [masked], for: call, part: "mask")
    translation.maskNodes[mask] = node
    return node
  }

  /// The value with the mask that a call names, or without one where it names None: Keras 2 hands that on to the layers behind,
  /// Keras 3 does not.
  static func named(
    _ value: KerasValue, for call: KerasCall, _ translation: inout KerasTranslation
  ) throws(ImportError) -> KerasValue {
    guard call.layer.source.version < 3 else { return value }
    var value = value
    value.mask = try mask(of: value, for: call, key: "mask", &translation)
    return value
  }

  /// The mask that a call has of a value: what it names, none where it names None in Keras 2, or the value's own.
  private static func mask(
    of value: KerasValue, for call: KerasCall, key: String, _ translation: inout KerasTranslation
  ) throws(ImportError) -> KerasMask? {
    if let named = call[key]?.values.first {
      return try mask(named, of: value, for: call, key: key, &translation)
    }
    if case .constant(.null)? = call[key], call.layer.source.version < 3 { return nil }
    return value.mask
  }

  /// A mask that a call names: Keras's own, or a sequence of true and false, such as an input.
  static func mask(
    _ named: KerasValue, of value: KerasValue, for call: KerasCall, key: String,
    _ translation: inout KerasTranslation
  ) throws(ImportError) -> KerasMask {
    if case .mask(let mask) = named.content { return mask }
    var steps = named
    if case .input(let index) = named.content {
      translation.inputs[index].readAsSteps()
      steps.axes = translation.inputs[index].axes
      try translation.inputs[index].declareFloats(for: call)
    } else if named.content != .floats {
      steps.axes = []
    }
    guard steps.stepAxis == 0, steps.size == 1, !value.isStepped else {
      throw call.layer.refusal(
        "\(key): found a mask of the sizes \(named.shape), expected true or false for each step")
    }
    translation.unify([value, steps])
    return .steps(steps.name)
  }
}
