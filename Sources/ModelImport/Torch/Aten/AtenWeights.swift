/// Operators with weights: linear maps, convolutions and normalisations; and products.
enum AtenWeights {
  static func translate(_ t: inout AtenTranslation, _ call: AtenCall) throws(ImportError)
    -> AtenValue?
  {
    switch call.name {
    case "linear":
      return .tensor(
        linear(
          &t, try call.tensor(0, "input"), try call.tensor(1, "weight"),
          call.optionalTensor(2, "bias"), call))
    case "addmm", "addbmm", "baddbmm":
      var product = product(&t, try call.tensor(1), try call.tensor(2), call)
      var bias = call.value(0)
      let (beta, alpha) = (
        try call.number(3, "beta", default: 1), try call.number(4, "alpha", default: 1)
      )
      if alpha != 1 {
        product = try AtenElementwise.two(&t, "Mul", .tensor(product), .float(alpha), call)
      }
      if beta == 0 { return .tensor(product) }
      if beta != 1 { bias = .tensor(try AtenElementwise.two(&t, "Mul", bias, .float(beta), call)) }
      return .tensor(try AtenElementwise.two(&t, "Add", .tensor(product), bias, call))
    case "mm", "bmm", "matmul", "mv", "dot", "vdot":
      return .tensor(product(&t, try call.tensor(0, "self"), try call.tensor(1, "other"), call))
    case "conv_transpose1d", "conv_transpose2d", "conv_transpose3d":
      throw call.failure(
        "its steps between the steps", because: "no op does that",
        instead: Remedy.transposedConvolution)
    case "topk":
      throw call.failure(
        "a choice of the largest", because: "no op sorts", instead: Remedy.sorting)
    case "round", "ceil", "trunc":
      throw call.failure("a float", because: "no op rounds", instead: Remedy.rounding)
    case "conv1d", "conv2d", "conv3d", "convolution", "_convolution", "_convolution_mode":
      return .tensor(try convolution(&t, call))
    case "_weight_norm", "_weight_norm_interface":
      let weight = try weightNorm(&t, call)
      return call.name.hasSuffix("interface")
        ? .list([.tensor(weight), .other("norms")]) : .tensor(weight)
    case "group_norm", "instance_norm": return .tensor(try groupNorm(&t, call))
    case "layer_norm", "native_layer_norm": return .tensor(try layerNorm(&t, call))
    case "batch_norm", "_native_batch_norm_legit_no_training", "native_batch_norm",
      "cudnn_batch_norm",
      "_batch_norm_no_update":
      let isNative = call.name != "batch_norm"
      let y = try batchNorm(&t, call)
      return isNative ? .list([.tensor(y), .none, .none]) : .tensor(y)
    case "rms_norm":
      let x = try call.tensor(0, "input")
      let axes = try call.ints(1, "normalized_shape") ?? []
      var weight = call.optionalTensor(2, "weight")
      if weight == nil { weight = ones(&t, axes) }
      return .tensor(
        t.emit(
          "RMSNormalization", [x, weight],
          [
            "axis": .integer(-axes.count),
            "epsilon": .float(try call.number(3, "eps", default: 1.1920929e-07)),
          ],
          rank: x.rank, of: call))
    case "bilinear": return .tensor(try bilinear(&t, call))
    case "einsum":
      guard let equation = call.text(0, "equation") else {
        throw call.failure("no equation", because: "it needs one")
      }
      let operands = try call.tensors(1, "operands")
      return .tensor(
        t.emit(
          "Einsum", operands, ["equation": .text(equation)],
          rank: Einsum.labels(equation)?.result.count, of: call))
    default: return nil
    }
  }

  /// A sum over the products of the elements of two tensors, with weights [outputs, elements, elements].
  private static func bilinear(
    _ t: inout AtenTranslation, _ call: AtenCall
  ) throws(ImportError) -> AtenTensor {
    let (first, second) = (try call.tensor(0, "input1"), try call.tensor(1, "input2"))
    guard let rank = first.rank, rank == second.rank, (1...8).contains(rank) else {
      throw call.failure("tensors of other ranks", because: "both have the same axes before theirs")
    }
    let weight = try call.tensor(2, "weight")
    guard let shape = t.shape(of: weight), shape.count == 3 else {
      throw call.failure("a weight that is computed", because: "it must be known from the file")
    }
    // The first's elements as a matrix for the second's: [.., outputs, elements].
    let turned = t.emit("Transpose", [weight], ["perm": .integers([1, 0, 2])], rank: 3, of: call)
    let matrix = t.emit(
      "Reshape", [turned, t.ints([shape[1], shape[0] * shape[2]])], rank: 2, of: call)
    let rows = t.emit(
      "Reshape",
      [
        t.emit("MatMul", [first, matrix], rank: rank, of: call),
        t.ints(Array(repeating: 0, count: rank - 1) + [shape[0], shape[2]]),
      ], rank: rank + 1, of: call)
    let other = AtenShapes.unsqueeze(&t, second, rank - 1, call)
    let product = t.emit(
      "ReduceSum", [t.emit("Mul", [rows, other], rank: rank + 1, of: call), t.ints([rank])],
      ["keepdims": .integer(0)], rank: rank, of: call)
    guard let bias = call.optionalTensor(3, "bias") else { return product }
    return t.emit("Add", [product, bias], rank: rank, of: call)
  }

  static func linear(
    _ t: inout AtenTranslation, _ x: AtenTensor, _ weight: AtenTensor, _ bias: AtenTensor?,
    _ call: AtenCall
  ) -> AtenTensor {
    let columns = AtenShapes.transposed(&t, weight, [1, 0], call)
    let product = t.emit("MatMul", [x, columns], rank: x.rank, of: call)
    guard let bias else { return product }
    return t.emit("Add", [product, bias], rank: x.rank, of: call)
  }

  private static func product(
    _ t: inout AtenTranslation, _ a: AtenTensor, _ b: AtenTensor, _ call: AtenCall
  ) -> AtenTensor {
    let rank = a.rank.flatMap { first -> Int? in
      guard let second = b.rank else { return nil }
      if first == 1 || second == 1 { return max(first, second) - 1 }
      return max(first, second)
    }
    return t.emit("MatMul", [a, b], rank: rank, of: call)
  }

  // MARK: Windows

  private static func convolution(_ t: inout AtenTranslation, _ call: AtenCall) throws(ImportError)
    -> AtenTensor
  {
    let (x, weight) = (try call.tensor(0, "input"), try call.tensor(1, "weight"))
    guard let count = weight.rank.map({ $0 - 2 }), (1...3).contains(count) else {
      throw call.failure(
        "a kernel of \(weight.rank.map(String.init) ?? "unknown") axes",
        because: "convolutions are over one axis, two or three")
    }
    let isLong = call.name.hasSuffix("convolution")
    if isLong, call.bool(6, "transposed") {
      throw call.failure(
        "transposed=True", because: "no op does that", instead: Remedy.transposedConvolution)
    }
    let strides = try axes(call, 3, "stride", count: count, default: 1)
    let dilations = try axes(call, 5, "dilation", count: count, default: 1)
    let groups = try call.int(isLong ? 8 : 6, "groups", default: 1)
    var pads = Array(repeating: 0, count: 2 * count)
    switch call.text(4, "padding") {
    case "same":
      guard let kernel = t.shape(of: weight)?.dropFirst(2) else {
        throw call.failure(
          "padding=\"same\" of a kernel that is computed", because: "its size is not known",
          instead: "give the padding as a number")
      }
      let totals = zip(dilations, kernel).map { $0 &* ($1 - 1) }
      pads = totals.map { $0 / 2 } + totals.map { $0 - $0 / 2 }
    case "valid": break
    default:
      let padding = try axes(call, 4, "padding", count: count, default: 0)
      pads = padding + padding
    }
    return t.emit(
      "Conv", [x, weight, call.optionalTensor(2, "bias")],
      [
        "strides": .integers(strides), "dilations": .integers(dilations), "pads": .integers(pads),
        "group": .integer(groups),
      ], rank: x.rank, of: call)
  }

  /// A number for each axis; a single number is used for all.
  static func axes(
    _ call: AtenCall, _ index: Int, _ name: String, count: Int, default value: Int
  ) throws(ImportError) -> [Int] {
    let given = try call.ints(index, name) ?? []
    switch given.count {
    case 0: return Array(repeating: value, count: count)
    case 1: return Array(repeating: given[0], count: count)
    case count: return given
    default:
      throw call.failure("a \(name) of \(given)", because: "it has \(count) axes")
    }
  }

  // MARK: Normalisations

  private static func ones(_ t: inout AtenTranslation, _ shape: [Int]) -> AtenTensor {
    t.constant(SourceConstant(SourceTensor(repeating: 1, shape: shape)), named: "ones")
  }

  private static func layerNorm(_ t: inout AtenTranslation, _ call: AtenCall) throws(ImportError)
    -> AtenTensor
  {
    let x = try call.tensor(0, "input")
    let axes = try call.ints(1, "normalized_shape") ?? []
    guard RowMajor.count(axes, limit: Lowering.maxElements) ?? 0 > 0 else {
      throw call.failure("normalized_shape \(axes)", because: "it must be known from the file")
    }
    var weight = call.optionalTensor(2, "weight")
    if weight == nil { weight = ones(&t, axes) }
    return t.emit(
      "LayerNormalization", [x, weight, call.optionalTensor(3, "bias")],
      [
        "axis": .integer(-axes.count),
        "epsilon": .float(try call.number(4, "eps", default: 1e-5)),
      ],
      rank: x.rank, of: call)
  }

  /// `group_norm(input, num_groups, weight, bias, eps)`,
  /// `instance_norm(input, weight, bias, running_mean, running_var, use_input_stats, momentum, eps)`
  private static func groupNorm(_ t: inout AtenTranslation, _ call: AtenCall) throws(ImportError)
    -> AtenTensor
  {
    let x = try call.tensor(0, "input")
    let isGroup = call.name == "group_norm"
    guard isGroup || call.bool(5, "use_input_stats", default: true) else {
      throw call.failure(
        "running statistics", because: "its own are computed of each sequence",
        instead: "take BatchNorm1d, which has running statistics")
    }
    var attributes: [String: SourceAttribute] = [
      "epsilon": .float(try call.number(isGroup ? 4 : 7, "eps", default: 1e-5))
    ]
    if isGroup { attributes["num_groups"] = .integer(try call.int(1, "num_groups")) }
    let first = isGroup ? 2 : 1
    return t.emit(
      isGroup ? "GroupNormalization" : "InstanceNormalization",
      [x, call.optionalTensor(first, "weight"), call.optionalTensor(first + 1, "bias")],
      attributes, rank: x.rank, of: call)
  }

  private static func batchNorm(_ t: inout AtenTranslation, _ call: AtenCall) throws(ImportError)
    -> AtenTensor
  {
    let x = try call.tensor(0, "input")
    let isShort =
      call.name == "_native_batch_norm_legit_no_training" || call.name == "_batch_norm_no_update"
    guard let mean = call.optionalTensor(3, "running_mean"),
      let variance = call.optionalTensor(4, "running_var")
    else {
      throw call.failure(
        "no running_mean", because: "a batch's own statistics differ with its company",
        instead: "train the module with track_running_stats=True, its default")
    }
    if !isShort, call.bool(5, "training") {
      throw call.failure(
        "training=True", because: "a batch's own statistics differ with its company",
        instead: "call model.eval() before the export")
    }
    let epsilon = try call.number(isShort ? 6 : 7, "eps", default: 1e-5)
    guard let size = t.shape(of: mean) else {
      throw call.failure("computed statistics", because: "they must be constants")
    }
    var (weight, bias) = (call.optionalTensor(1, "weight"), call.optionalTensor(2, "bias"))
    if weight == nil { weight = ones(&t, size) }
    if bias == nil {
      bias = t.constant(SourceConstant(SourceTensor(repeating: 0, shape: size)), named: "zeros")
    }
    return t.emit(
      "BatchNormalization", [x, weight, bias, mean, variance], ["epsilon": .float(epsilon)],
      rank: x.rank, of: call)
  }

  /// `v · g / ‖v‖`, whose norms are over all axes but one; over all of them if that is -1.
  private static func weightNorm(_ t: inout AtenTranslation, _ call: AtenCall) throws(ImportError)
    -> AtenTensor
  {
    let (v, g) = (try call.tensor(0, "v"), try call.tensor(1, "g"))
    let axis = try call.int(2, "dim", default: 0)
    guard let weights = t.graph.constants[v.name], let norms = t.graph.constants[g.name],
      axis == -1 || weights.shape.indices.contains(axis)
    else { throw call.failure("computed weights", because: "they must be constants") }
    let shape = weights.shape
    let (rows, stride) = axis == -1 ? (1, 1) : (shape[axis], RowMajor.strides(shape)[axis])
    let constant = SourceConstant(shape: shape, kind: .float) { () throws(ImportError) in
      var elements = try weights.tensor().dense
      let lengths = try norms.tensor().dense
      var squares = Array(repeating: 0.0, count: rows)
      func row(_ index: Int) -> Int { index / stride % rows }
      for (index, element) in elements.enumerated() { squares[row(index)] += element * element }
      guard lengths.count == squares.count else {
        throw ImportError(
          file: "", place: "weight_norm",
          problem: "found \(lengths.count) norms for weights of \(shape)")
      }
      for index in elements.indices {
        elements[index] *= lengths[row(index)] / squares[row(index)].squareRoot()
      }
      return elements
    }
    return t.constant(constant, named: "\(call.label).weight")
  }
}
