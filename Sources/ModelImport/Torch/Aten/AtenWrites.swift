/// Operators that write over tensors or parts of them.
enum AtenWrites {
  static func translate(_ t: inout AtenTranslation, _ call: AtenCall) throws(ImportError)
    -> AtenValue?
  {
    switch call.name {
    case "zero_", "zero":
      return .tensor(try filled(&t, try call.tensor(0, "self"), .float(0), call))
    case "fill_", "fill":
      let value = call.value(1, "value") ?? .float(0)
      return .tensor(try filled(&t, try call.tensor(0, "self"), value, call))
    case "copy_", "copy":
      return .tensor(try copied(&t, try call.tensor(0, "self"), call.value(1, "src"), call))
    case "index_put", "index_put_": return .tensor(try chosen(&t, call))
    case "select_scatter":
      let (x, part) = (try call.tensor(0, "self"), try call.tensor(1, "src"))
      let index = try call.int(3, "index")
      let place = AtenStorage.Place.part(
        axis: try call.int(2, "dim"), start: index, end: end(behind: index), isIndex: true)
      return .tensor(try put(&t, part, into: x, place, call))
    case "slice_scatter":
      let (x, part) = (try call.tensor(0, "self"), try call.tensor(1, "src"))
      guard try call.int(5, "step", default: 1) == 1 else {
        throw call.failure(
          "a step other than 1", because: "parts in one piece are written over",
          instead: Remedy.strided)
      }
      let place = AtenStorage.Place.part(
        axis: try call.int(2, "dim", default: 0), start: try call.int(3, "start", default: 0),
        end: try call.int(4, "end", default: Int(Int32.max)), isIndex: false)
      return .tensor(try put(&t, part, into: x, place, call))
    default: return nil
    }
  }

  /// Operators that make several views of a tensor.
  static let splits: Set<String> = [
    "split", "split_with_sizes", "chunk", "unbind", "tensor_split",
  ]

  /// How the result of a call lies in its first argument; nil if it is a tensor of its own.
  static func place(_ call: AtenCall, _ source: AtenTensor) -> AtenStorage.Place? {
    switch call.name {
    case "detach", "detach_", "alias", "dropout", "dropout_", "feature_dropout", "alpha_dropout",
      "positive", "requires_grad_", "resolve_conj", "resolve_neg":
      return .whole
    case "view", "view_as", "unflatten", "squeeze", "squeeze_", "unsqueeze", "unsqueeze_":
      return .reshaped
    case "transpose", "transpose_", "swapaxes", "swapdims", "t", "numpy_T", "mT", "permute":
      guard let rank = source.rank, let order = try? AtenShapes.order(call, source, rank: rank)
      else { return .unknown }
      return .moved(order.indices.map { order.firstIndex(of: $0) ?? 0 })
    case "select":
      guard let axis = try? call.int(1, "dim"), let index = try? call.int(2, "index") else {
        return .unknown
      }
      return .part(axis: axis, start: index, end: end(behind: index), isIndex: true)
    case "slice", "narrow":
      let axis = try? call.int(1, "dim", default: 0)
      let start = try? call.int(2, "start", default: 0)
      guard let axis, let start else { return .unknown }
      if call.name == "narrow" {
        guard let length = try? call.int(3, "length"), start >= 0 else { return .unknown }
        return .part(axis: axis, start: start, end: start &+ length, isIndex: false)
      }
      guard let end = try? call.int(3, "end", default: Int(Int32.max)),
        let step = try? call.int(4, "step", default: 1)
      else { return .unknown }
      if step != 1 { return .strided }
      if start == 0, end >= Int(Int32.max) { return .whole }
      return .part(axis: axis, start: start, end: min(end, Int(Int32.max)), isIndex: false)
    // Views where the elements lie in order, else copies.
    case "contiguous", "reshape", "reshape_as", "_reshape_alias", "flatten", "to", "type_as",
      "float", "double", "expand", "expand_as", "broadcast_to", "unfold", "diagonal":
      return .unknown
    default: return nil
    }
  }

  private static func end(behind index: Int) -> Int { index == -1 ? Int(Int32.max) : index + 1 }

  /// A tensor after `part` was written to the place in it.
  static func put(
    _ t: inout AtenTranslation, _ part: AtenTensor, into x: AtenTensor, _ place: AtenStorage.Place,
    _ call: AtenCall
  ) throws(ImportError) -> AtenTensor {
    switch place {
    case .whole: return part
    case .reshaped:
      let shape = t.emit("Shape", [x], rank: 1, isWhole: true, of: call)
      return t.emit("Reshape", [part, shape], rank: x.rank, isWhole: x.isWhole, of: call)
    case .moved(let order): return AtenShapes.transposed(&t, part, order, call)
    case .part(let axis, let start, let end, let isIndex):
      let axis = try AtenShapes.axis(axis, of: x, call)
      var parts = [isIndex ? AtenShapes.unsqueeze(&t, part, axis, call) : part]
      func rest(_ from: Int, _ to: Int, _ t: inout AtenTranslation) -> AtenTensor {
        t.emit(
          "Slice", [x, t.ints([from]), t.ints([to]), t.ints([axis])],
          ["mayBeEmpty": .integer(1)], rank: x.rank, isWhole: x.isWhole, of: call)
      }
      if start != 0 { parts.insert(rest(0, start, &t), at: 0) }
      if end < Int(Int32.max) { parts.append(rest(end, Int(Int32.max), &t)) }
      if parts.count == 1 { return parts[0] }
      return t.emit(
        "Concat", parts, ["axis": .integer(axis)], rank: x.rank, isWhole: x.isWhole, of: call)
    case .strided, .unknown:
      throw call.failure("a view that can't be written through", because: "it may be a copy")
    }
  }

  /// One number in all places of a tensor.
  private static func filled(
    _ t: inout AtenTranslation, _ x: AtenTensor, _ value: AtenValue, _ call: AtenCall
  ) throws(ImportError) -> AtenTensor {
    let zeros = try AtenElementwise.two(&t, "Mul", .tensor(x), .float(0), call)
    return try AtenElementwise.two(&t, "Add", .tensor(zeros), value, call)
  }

  private static func copied(
    _ t: inout AtenTranslation, _ x: AtenTensor, _ value: AtenValue?, _ call: AtenCall
  ) throws(ImportError) -> AtenTensor {
    guard case .tensor(let source)? = value, source.rank ?? 0 > 0 else {
      return try filled(&t, x, value ?? .float(0), call)
    }
    let shape = t.emit("Shape", [x], rank: 1, isWhole: true, of: call)
    return t.emit("Expand", [source, shape], rank: x.rank, isWhole: source.isWhole, of: call)
  }

  /// `x[mask] = number`
  private static func chosen(_ t: inout AtenTranslation, _ call: AtenCall) throws(ImportError)
    -> AtenTensor
  {
    let x = try call.tensor(0, "self")
    let value = try call.tensor(2, "values")
    let indices = call.list(1, "indices") ?? []
    guard indices.count == 1, case .tensor(var mask) = indices[0], t.isBoolean(mask),
      !call.bool(3, "accumulate"), value.rank == 0, let rank = x.rank, let own = mask.rank
    else {
      throw call.failure(
        "indices", because: "a number may be written where a mask is true",
        instead: "put the result together with torch.cat or torch.where")
    }
    for axis in own..<max(rank, own) { mask = AtenShapes.unsqueeze(&t, mask, axis, call) }
    return t.emit("Where", [mask, value, x], rank: rank, isWhole: x.isWhole, of: call)
  }
}
