/// Operators that change shapes only.
enum AtenShapes {
  /// The numbers of PyTorch's floating-point types.
  static let floatTypes: Set<Int> = [5, 6, 7, 15]
  static let booleanType = 11

  static func translate(_ t: inout AtenTranslation, _ call: AtenCall) throws(ImportError)
    -> AtenValue?
  {
    switch call.name {
    case "dropout", "dropout_", "feature_dropout", "feature_dropout_", "alpha_dropout",
      "alpha_dropout_", "feature_alpha_dropout", "native_dropout":
      let ratio = try call.number(1, "p", default: 0.5)
      // native_dropout has None for what it is called in training.
      let isTraining = call.bool(2, "train", default: call.name == "native_dropout")
      if isTraining, ratio > 0 { t.note(Note.dropout(call.place, ratio)) }
      return call.value(0, "self") ?? call.value(-1, "input")
    case "contiguous", "clone", "detach", "detach_", "alias", "lift_fresh_copy", "lift_fresh",
      "to_dense",
      "requires_grad_", "pin_memory",
      "cpu", "cuda", "_to_copy_same", "positive", "resolve_conj", "resolve_neg":
      return call.value(0, "self") ?? call.value(-1, "input")
    case "to", "_to_copy", "type_as", "float", "double", "half", "long", "convert_element_type":
      return .tensor(try cast(&t, call))
    case "view", "reshape", "_unsafe_view", "_reshape_alias", "reshape_as", "view_as":
      return .tensor(try reshape(&t, call))
    case "flatten": return .tensor(try flatten(&t, call))
    case "unflatten": return .tensor(try unflatten(&t, call))
    case "squeeze", "squeeze_": return .tensor(try squeeze(&t, call))
    case "unsqueeze", "unsqueeze_":
      let x = try call.tensor(0, "self")
      return .tensor(unsqueeze(&t, x, try call.int(1, "dim"), call))
    case "t", "numpy_T", "mT", "adjoint", "transpose", "transpose_", "swapaxes", "swapdims",
      "permute":
      return .tensor(try permute(&t, call))
    case "expand", "expand_as", "broadcast_to": return .tensor(try expand(&t, call))
    case "repeat_interleave": return .tensor(try repeatSteps(&t, call))
    case "repeat", "tile":
      var x = try call.tensor(0, "self")
      var repeats = call.list(1, call.name == "repeat" ? "repeats" : "dims") ?? []
      guard let rank = x.rank else {
        throw call.failure("a tensor of unknown rank", because: "its axes are repeated")
      }
      // The shorter of the two is filled with ones in front.
      for _ in 0..<max(repeats.count - rank, 0) { x = unsqueeze(&t, x, 0, call) }
      repeats = Array(repeating: .int(1), count: max(rank - repeats.count, 0)) + repeats
      return .tensor(
        t.emit("Tile", [x, try t.sizes(repeats, call)], rank: x.rank, isWhole: x.isWhole, of: call))
    default: return nil
    }
  }

  /// Each index of an axis so many times in a row.
  private static func repeatSteps(
    _ t: inout AtenTranslation, _ call: AtenCall
  ) throws(ImportError) -> AtenTensor {
    let x = try call.tensor(0, "self")
    let (times, given) = (try call.int(1, "repeats"), try call.int(2, "dim"))
    guard let rank = x.rank, (-rank..<rank).contains(given), times > 0 else {
      throw call.failure("a dim that isn't known", because: "an axis is repeated")
    }
    let axis = given < 0 ? given + rank : given
    guard x.isWhole else {
      var scales = Array(repeating: 1.0, count: rank)
      scales[axis] = Double(times)
      let constant = t.constant(
        SourceConstant(SourceTensor(shape: [rank], elements: scales)), named: "scales")
      return AtenPools.nearest(&t, [x, nil, constant], of: call)
    }
    var repeats = Array(repeating: 1, count: rank + 1)
    repeats[axis + 1] = times
    let apart = unsqueeze(&t, x, axis + 1, call)
    let wide = t.emit(
      "Tile", [apart, t.ints(repeats)], rank: rank + 1, isWhole: x.isWhole, of: call)
    var sizes: [AtenValue] = []
    for index in 0..<rank {
      sizes.append(index == axis ? .int(-1) : t.size(of: x, axis: index, call))
    }
    return t.emit(
      "Reshape", [wide, try t.sizes(sizes, call)], rank: rank, isWhole: x.isWhole, of: call)
  }

  static func unsqueeze(
    _ t: inout AtenTranslation, _ x: AtenTensor, _ axis: Int, _ call: AtenCall
  ) -> AtenTensor {
    t.emit(
      "Unsqueeze", [x, t.ints([axis])], rank: x.rank.map { $0 + 1 }, isWhole: x.isWhole, of: call)
  }

  static func transposed(
    _ t: inout AtenTranslation, _ x: AtenTensor, _ order: [Int], _ call: AtenCall
  ) -> AtenTensor {
    t.emit(
      "Transpose", [x], ["perm": .integers(order)], rank: order.count, isWhole: x.isWhole, of: call)
  }

  private static func cast(_ t: inout AtenTranslation, _ call: AtenCall) throws(ImportError)
    -> AtenTensor
  {
    let x = try call.tensor(0, "self")
    var isWhole = x.isWhole
    var isBoolean = false
    switch call.name {
    case "float", "double", "half": isWhole = false
    case "long": isWhole = true
    case "type_as": isWhole = try call.tensor(1, "other").isWhole
    default:
      if case .tensor(let other)? = call.value(1, "other") {
        isWhole = other.isWhole
      } else if let type = (1..<4).lazy.compactMap({ index -> Int? in
        if case .int(let type)? = call.value(index) { type } else { nil }
      }).first ?? (try? call.int(-1, "dtype")) {
        isWhole = !floatTypes.contains(type)
        isBoolean = type == booleanType
      }
    }
    if isBoolean, !t.isBoolean(x) {
      return t.asBoolean(x, call)
    }
    // Truths that become whole numbers can be added up.
    guard isWhole != x.isWhole || isWhole && !isBoolean && t.isBoolean(x) else { return x }
    return t.emit(
      "Cast", [x], ["to": .integer(isWhole ? 7 : 1)], rank: x.rank, isWhole: isWhole, of: call)
  }

  private static func reshape(_ t: inout AtenTranslation, _ call: AtenCall) throws(ImportError)
    -> AtenTensor
  {
    let x = try call.tensor(0, "self")
    if call.name.hasSuffix("_as") {
      let other = try call.tensor(1, "other")
      let shape = t.emit("Shape", [other], rank: 1, isWhole: true, of: call)
      return t.emit("Reshape", [x, shape], rank: other.rank, isWhole: x.isWhole, of: call)
    }
    guard let sizes = call.list(1, "shape") ?? call.list(-1, "size") else {
      throw call.failure("no sizes", because: "it needs a list of them")
    }
    return t.emit(
      "Reshape", [x, try t.sizes(sizes, call)], ["allowzero": .integer(1)], rank: sizes.count,
      isWhole: x.isWhole, of: call)
  }

  private static func rank(_ x: AtenTensor, _ call: AtenCall) throws(ImportError) -> Int {
    guard let rank = x.rank else {
      throw call.failure("a tensor of unknown rank", because: "its axes can't be counted")
    }
    return rank
  }

  /// An axis, which may be negative to count from the end.
  static func axis(_ axis: Int, of x: AtenTensor, _ call: AtenCall) throws(ImportError) -> Int {
    guard axis < 0 else { return axis }
    let counted = axis + (try rank(x, call))
    guard counted >= 0 else { throw call.failure("axis \(axis)", because: "the tensor has fewer") }
    return counted
  }

  private static func flatten(_ t: inout AtenTranslation, _ call: AtenCall) throws(ImportError)
    -> AtenTensor
  {
    let x = try call.tensor(0, "self")
    let rank = try rank(x, call)
    let start = try axis(try call.int(1, "start_dim", default: 0), of: x, call)
    let end = try axis(try call.int(2, "end_dim", default: -1), of: x, call)
    guard start <= end, end < rank else {
      throw call.failure("axes \(start) to \(end)", because: "the tensor has \(rank)")
    }
    var sizes = (0..<start).map { t.size(of: x, axis: $0, call) }
    sizes.append(.int(-1))
    for axis in (end + 1)..<max(rank, end + 1) { sizes.append(t.size(of: x, axis: axis, call)) }
    return t.emit(
      "Reshape", [x, try t.sizes(sizes, call)], rank: sizes.count, isWhole: x.isWhole, of: call)
  }

  private static func unflatten(_ t: inout AtenTranslation, _ call: AtenCall) throws(ImportError)
    -> AtenTensor
  {
    let x = try call.tensor(0, "self")
    let rank = try rank(x, call)
    let axis = try axis(try call.int(1, "dim"), of: x, call)
    guard let parts = call.list(2, "sizes"), axis < rank else {
      throw call.failure("no sizes", because: "it needs a list of them")
    }
    var sizes = (0..<axis).map { t.size(of: x, axis: $0, call) } + parts
    for axis in (axis + 1)..<max(rank, axis + 1) { sizes.append(t.size(of: x, axis: axis, call)) }
    return t.emit(
      "Reshape", [x, try t.sizes(sizes, call)], rank: sizes.count, isWhole: x.isWhole, of: call)
  }

  private static func squeeze(_ t: inout AtenTranslation, _ call: AtenCall) throws(ImportError)
    -> AtenTensor
  {
    let x = try call.tensor(0, "self")
    guard let axes = try call.ints(1, "dim") else {
      return t.emit("Squeeze", [x], rank: nil, isWhole: x.isWhole, of: call)
    }
    return t.emit(
      "Squeeze", [x, t.ints(axes)], rank: x.rank.map { $0 - axes.count }, isWhole: x.isWhole,
      of: call)
  }

  private static func permute(_ t: inout AtenTranslation, _ call: AtenCall) throws(ImportError)
    -> AtenTensor
  {
    let x = try call.tensor(0, "self")
    let rank = try rank(x, call)
    let order = try order(call, x, rank: rank)
    return order == Array(0..<rank) ? x : transposed(&t, x, order, call)
  }

  /// The axes of a tensor in the order of the call's result.
  static func order(
    _ call: AtenCall, _ x: AtenTensor, rank: Int
  ) throws(ImportError) -> [Int] {
    var order = Array(0..<rank)
    switch call.name {
    case "t": order.reverse()
    case "numpy_T": order.reverse()
    case "mT", "adjoint": if rank > 1 { order.swapAt(rank - 1, rank - 2) }
    case "permute":
      guard let dims = try call.ints(1, "dims") else {
        throw call.failure("no axes", because: "it needs a list")
      }
      order = []
      for dim in dims { order.append(try axis(dim, of: x, call)) }
    default:
      let (first, second) = (
        try axis(try call.int(1, "dim0"), of: x, call),
        try axis(try call.int(2, "dim1"), of: x, call)
      )
      guard first < rank, second < rank else {
        throw call.failure("axes \(first) and \(second)", because: "the tensor has \(rank)")
      }
      order.swapAt(first, second)
    }
    guard order.sorted() == Array(0..<rank) else {
      throw call.failure("the axes \(order)", because: "the tensor has \(rank)")
    }
    return order
  }

  private static func expand(_ t: inout AtenTranslation, _ call: AtenCall) throws(ImportError)
    -> AtenTensor
  {
    let x = try call.tensor(0, "self")
    if call.name == "expand_as" {
      let other = try call.tensor(1, "other")
      let shape = t.emit("Shape", [other], rank: 1, isWhole: true, of: call)
      return t.emit("Expand", [x, shape], rank: other.rank, isWhole: x.isWhole, of: call)
    }
    // -1 keeps a size, as 1 does in ONNX.
    let sizes = (call.list(1, "size") ?? []).map { size -> AtenValue in
      if case .int(-1) = size { .int(1) } else { size }
    }
    return t.emit(
      "Expand", [x, try t.sizes(sizes, call)], rank: sizes.count, isWhole: x.isWhole, of: call)
  }
}
