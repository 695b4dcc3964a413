import JSON
import ModelFormat

/// Functions on tensors between the layers: `x + y`, `x[:, -1]`, `keras.ops.mean(x, axis=1)`.
enum KerasFunctions {
  /// Whether a layer of Keras 2 is a function of TensorFlow.
  static func isFunction(_ layer: KerasLayer) -> Bool {
    ["TFOpLambda", "SlicingOpLambda", "TensorFlowOpLayer"].contains(layer.className)
  }

  /// The name of the function: a class of Keras 3, or TensorFlow's name without its folders.
  private static func name(of layer: KerasLayer) -> String {
    guard isFunction(layer) else { return KerasWeightStore.snakeCase(layer.className) }
    let path = layer["function"]?.string ?? layer.name
    return String(path.split(separator: ".").last ?? "")
  }

  /// Whether a class is a supported function of Keras 3.
  static func isKnown(_ layer: KerasLayer) -> Bool {
    let name = name(of: layer)
    // Layers alone can be trained.
    return layer.source.version == 3 && layer["trainable"] == nil
      && (function(name) != nil || lists[name] != nil)
  }

  static func kind(of layer: KerasLayer) -> KerasLayerKind? {
    let name = name(of: layer)
    return KerasLayerKind(layer.className) { translation, call throws(ImportError) in
      var results: [KerasValue]
      if let function = function(name) {
        results = [try function(&translation, KerasFunctionCall(call))]
      } else if let function = lists[name] {
        results = try function(&translation, KerasFunctionCall(call))
      } else {
        throw layer.refusal(
          "found the function \(name.jsonExcerpt), which is not carried",
          remedy: name == "shape"
            ? shapeRemedy
            : name.hasPrefix("arg")
              ? "where it is last, save the numbers that it compares, of which the caller takes the largest: "
                + "keras.Model(model.inputs, model.\(layer.source.version == 3 ? "operations" : "layers")[-1].input).save('model.keras')"
              : "build the model with a layer in its place, or with functions that are carried: IMPORT.md lists them"
        )
      }
      // Functions drop masks.
      for index in results.indices { results[index].mask = nil }
      return results
    }
  }

  /// A number of steps is known where the input has it.
  private static let shapeRemedy =
    "build the model with inputs of a fixed number of steps, keras.Input((steps, size)), and write the number in place of the shape; "
    + "give it the weights: new.set_weights(model.get_weights())"

  typealias Function =
    @Sendable (inout KerasTranslation, KerasFunctionCall) throws(ImportError) -> KerasValue

  /// Functions of several results.
  typealias ListFunction =
    @Sendable (inout KerasTranslation, KerasFunctionCall) throws(ImportError) -> [KerasValue]

  private static let lists: [String: ListFunction] = [
    "split": KerasSlicing.split, "unstack": KerasSlicing.unstack,
  ]

  private static func function(_ name: String) -> Function? {
    for table in [
      all, KerasActivationFunctions.all, KerasMathFunctions.all, KerasComparisons.all,
      KerasArrangements.all, KerasProducts.all,
      ["cumsum": KerasCumulative.sum, "pad": KerasPadding.pad],
    ] {
      if let function = table[name] { return function }
    }
    return nil
  }

  private static let all: [String: Function] = [
    "add": arithmetic(.add), "subtract": arithmetic(.subtract), "sub": arithmetic(.subtract),
    "multiply": arithmetic(.multiply), "mul": arithmetic(.multiply),
    "divide": arithmetic(.divide), "true_divide": arithmetic(.divide),
    "truediv": arithmetic(.divide), "maximum": arithmetic(.maximum),
    "minimum": arithmetic(.minimum),
    "mean": KerasReductions.function(.mean), "reduce_mean": KerasReductions.function(.mean),
    "sum": KerasReductions.function(.sum), "reduce_sum": KerasReductions.function(.sum),
    "max": KerasReductions.function(.max), "reduce_max": KerasReductions.function(.max),
    "min": KerasReductions.function(.min), "reduce_min": KerasReductions.function(.min),
    "amax": KerasReductions.function(.max), "amin": KerasReductions.function(.min),
    "not_equal": notEqual, "any": anyElement, "reduce_any": anyElement, "logical_or": either,
    "average": average, "full_like": fullLike, "zeros_like": likeMask(.nothing),
    "ones_like": likeMask(.everything),
    "softmax": softmax(.softmax), "log_softmax": softmax(.logSoftmax),
    "get_item": KerasSlicing.item, "getitem": KerasSlicing.item,
    "take": KerasSlicing.take, "gather": KerasSlicing.take,
    "expand_dims": expanded, "squeeze": squeezed, "reshape": reshaped,
    "concatenate": joined, "concat": joined, "transpose": transposedAxes,
    "one_hot": KerasOneHot.function,
    "identity": { _, function throws(ImportError) in try function.value() },
    "convert_to_tensor": { _, function throws(ImportError) in try function.value() },
    "stop_gradient": { _, function throws(ImportError) in try function.value() },
  ]

  /// Functions of two tensors, or of a tensor and a number.
  static func arithmetic(_ op: ModelDescription.Op) -> Function {
    { translation, function throws(ImportError) in
      let call = function.call
      if op == .multiply || op == .divide, let scores = KerasProducts.scaled(function, op) {
        return scores
      }
      guard let number = function.number else {
        if let table = KerasTable(function) {
          return try table.combined(
            op, with: try function.value(), isFirst: function.isNumberFirst, &translation, call)
        }
        return try KerasMergeLayers.elementwise(op, &translation, function.withValues())
      }
      let value = try function.value()
      let isFirst = function.isNumberFirst
      if op == .multiply || op == .divide {
        KerasLength.check(&translation, number, of: value, for: call)
      }
      let affine: ModelDescription.Op?
      switch op {
      case .add: affine = .affine(scale: nil, shift: [number])
      case .multiply: affine = .affine(scale: [number], shift: nil)
      case .subtract:
        affine =
          isFirst ? .affine(scale: [-1], shift: [number]) : .affine(scale: nil, shift: [-number])
      case .divide:
        if isFirst { return try KerasMathFunctions.ratio(number, value, &translation, call) }
        affine = .affine(scale: [1 / number], shift: nil)
      case .maximum: affine = .clip(min: number)
      case .minimum: affine = .clip(max: number)
      default: affine = nil
      }
      guard let affine else { preconditionFailure("an operator of two values") }
      return try translation.map(affine, value, for: call)
    }
  }

  // MARK: Masks, which Keras 3 also writes as functions

  private static let notEqual: Function = { _, function throws(ImportError) in
    var value = try function.value()
    guard let number = function.number else {
      throw function.call.layer.refusal("found two tensors compared, expected one and a number")
    }
    guard value.axes.count == 1, number == 0, case .input = value.content else {
      // Of one element, each is all.
      value.content = .mask(
        .padding(value.name, number: number, isWhole: value.axes == [.steps(value.stepCount)]))
      return value
    }
    value.content = .mask(.zeroTokens(value.name))
    // Ids are of one axis, whose size is their number.
    if case .size(let count) = value.axes[0] { value.axes = [.steps(count)] }
    return value
  }

  private static let anyElement: Function = { _, function throws(ImportError) in
    var value = try function.value()
    guard case .mask(let mask) = value.content, value.axes.count > 1,
      try function.axes(of: value) == [value.axes.count - 1]
    else {
      throw function.call.layer.refusal("found no mask of the last axis, expected one")
    }
    // Others are the same for all elements of a step.
    if case .padding(let name, let number, false) = mask {
      value.content = .mask(.padding(name, number: number, isWhole: true))
    }
    value.axes.removeLast()
    if try function.bool("keepdims") { value.axes.append(.size(1)) }
    return value
  }

  /// The masks of Add and Concatenate: what either of two masks leaves is left.
  private static let either: Function = { translation, function throws(ImportError) in
    guard function.values.count == 2, let mask = KerasMask(ofAll: function.values) else {
      return try KerasMergeLayers.elementwise(.maximum, &translation, function.withValues())
    }
    var value = function.values[function.values[1].size > function.values[0].size ? 1 : 0]
    value.content = .mask(mask)
    return value
  }

  /// A mask that is the same everywhere, of the sizes of a value.
  private static func likeMask(_ mask: KerasMask) -> Function {
    { translation, function throws(ImportError) in
      var value = try function.value()
      // Masks are what Keras makes so, of the type bool.
      if function.constant("dtype")?.string != "bool" {
        return try KerasComparisons.constant(
          mask == .nothing ? 0 : 1, like: value, &translation, function.call)
      }
      value.content = .mask(mask)
      return value
    }
  }

  private static let fullLike: Function = { translation, function throws(ImportError) in
    guard let number = function.constant("fill_value", position: 1)?.number else {
      throw function.call.layer.refusal("found no number of the file, expected one")
    }
    return try KerasComparisons.constant(
      Float(number), like: try function.value(), &translation, function.call)
  }

  private static let average: Function = { translation, function throws(ImportError) in
    guard function.values.count == 1, function.constant("weights") ?? .null == .null else {
      throw function.call.layer.refusal(
        "found weights, expected none",
        remedy: "compute it with keras.ops: sum(x * w, axis) / sum(w, axis)")
    }
    return try KerasReductions.function(.mean)(&translation, function)
  }

  static func softmax(_ op: ModelDescription.Op) -> Function {
    { translation, function throws(ImportError) in
      let value = try function.value()
      let named = try function.axes(of: value, standard: -1)
      let places = Set(named.compactMap { $0 })
      guard !places.isEmpty, places.count == named.count else {
        throw function.call.layer.refusal(
          "axis: found \(named.isEmpty ? "none" : "the batch"), expected the steps or elements: axis=1, axis=-1"
        )
      }
      return try KerasActivationLayers.softmax(
        &translation, function.call, value, over: places, op: op)
    }
  }

  private static let expanded: Function = { translation, function throws(ImportError) in
    var value = try function.value()
    guard let axis = try function.integers("axis", position: 1)?.first else {
      throw function.call.layer.refusal("found no axis")
    }
    let place = axis < 0 ? value.axes.count + 1 + axis : axis - 1
    guard (0...value.axes.count).contains(place) else {
      throw function.call.layer.refusal("axis: found \(axis) of the sizes \(value.shape)")
    }
    value.axes.insert(.size(1), at: place)
    if place == 1 || translation.isVector(value),
      let result = translation.reread(try function.value(), as: value.axes)
    {
      return result
    }
    return value
  }

  private static let squeezed: Function = { translation, function throws(ImportError) in
    var value = try function.value()
    let axes = try function.axes(of: value).compactMap { $0 }
    let places = axes.isEmpty ? value.axes.indices.filter { value.axes[$0] == .size(1) } : axes
    for place in places.sorted().reversed() {
      if value.axes[place] == .steps(1) {
        value = value.with(name: try translation.add(.last, [value], for: function.call))
        (value.axes[place], value.origin) = (.size(1), nil)
      }
      guard value.axes[place] == .size(1) else {
        throw function.call.layer.refusal(
          "found the sizes \(value.shape), expected 1 at axis \(place + 1)")
      }
      value.axes.remove(at: place)
    }
    return value
  }

  private static let reshaped: Function = { translation, function throws(ImportError) in
    var sizes = try function.integers("newshape", position: 1)
    if sizes == nil { sizes = try function.integers("shape", position: 1) }
    guard let sizes, sizes.count > 1 else {
      throw function.call.layer.refusal("found no sizes that are known before the model runs")
    }
    return try KerasShapeLayers.reshaped(
      try function.value(), Array(sizes.dropFirst()), &translation, function.call)
  }

  private static let joined: Function = { translation, function throws(ImportError) in
    let axis = try function.integers("axis", position: 1)?.first ?? -1
    return try KerasMergeLayers.concatenated(
      function.call.inputs, axis: axis, &translation, function.call)
  }

  private static let transposedAxes: Function = { translation, function throws(ImportError) in
    var order = try function.integers("axes", position: 1)
    if order == nil { order = try function.integers("perm", position: 1) }
    guard let order, order.first == 0 else {
      throw function.call.layer.refusal("found no order of axes that leaves the batch first")
    }
    return try KerasShapeLayers.permuted(
      try function.value(), order.dropFirst().map { $0 - 1 }, &translation, function.call)
  }
}
