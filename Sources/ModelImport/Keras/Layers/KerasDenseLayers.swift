import ModelFormat

/// Matrices: Dense, Embedding.
enum KerasDenseLayers {
  static let all = [
    KerasLayerKind("Dense", "TimeDistributedDense", weights: { count($0) }, translate: dense),
    KerasLayerKind("EinsumDense", weights: { count($0) }, translate: einsumDense),
    KerasLayerKind(
      "Embedding", weights: { _ in KerasWeightCount(trained: 1) }, translate: embedding),
  ]

  private static func count(_ layer: KerasLayer) -> KerasWeightCount {
    KerasWeightCount(trained: hasBias(layer) ? 2 : 1)
  }

  private static func units(of layer: KerasLayer) throws(ImportError) -> Int {
    if layer.className == "EinsumDense" {
      guard let units = layer["output_shape"]?.openSizes?.last ?? layer["output_shape"]?.integer,
        (1...KerasLayer.maxSize).contains(units)
      else { throw layer.refusal("output_shape: found no size of the last axis") }
      return units
    }
    return try layer.integer(layer["units"] == nil ? "output_dim" : "units")
  }

  /// Keras 1 called it `bias`.
  static func hasBias(_ layer: KerasLayer) -> Bool {
    if layer.className == "EinsumDense" { return layer["bias_axes"] != nil }
    return (try? layer.bool("use_bias", layer.bool("bias", true))) ?? true
  }

  private static func einsumDense(
    _ translation: inout KerasTranslation, _ call: KerasCall
  ) throws(ImportError) -> [KerasValue] {
    try checkEquation(of: call.layer)
    return try dense(&translation, call)
  }

  private static func checkEquation(of layer: KerasLayer) throws(ImportError) {
    let equation = (try layer.text("equation") ?? "").replacing(" ", with: "")
    guard let output = productOfLast(equation), try layer.text("bias_axes") ?? output == output
    else {
      throw layer.refusal(
        "equation: found \(equation.jsonExcerpt), expected a product of the last axis and the kernel's first: abc,cd->abd",
        remedy: "build the model with Dense, Reshape and Permute in its place")
    }
  }

  /// The letter of the matrix's outputs, if an equation is the product of a value's last axis with a matrix; else nil.
  static func productOfLast(_ equation: String) -> String? {
    let sides = equation.split(separator: ">").map(Array.init)
    guard sides.count == 2, sides[0].last == "-",
      case let operands = sides[0][..<(sides[0].count - 1)].split(separator: ",").map(Array.init),
      operands.count == 2, let last = operands[0].last, operands[1].count == 2,
      !operands[0].dropLast().contains(last), operands[1][0] == last,
      case let output = operands[1][1], !operands[0].contains(output),
      sides[1] == Array(operands[0][..<(operands[0].count - 1)]) + [output]
    else { return nil }
    return String(output)
  }

  /// The product of a value's last axis with a matrix, or with a vector, which takes the axis away.
  static func product(
    _ given: KerasValue, with matrix: KerasTable, _ translation: inout KerasTranslation,
    _ call: KerasCall
  ) throws(ImportError) -> KerasValue {
    let value = try translation.spreadOut(given, for: call)
    let isVector = matrix.shape.count == 1
    guard case .size(let size)? = value.axes.last, value.axes.count > (isVector ? 1 : 0),
      matrix.shape.first == size, matrix.shape.count <= 2
    else {
      throw call.layer.refusal(
        "found an array of the sizes \(matrix.shape) beside a value of the sizes \(value.shape), expected the value's last axis, of "
          + "elements, as the first of a matrix")
    }
    let units = matrix.floats.count / size
    let (prefix, isNew) = translation.names.prefix(of: call.layer, name: call.name)
    if isNew {
      translation.add(
        tensor: "\(prefix).weight", shape: [units, size] + (value.sizes.count > 1 ? [1] : []),
        transposed(matrix.floats, rows: size, columns: units))
    }
    var result = try onRows(
      &translation, call, value, size: size, units: units, weights: prefix, part: nil)
    result.axes[result.axes.count - 1] = .size(units)
    if isVector { result.axes.removeLast() }
    return result
  }

  private static func dense(
    _ translation: inout KerasTranslation, _ call: KerasCall
  ) throws(ImportError) -> [KerasValue] {
    let layer = call.layer
    if layer["quantization_config"] != nil
      || layer["dtype"]?["config"]?["name"]?.string?
        .contains("int8") == true
    {
      throw layer.refusal(
        "found quantised weights, expected floats", remedy: "save the model before model.quantize()"
      )
    }
    let units = try Self.units(of: layer)
    var value = try call.input()
    // Other numbers of steps than those that are read are elements.
    if case .steps(let steps?)? = value.axes.last, steps != units || value.axes.count > 2 {
      value = try KerasFrameSteps.frame(value, &translation, call)
    }
    guard let last = value.axes.last, units > 0 else {
      throw call.refusal(of: value, expected: "a last axis of elements, which Dense works on")
    }
    let activation = try KerasActivation(layer, "activation")
    let part = activation.isIdentity ? nil : "linear"
    var result: KerasValue
    if case .steps(let steps?) = last, steps == units, value.axes.count == 2 {
      result = try KerasStepMixing.dense(&translation, call, value, steps: steps, part: part)
    } else if case .steps(let count) = last {
      guard value.axes.count == 1, let steps = count else {
        throw call.refusal(of: value, expected: "a last axis of elements, which Dense works on")
      }
      result = try denseOverSteps(
        &translation, call, value, steps: steps, units: units, part: part)
    } else if case .flattened(let steps) = value.content {
      result = try denseOverSteps(
        &translation, call, value, steps: steps, units: units, part: part)
    } else {
      let size = value.axes.last.flatMap { if case .size(let size) = $0 { size } else { nil } } ?? 0
      let spread = try translation.spreadOut(value, for: call)
      let (prefix, isNew) = translation.names.prefix(of: layer, name: call.name)
      if isNew {
        try addWeights(
          &translation, call, prefix: prefix, inputs: size, units: units,
          isConvolution: spread.sizes.count > 1)
      }
      result = try onRows(
        &translation, call, spread, size: size, units: units, weights: prefix, part: part)
      result.axes[result.axes.count - 1] = .size(units)
    }
    return [try activation.apply(to: result, &translation, call)]
  }

  private static func addWeights(
    _ translation: inout KerasTranslation, _ call: KerasCall, prefix: String, inputs: Int,
    units: Int, isConvolution: Bool
  ) throws(ImportError) {
    var expected = [(name: "kernel", shape: [inputs, units])]
    if hasBias(call.layer) { expected.append(("bias", [units])) }
    let arrays = try call.weights.arrays(expected, of: call.layer)
    translation.add(
      tensor: "\(prefix).weight", shape: [units, inputs] + (isConvolution ? [1] : []),
      transposed(arrays[0], rows: inputs, columns: units))
    if arrays.count > 1 { translation.add(tensor: "\(prefix).bias", shape: [units], arrays[1]) }
  }

  /// Adds a node on the last of the value's axes, applied to each index of the axes before: within a step, by a convolution over rows.
  private static func onRows(
    _ translation: inout KerasTranslation, _ call: KerasCall, _ value: KerasValue, size: Int,
    units: Int, weights prefix: String, part: String?
  ) throws(ImportError) -> KerasValue {
    guard value.sizes.count > 1 else {
      return value.with(
        name: try translation.add(.linear, [value], for: call, part: part, weights: prefix))
    }
    let rows = value.size / size
    guard rows * units <= KerasLayer.maxSize else {
      throw call.layer.refusal("found \(rows) rows of \(units) elements, too many")
    }
    let turned = try translation.map(
      .transpose(rows: rows), value, for: call, part: "channels")
    let frame = value.with(
      name: try translation.add(
        .conv1D(), [turned], for: call, part: "rows", weights: prefix))
    return try translation.map(.transpose(rows: units), frame, for: call, part: part)
  }

  /// A matrix on all steps, flattened: the last step of a convolution over all steps.
  private static func denseOverSteps(
    _ translation: inout KerasTranslation, _ call: KerasCall, _ value: KerasValue, steps: Int,
    units: Int, part: String?
  ) throws(ImportError) -> KerasValue {
    let layer = call.layer
    // A flattened sequence has one element for each step.
    let total = value.axes.count == 1 && value.stepAxis == 0 ? steps : value.size
    let size = total / steps
    let (prefix, isNew) = translation.names.prefix(of: layer, name: call.name)
    if isNew {
      var expected = [(name: "kernel", shape: [total, units])]
      if hasBias(layer) { expected.append(("bias", [units])) }
      let arrays = try call.weights.arrays(expected, of: layer)
      var weight = [Float](repeating: 0, count: total * units)
      for step in 0..<steps {
        for element in 0..<size {
          let row = (step * size + element) * units
          for unit in 0..<units {
            weight[(unit * size + element) * steps + step] = arrays[0][row + unit]
          }
        }
      }
      translation.add(tensor: "\(prefix).weight", shape: [units, size, steps], weight)
      if arrays.count > 1 { translation.add(tensor: "\(prefix).bias", shape: [units], arrays[1]) }
    }
    KerasLength.keep(&translation, value, steps: steps, in: layer)
    var sequence = value
    sequence.axes = [.steps(steps), .size(size)]
    if case .flattened = value.content { sequence.content = .floats }
    sequence = sequence.with(
      name: try translation.add(
        .conv(padding: .valid), [sequence], for: call, part: "steps", weights: prefix))
    return value.with(
      name: try translation.add(.last, [sequence], for: call, part: part), axes: [.size(units)])
  }

  private static func embedding(
    _ translation: inout KerasTranslation, _ call: KerasCall
  ) throws(ImportError) -> [KerasValue] {
    let layer = call.layer
    let value = try call.input()
    let ids = try layer.integer("input_dim")
    let size = try layer.integer("output_dim")
    if layer["dropout"]?.number ?? 0 != 0, layer.source.version == 1 {
      translation.note("\(layer.place): its dropout does nothing at inference")
    }
    let isMasked = try layer.bool("mask_zero")
    guard !isMasked || value.axes.count == 1 && !value.isStepped else {
      throw layer.refusal(
        "mask_zero: found true for ids of the sizes \(value.shape), expected an id a step: (steps,)",
        remedy: KerasModel.remedyInParts)
    }
    let (prefix, isNew) = translation.names.prefix(of: layer, name: call.name)
    if isNew {
      let arrays = try call.weights.arrays([("embeddings", [ids, size])], of: layer)
      translation.add(tensor: "\(prefix).weight", shape: [ids, size], arrays[0])
    }
    guard case .input(let index) = value.content, value.axes.count == 1, !value.isStepped,
      !translation.inputs[index].isOfNumbers
    else {
      var rows = try KerasLookup.rows(of: value, weights: prefix, size: size, &translation, call)
      if isMasked, value.stepAxis != nil { rows.mask = .zeroTokens(value.name) }
      return [rows]
    }
    try translation.inputs[index].declareTokens(size: ids, for: call)
    var tokens = value
    tokens.content = .floats
    var result = value.with(
      name: try translation.add(.embedding, [tokens], for: call, weights: prefix))
    let steps: Int? = if case .size(let count) = value.axes[0] { count } else { value.stepCount }
    result.axes = [.steps(steps), .size(size)]
    if translation.inputs[index].isOneNumber {
      // A sequence of one id in the folder, a single one in Keras.
      translation.inputs[index].keepSteps()
      return [
        result.with(
          name: try translation.add(.last, [result], for: call, part: "last"), axes: [.size(size)])
      ]
    }
    if isMasked { result.mask = .zeroTokens(value.name) }
    return [result]
  }
}

/// The transpose.
func transposed(_ matrix: [Float], rows: Int, columns: Int) -> [Float] {
  var result = [Float](repeating: 0, count: matrix.count)
  for row in 0..<rows {
    for column in 0..<columns { result[column * rows + row] = matrix[row * columns + column] }
  }
  return result
}
