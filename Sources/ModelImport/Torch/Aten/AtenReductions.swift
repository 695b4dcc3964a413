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
    case "norm", "linalg_vector_norm", "linalg_norm": return .tensor(try norm(&t, call))
    case "argmax", "argmin":
      let x = try call.tensor(0, "self")
      let keeps = call.bool(2, "keepdim")
      return .tensor(
        t.emit(
          call.name == "argmax" ? "ArgMax" : "ArgMin", [x],
          ["axis": .integer(try call.int(1, "dim")), "keepdims": .integer(keeps ? 1 : 0)],
          rank: x.rank.map { keeps ? $0 : $0 - 1 }, isWhole: true, of: call))
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
    let axes = try call.ints(1, "dim")
    let keeps = call.bool(2, "keepdim")
    let result = reduce(&t, op, x, axes, keeps, call)
    // max(x, dim) gives values and indices.
    return isPair && axes != nil ? .list([.tensor(result), .other("indices")]) : .tensor(result)
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

  /// The Euclidean norm.
  private static func norm(_ t: inout AtenTranslation, _ call: AtenCall) throws(ImportError)
    -> AtenTensor
  {
    guard try call.number(1, "ord", default: 2) == 2 else {
      throw call.failure("an order other than 2", because: "only the Euclidean norm is known")
    }
    let x = try call.tensor(0, "self")
    return reduce(&t, "ReduceL2", x, try call.ints(2, "dim"), call.bool(3, "keepdim"), call)
  }
}
