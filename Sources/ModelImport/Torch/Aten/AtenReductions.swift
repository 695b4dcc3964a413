/// Sums, means and the like over axes.
enum AtenReductions {
  private static let ops = [
    "mean": "ReduceMean", "sum": "ReduceSum", "amax": "ReduceMax", "amin": "ReduceMin",
    "max": "ReduceMax", "min": "ReduceMin", "logsumexp": "ReduceLogSumExp", "prod": "ReduceProd",
  ]

  static func translate(_ t: inout AtenTranslation, _ call: AtenCall) throws(ImportError)
    -> AtenValue?
  {
    switch call.name {
    case "any", "all": return .tensor(try truth(&t, call))
    case "cumsum":
      let x = try call.tensor(0, "self")
      try checkType(x, call)
      let axis = t.scalar(Double(try call.int(1, "dim")), isWhole: true)
      return .tensor(t.emit("CumSum", [x, axis], rank: x.rank, isWhole: x.isWhole, of: call))
    case "linalg_norm" where isOfMatrix(call):
      throw call.failure(
        "the norm of a matrix", because: "norms of vectors are carried, and the Frobenius norm",
        instead: "of vectors take torch.linalg.vector_norm")
    case "norm", "linalg_vector_norm", "linalg_norm": return .tensor(try norm(&t, call))
    case "argmax", "argmin":
      let x = try call.tensor(0, "self")
      let keeps = call.bool(2, "keepdim")
      return .tensor(
        t.emit(
          call.name == "argmax" ? "ArgMax" : "ArgMin", [x],
          ["axis": .integer(try call.int(1, "dim")), "keepdims": .integer(keeps ? 1 : 0)],
          rank: x.rank.map { keeps ? $0 : $0 - 1 }, isWhole: true, of: call))
    case "var", "std": return .tensor(try deviation(&t, call))
    case "cosine_similarity": return .tensor(try cosine(&t, call))
    case "pairwise_distance": return .tensor(try distance(&t, call))
    default: break
    }
    guard let op = ops[call.name] else { return nil }
    let x = try call.tensor(0, "self")
    let isPair = call.name == "max" || call.name == "min"
    if isPair, case .tensor? = call.value(1, "other") {
      return .tensor(
        try AtenElementwise.two(
          &t, call.name == "max" ? "Max" : "Min", .tensor(x), call.value(1, "other"), call))
    }
    try checkType(x, call)
    let axes = try call.ints(1, "dim")
    let keeps = call.bool(2, "keepdim")
    let result = reduce(&t, op, x, axes, keeps, call)
    // max(x, dim) gives values and indices.
    return isPair && axes != nil ? .list([.tensor(result), .other("indices")]) : .tensor(result)
  }

  /// Checks that a type that a call asks for rounds nothing.
  private static func checkType(_ x: AtenTensor, _ call: AtenCall) throws(ImportError) {
    guard case .int(let type)? = call.value(-1, "dtype"), !AtenShapes.floatTypes.contains(type)
    else { return }
    let isOfTruth = type == AtenShapes.booleanType
    guard x.isWhole, !isOfTruth else {
      throw call.failure(
        "dtype=\(isOfTruth ? "torch.bool" : "a type of whole numbers") of others",
        because: "no op of a folder rounds")
    }
  }

  /// Whether torch.linalg.norm is of the matrices along two axes, and not the root of a sum of squares.
  private static func isOfMatrix(_ call: AtenCall) -> Bool {
    guard call.text(1, "ord") != "fro" else { return false }
    switch call.value(1, "ord") {
    case nil, .some(.none): return false
    default: break
    }
    return (try? call.ints(2, "dim"))?.count ?? 2 == 2
  }

  private static func reduce(
    _ t: inout AtenTranslation, _ op: String, _ x: AtenTensor, _ axes: [Int]?, _ keeps: Bool,
    _ call: AtenCall
  ) -> AtenTensor {
    let all = axes.map { $0.isEmpty } ?? true
    let rank = all ? 0 : x.rank.map { keeps ? $0 : $0 - (axes?.count ?? 0) }
    return t.emit(
      op, [x, all ? nil : t.ints(axes ?? [])], ["keepdims": .integer(keeps ? 1 : 0)], rank: rank,
      isWhole: x.isWhole, of: call)
  }

  /// The variance, or its root.
  private static func deviation(_ t: inout AtenTranslation, _ call: AtenCall) throws(ImportError)
    -> AtenTensor
  {
    let x = try call.tensor(0, "self")
    // var(x, unbiased), var(x, dim, unbiased, keepdim), var(x, dim, correction=, keepdim=).
    guard let axes = try call.ints(1, "dim"), !axes.isEmpty else {
      throw call.failure("no dim", because: "it is of all sequences of a batch together")
    }
    var correction = call.bool(2, "unbiased", default: true) ? 1.0 : 0
    if let given = try? call.number(-1, "correction") { correction = given }
    let keeps = call.bool(3, "keepdim")
    let mean = reduce(&t, "ReduceMean", x, axes, true, call)
    let centred = t.emit("Sub", [x, mean], rank: x.rank, of: call)
    let squares = t.emit("Mul", [centred, centred], rank: x.rank, of: call)
    var variance = reduce(&t, "ReduceMean", squares, axes, keeps, call)
    if correction != 0 {
      // The number of elements is a sum of ones, since it may be known only when the model runs.
      let zeros = t.emit("Mul", [x, t.scalar(0)], rank: x.rank, of: call)
      let ones = t.emit("Add", [zeros, t.scalar(1)], rank: x.rank, of: call)
      let count = reduce(&t, "ReduceSum", ones, axes, keeps, call)
      let fewer = t.emit("Sub", [count, t.scalar(correction)], rank: variance.rank, of: call)
      let factor = t.emit("Div", [count, fewer], rank: variance.rank, of: call)
      variance = t.emit("Mul", [variance, factor], rank: variance.rank, of: call)
    }
    guard call.name == "std" else { return variance }
    return t.emit("Sqrt", [variance], rank: variance.rank, of: call)
  }

  /// The product of two vectors by that of their Euclidean norms.
  private static func cosine(_ t: inout AtenTranslation, _ call: AtenCall) throws(ImportError)
    -> AtenTensor
  {
    let (a, b) = (try call.tensor(0, "x1"), try call.tensor(1, "x2"))
    let axis = [try call.int(2, "dim", default: 1)]
    let epsilon = try call.number(3, "eps", default: 1e-8)
    func sum(_ a: AtenTensor, _ b: AtenTensor, _ t: inout AtenTranslation) -> AtenTensor {
      reduce(
        &t, "ReduceSum", t.emit("Mul", [a, b], rank: a.rank, of: call), axis, false, call)
    }
    let product = sum(a, b, &t)
    func norm(_ x: AtenTensor, _ t: inout AtenTranslation) -> AtenTensor {
      let root = t.emit("Sqrt", [sum(x, x, &t)], rank: product.rank, of: call)
      return t.emit("Max", [root, t.scalar(epsilon)], rank: product.rank, of: call)
    }
    let norms = t.emit("Mul", [norm(a, &t), norm(b, &t)], rank: product.rank, of: call)
    return t.emit("Div", [product, norms], rank: product.rank, of: call)
  }

  /// The norm of the difference of two vectors, to each of whose elements eps is added.
  private static func distance(_ t: inout AtenTranslation, _ call: AtenCall) throws(ImportError)
    -> AtenTensor
  {
    let (a, b) = (try call.tensor(0, "x1"), try call.tensor(1, "x2"))
    let order = try call.number(2, "p", default: 2)
    let epsilon = try call.number(3, "eps", default: 1e-6)
    let difference = try AtenElementwise.two(&t, "Sub", .tensor(a), .tensor(b), call)
    let shifted = try AtenElementwise.two(&t, "Add", .tensor(difference), .float(epsilon), call)
    return try norm(
      &t, call, of: shifted, order: order, axes: [-1], keeps: call.bool(4, "keepdim"))
  }

  /// Whether any, or all, of the elements are true, or other than 0.
  private static func truth(_ t: inout AtenTranslation, _ call: AtenCall) throws(ImportError)
    -> AtenTensor
  {
    var x = try call.tensor(0, "self")
    if !t.isBoolean(x) { x = t.asBoolean(x, call) }
    let numbers = t.emit("Cast", [x], ["to": .integer(1)], rank: x.rank, of: call)
    let op = call.name == "any" ? "ReduceMax" : "ReduceMin"
    let result = reduce(&t, op, numbers, try call.ints(1, "dim"), call.bool(2, "keepdim"), call)
    return t.emit("Greater", [result, t.scalar(0)], rank: result.rank, of: call)
  }

  /// The norm of an order: (Σ |x|ᵖ)^(1/p), by default the Euclidean one.
  private static func norm(_ t: inout AtenTranslation, _ call: AtenCall) throws(ImportError)
    -> AtenTensor
  {
    var order = 2.0
    if call.text(1, "ord") != "fro" {
      order = try call.number(1, call.name == "norm" ? "p" : "ord", default: 2)
    }
    return try norm(
      &t, call, of: try call.tensor(0, "self"), order: order, axes: try call.ints(2, "dim"),
      keeps: call.bool(3, "keepdim"))
  }

  private static func norm(
    _ t: inout AtenTranslation, _ call: AtenCall, of x: AtenTensor, order: Double, axes: [Int]?,
    keeps: Bool
  ) throws(ImportError) -> AtenTensor {
    func reduced(_ op: String, _ x: AtenTensor, _ t: inout AtenTranslation) -> AtenTensor {
      reduce(&t, op, x, axes, keeps, call)
    }
    func size(_ t: inout AtenTranslation) -> AtenTensor {
      t.emit("Abs", [x], rank: x.rank, of: call)
    }
    switch order {
    case 2: return reduced("ReduceL2", x, &t)
    case 1: return reduced("ReduceL1", x, &t)
    case .infinity: return reduced("ReduceMax", size(&t), &t)
    case -.infinity: return reduced("ReduceMin", size(&t), &t)
    case let order where order > 0:
      let powers = t.emit("Pow", [size(&t), t.scalar(order)], rank: x.rank, of: call)
      let sum = reduced("ReduceSum", powers, &t)
      return t.emit("Pow", [sum, t.scalar(1 / order)], rank: sum.rank, of: call)
    default:
      throw call.failure("the order \(order)", because: "orders above 0 can be carried")
    }
  }
}
