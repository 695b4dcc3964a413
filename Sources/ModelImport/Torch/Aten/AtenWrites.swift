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
      let place = AtenStorage.Place.part(
        axis: try call.int(2, "dim"), start: call.value(3, "index") ?? .none, end: .none)
      return .tensor(try put(&t, part, into: x, place, call))
    case "slice_scatter":
      let (x, part) = (try call.tensor(0, "self"), try call.tensor(1, "src"))
      guard try call.int(5, "step", default: 1) == 1 else {
        throw call.failure(
          "a step other than 1", because: "parts in one piece are written over",
          instead: Remedy.strided)
      }
      let place = AtenStorage.Place.part(
        axis: try call.int(2, "dim", default: 0), start: bound(call.value(3, "start"), or: 0),
        end: bound(call.value(4, "end"), or: allSteps))
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
      guard let axis = try? call.int(1, "dim"), let index = call.value(2, "index"), isBound(index)
      else { return .unknown }
      return .part(axis: axis, start: index, end: .none)
    case "slice", "narrow":
      let (start, end) = (
        bound(call.value(2, "start"), or: 0), bound(call.value(3, "end"), or: allSteps)
      )
      guard let axis = try? call.int(1, "dim", default: 0), isBound(start) else { return .unknown }
      if call.name == "narrow" {
        guard case .int(let first) = start, let length = try? call.int(3, "length"), first >= 0
        else { return .unknown }
        return .part(axis: axis, start: start, end: .int(first &+ length))
      }
      guard isBound(end), let step = try? call.int(4, "step", default: 1) else { return .unknown }
      if step != 1 { return .strided }
      if case (.int(0), .int(allSteps...)) = (start, end) { return .whole }
      return .part(axis: axis, start: start, end: end)
    // Views where the elements lie in order, else copies.
    case "contiguous", "reshape", "reshape_as", "_reshape_alias", "flatten", "to", "type_as",
      "float", "double", "expand", "expand_as", "broadcast_to", "unfold", "diagonal":
      return .unknown
    default: return nil
    }
  }

  /// An end behind any axis.
  private static let allSteps = Int(Int32.max)

  private static func bound(_ value: AtenValue?, or fallback: Int) -> AtenValue {
    switch value {
    case nil, .some(.none): .int(fallback)
    case .int(let bound)?: .int(min(bound, allSteps))
    case .some(let value): value
    }
  }

  /// Whether a value is a number, or one that is computed from sizes.
  private static func isBound(_ value: AtenValue) -> Bool {
    switch value {
    case .int: true
    case .tensor(let tensor): tensor.rank ?? 0 == 0
    default: false
    }
  }

  /// What lies behind a single index.
  private static func end(
    _ t: inout AtenTranslation, behind index: AtenValue, _ call: AtenCall
  ) throws(ImportError) -> AtenValue {
    if case .int(let index) = index { return .int(index == -1 ? allSteps : index + 1) }
    return .tensor(try AtenElementwise.two(&t, "Add", index, .int(1), call))
  }

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
    case .part(let axis, let start, var end):
      let axis = try AtenShapes.axis(axis, of: x, call)
      var parts = [part]
      if case .none = end {
        end = try Self.end(&t, behind: start, call)
        parts = [AtenShapes.unsqueeze(&t, part, axis, call)]
      }
      func rest(_ from: AtenValue, _ to: AtenValue) throws(ImportError) -> AtenTensor {
        t.emit(
          "Slice", [x, try t.entry(from, call), try t.entry(to, call), t.ints([axis])],
          ["isOfWrite": .integer(1)], rank: x.rank, isWhole: x.isWhole, of: call)
      }
      if case .int(0) = start {} else { parts.insert(try rest(.int(0), start), at: 0) }
      if case .int(allSteps...) = end {} else { parts.append(try rest(end, .int(allSteps))) }
      if parts.count == 1 { return parts[0] }
      return t.emit(
        "Concat", parts, ["axis": .integer(axis), "isOfWrite": .integer(1)], rank: x.rank,
        isWhole: x.isWhole, of: call)
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
