import JSON

extension KerasTranslation {
  /// The value with other axes, if it is an input that nothing has used yet: clients then send these axes. Else nil. What is
  /// sent otherwise than in Keras is noted.
  mutating func reread(_ value: KerasValue, as axes: [KerasValue.Axis]) -> KerasValue? {
    guard case .input(let index) = value.content, inputs[index].isOpen, !value.isStepped,
      axes.count >= 2, value.stepAxis == nil || value.stepCount != nil, axes != value.axes,
      !mode.readsFrames
    else { return nil }
    let isVector = value.axes.count == 1
    // A vector as one step is better made of a vector, as beside other inputs it can stay one.
    if isVector, axes[0] == .size(1) { return nil }
    var result = value
    result.axes = axes
    if case .size(let count) = axes[0] { result.axes[0] = .steps(count) }
    inputs[index].axes = result.axes
    guard let count = result.stepCount, isVector ? result.size > 1 : result.size != value.size
    else { return result }
    if isVector || count == 1 { inputs[index].keepSteps() }
    let given = isVector ? "a vector of \(value.size) numbers" : "\(value.shape)"
    note(
      "the input \(value.name.jsonExcerpt) is \(given), which the model reads as \(result.shape): a request sends it so, "
        + "an array of n of them as (n, \(count), \(result.size))"
    )
    return result
  }

  /// Whether the value is an input of one axis, perhaps with axes of 1 around it.
  func isVector(_ value: KerasValue) -> Bool {
    if case .input(let index) = value.content { return inputs[index].isVector }
    return false
  }

  /// The inputs of the whole model, as values.
  mutating func addInputs(of model: KerasModel) throws(ImportError) -> [KerasValue] {
    var values: [KerasValue] = []
    for (place, name) in model.inputs.enumerated() {
      let (layer, shape) = try shape(of: name, in: model)
      let axes = try axes(Array(shape.dropFirst()), of: layer)
      let uses = model.layers.reduce(model.outputs.count { $0.layer == name }) { count, entry in
        entry.calls.reduce(count) { count, call in
          count
            + (call.arguments + call.named.map(\.value)).flatMap(\.tensors).count {
              $0.layer == name
            }
        }
      }
      let kind = layer["dtype"]?.string ?? layer["dtype"]?["config"]?["name"]?.string ?? ""
      let source = KerasInput.Source(
        name: model.inputKeys?[place] ?? name, sizes: shape,
        isWhole: kind.contains("int") || kind == "bool", axes: axes)
      let input = KerasInput(
        name: names.unused(name), source: source, uses: uses, place: inputs.count,
        isOfNumbers: numbers.contains(inputs.count))
      inputs.append(input)
      var value = KerasValue(name: input.name, axes: axes)
      value.content = .input(inputs.count - 1)
      value.origin = inputs.count - 1
      values.append(value)
    }
    return values
  }

  /// The layer that gives an input's sizes, and the sizes, the batch's first.
  private func shape(
    of name: String, in model: KerasModel
  ) throws(ImportError) -> (KerasLayer, [Int?]) {
    if let layer = model.layers.first(where: { $0.layer.name == name })?.layer {
      guard let sizes = layer["batch_shape"]?.openSizes ?? layer["batch_input_shape"]?.openSizes,
        !sizes.isEmpty
      else { throw layer.refusal("found no sizes, expected batch_shape") }
      return (layer, sizes)
    }
    // A Sequential model without an input layer: the sizes are the first layer's, or those it was built with.
    guard let first = model.layers.first?.layer else {
      throw model.layer.refusal("the input \(name.jsonExcerpt) is no layer of the model")
    }
    var layer = first
    while layer.isModel, layer["batch_input_shape"] == nil {
      guard let inner = try KerasModel(layer).layers.first?.layer else { break }
      layer = inner
    }
    let builtWith =
      model.layer["build_input_shape"] ?? layer["batch_input_shape"] ?? layer["batch_shape"]
    if let sizes = builtWith?.openSizes, !sizes.isEmpty { return (first, sizes) }
    if let sizes = layer["input_shape"]?.openSizes { return (first, [nil] + sizes) }
    if let size = layer["input_dim"]?.integer {
      // Keras 1 has the steps of recurrent layers and convolutions in a member of their own.
      let length = layer["input_length"]?.integer
      switch layer.className {
      case "Embedding": return (first, [nil, length])
      case "Dense": return (first, [nil, size])
      default: return (first, [nil, length, size])
      }
    }
    throw first.refusal(
      "found no sizes of the model's input",
      remedy: "build the model before it is saved: model.build((None, steps, features))")
  }

  private func axes(
    _ sizes: [Int?], of layer: KerasLayer
  ) throws(ImportError) -> [KerasValue.Axis] {
    func size(_ size: Int?) throws(ImportError) -> KerasValue.Axis {
      guard let size, KerasLayer.sizes.contains(size) else {
        throw layer.refusal(
          "found \(size.map(String.init) ?? "no number") among the sizes of the input, expected 1 "
            + "to \(KerasLayer.maxSize)")
      }
      return .size(size)
    }
    for one in sizes { if let one { _ = try size(one) } }
    guard sizes.count >= 2 else {
      // The first layer tells whether these are ids or numbers.
      return sizes.first.map { [$0.map { .size($0) } ?? .steps(nil)] } ?? [.size(1)]
    }
    var axes: [KerasValue.Axis] = []
    for (index, one) in sizes.enumerated() {
      // Of a frame, an open axis is the steps; there can be one.
      let isSteps =
        mode.readsFrames ? one == nil && axes.allSatisfy { $0 != .steps(nil) } : index == 0
      axes.append(isSteps ? .steps(one) : try size(one))
    }
    guard
      KerasValue(name: "", axes: axes).sizes.reduce(1.0, { $0 * Double($1) })
        <= Double(KerasLayer.maxSize)
    else {
      throw layer.refusal("found \(sizes.map { $0 ?? 0 }) as the sizes of the input, too large")
    }
    return axes
  }
}
