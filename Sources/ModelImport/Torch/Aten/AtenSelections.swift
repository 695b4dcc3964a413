/// Operators that select elements, or concatenate tensors.
enum AtenSelections {
  static func translate(_ t: inout AtenTranslation, _ call: AtenCall) throws(ImportError)
    -> AtenValue?
  {
    if case .batchSizes(let x, let isFirst)? = call.value(0) {
      // The first of the batch sizes is the number of sequences; their count is the number of steps.
      switch call.name {
      case "select" where try call.int(2, "index") == 0:
        return t.size(of: x, axis: isFirst ? 0 : 1, call)
      case "size": return t.size(of: x, axis: isFirst ? 1 : 0, call)
      default: return nil
      }
    }
    switch call.name {
    case "embedding":
      let ids = try call.tensor(1, "indices")
      return .tensor(
        t.emit(
          "Gather", [try call.tensor(0, "weight"), ids], ["axis": .integer(0)],
          rank: ids.rank.map { $0 + 1 }, of: call))
    case "one_hot":
      let ids = try call.tensor(0, "self")
      let size = try call.int(1, "num_classes")
      guard (1...4096).contains(size) else {
        throw call.failure("num_classes \(size)", because: "it must be known from the file")
      }
      let rows = (0..<size * size).map { $0 % (size + 1) == 0 ? 1.0 : 0 }
      let table = t.constant(
        SourceConstant(SourceTensor(shape: [size, size], elements: rows)), named: "one_hot")
      return .tensor(
        t.emit(
          "Gather", [table, ids], ["axis": .integer(0)], rank: ids.rank.map { $0 + 1 }, of: call))
    case "index":
      return .tensor(try index(&t, call))
    case "select", "index_select": return .tensor(try select(&t, call))
    case "slice" where call.list(0) != nil: return try part(ofList: call)
    case "slice", "narrow": return .tensor(try slice(&t, call))
    case "cat", "concat", "concatenate", "stack": return .tensor(try join(&t, call))
    case "split", "split_with_sizes", "chunk", "unbind", "tensor_split", "unsafe_split",
      "unsafe_chunk":
      return try split(&t, call)
    case "diff": return .tensor(try difference(&t, call))
    case "flip": return .tensor(try flip(&t, call))
    case "roll": return .tensor(try roll(&t, call))
    case "gather":
      let (x, index) = (try call.tensor(0, "self"), try call.tensor(2, "index"))
      return .tensor(
        t.emit(
          "GatherElements", [x, index], ["axis": .integer(try call.int(1, "dim"))], rank: x.rank,
          isWhole: x.isWhole, of: call))
    case "constant_pad_nd", "pad", "replication_pad1d", "reflection_pad1d":
      return .tensor(try pad(&t, call))
    case "getitem", "__getitem__": return try item(call)
    default: return nil
    }
  }

  /// `sizes[start:end:step]` of a list, such as `x.shape[:2]`.
  private static func part(ofList call: AtenCall) throws(ImportError) -> AtenValue {
    let list = call.list(0) ?? []
    let step = try call.int(3, "step", default: 1)
    guard step != 0 else { throw call.failure("a step of 0", because: "it leads nowhere") }
    let range = AxisRange(
      of: list.count, start: try call.int(1, "start", default: 0),
      end: try call.int(2, "end", default: list.count), step: step)
    return .list(range.indices.map { list[$0] })
  }

  private static func item(_ call: AtenCall) throws(ImportError) -> AtenValue? {
    guard let list = call.list(0) else { return nil }
    let index = try call.int(1)
    let counted = index < 0 ? index + list.count : index
    guard list.indices.contains(counted) else {
      throw call.failure("index \(index)", because: "there are \(list.count)")
    }
    return list[counted]
  }

  /// `table[ids]`, `x[..., [0, 2]]` and `x[arange(batch), lengths - 1]`: axes without indices are None.
  private static func index(_ t: inout AtenTranslation, _ call: AtenCall) throws(ImportError)
    -> AtenTensor
  {
    let x = try call.tensor(0, "self")
    var given: [(axis: Int, ids: AtenTensor)] = []
    for (axis, value) in (call.list(1, "indices") ?? []).enumerated() {
      if case .tensor(let ids) = value { given.append((axis, try places(&t, chosenBy: ids))) }
    }
    if given.contains(where: { t.isBoolean($0.ids) || !$0.ids.isWhole }) {
      throw call.failure(
        "a mask", because: "how many elements it chooses depends on them",
        instead: "multiply by the mask, or choose with torch.where: the shape stays")
    }
    if given.count == 2, given.map(\.axis) == [0, 1] {
      return try selectPairs(&t, given[0].ids, given[1].ids, call)
    }
    guard given.count == 1 else {
      throw call.failure(
        "indices of \(given.count) axes at once", because: "those of one axis can be carried",
        instead: "choose from one axis after the other: x[:, steps][:, :, elements]")
    }
    let (axis, ids) = given[0]
    let rank = x.rank.flatMap { rows in ids.rank.map { rows - 1 + $0 } }
    return t.emit(
      "Gather", [x, ids], ["axis": .integer(axis)], rank: rank, isWhole: x.isWhole, of: call)
  }

  /// The places that a mask of the module chooses; other indices as they are.
  private static func places(
    _ t: inout AtenTranslation, chosenBy mask: AtenTensor
  ) throws(ImportError) -> AtenTensor {
    guard t.isBoolean(mask), mask.rank == 1, let constant = t.graph.constants[mask.name] else {
      return mask
    }
    let flags = try constant.tensor()
    return t.ints((0..<flags.count).filter { flags[$0] != 0 })
  }

  /// For each pair of indices the element of the first two axes, which become one.
  private static func selectPairs(
    _ t: inout AtenTranslation, _ first: AtenTensor, _ second: AtenTensor, _ call: AtenCall
  ) throws(ImportError) -> AtenTensor {
    let x = try call.tensor(0, "self")
    guard let rank = x.rank, rank >= 2, first.rank == 1, second.rank == 1, first.isWhole,
      second.isWhole
    else {
      throw call.failure(
        "indices of unknown axes", because: "two axes of single numbers are known",
        instead: "let the last step be chosen by -1, or by the final state")
    }
    var sizes: [AtenValue] = [.int(-1)]
    for axis in 2..<rank { sizes.append(t.size(of: x, axis: axis, call)) }
    let rows = t.emit(
      "Reshape", [x, try t.sizes(sizes, call)], rank: rank - 1, isWhole: x.isWhole, of: call)
    let start = try AtenElementwise.two(
      &t, "Mul", .tensor(first), t.size(of: x, axis: 1, call), call)
    let index = try AtenElementwise.two(&t, "Add", .tensor(start), .tensor(second), call)
    return t.emit(
      "Gather", [rows, index], ["axis": .integer(0)], rank: rank - 1, isWhole: x.isWhole, of: call)
  }

  private static func select(_ t: inout AtenTranslation, _ call: AtenCall) throws(ImportError)
    -> AtenTensor
  {
    let x = try call.tensor(0, "self")
    let axis = try call.int(1, "dim")
    let isOne = call.name == "select"
    let index = try t.operand(call.value(2, "index"), call)
    return t.emit(
      "Gather", [x, index], ["axis": .integer(axis)], rank: isOne ? x.rank.map { $0 - 1 } : x.rank,
      isWhole: x.isWhole, of: call)
  }

  private static func slice(_ t: inout AtenTranslation, _ call: AtenCall) throws(ImportError)
    -> AtenTensor
  {
    let x = try call.tensor(0, "self")
    let axis = try call.int(1, "dim", default: 0)
    var (start, end, step) = (call.value(2, "start") ?? .none, call.value(3, "end") ?? .none, 1)
    if call.name == "narrow" {
      let length = try call.int(3, "length")
      let first = try call.int(2, "start")
      end = .int(first &+ length)
    } else {
      step = try call.int(4, "step", default: 1)
    }
    if case .none = start { start = .int(0) }
    if case .none = end { end = .int(Int(Int32.max)) }
    if case .int(let last) = end, last > Int(Int32.max) { end = .int(Int(Int32.max)) }
    if case .int(0) = start, case .int(Int(Int32.max)) = end, step == 1 { return x }
    return t.emit(
      "Slice",
      [x, try t.entry(start, call), try t.entry(end, call), t.ints([axis]), t.ints([step])],
      rank: x.rank, isWhole: x.isWhole, of: call)
  }

  /// Each element of an axis less the one before, `n` times.
  private static func difference(_ t: inout AtenTranslation, _ call: AtenCall) throws(ImportError)
    -> AtenTensor
  {
    var x = try call.tensor(0, "self")
    let (times, axis) = (try call.int(1, "n", default: 1), try call.int(2, "dim", default: -1))
    guard (0...16).contains(times) else {
      throw call.failure("n = \(times)", because: "0 to 16 are carried")
    }
    let all = [call.optionalTensor(3, "prepend"), x, call.optionalTensor(4, "append")]
      .compactMap { $0 }
    if all.count > 1 {
      x = t.emit(
        "Concat", all, ["axis": .integer(axis)], rank: x.rank, isWhole: x.isWhole, of: call)
    }
    func slice(_ start: Int, _ end: Int) -> AtenTensor {
      t.emit(
        "Slice", [x, t.ints([start]), t.ints([end]), t.ints([axis]), t.ints([1])], rank: x.rank,
        isWhole: x.isWhole, of: call)
    }
    for _ in 0..<times {
      let (later, earlier) = (slice(1, Int(Int32.max)), slice(0, -1))
      x = t.emit("Sub", [later, earlier], rank: x.rank, isWhole: x.isWhole, of: call)
    }
    return x
  }

  private static func join(_ t: inout AtenTranslation, _ call: AtenCall) throws(ImportError)
    -> AtenTensor
  {
    var tensors = try call.tensors(0, "tensors")
    let axis = try call.int(1, "dim", default: 0)
    if call.name == "stack" { tensors = tensors.map { AtenShapes.unsqueeze(&t, $0, axis, call) } }
    guard let first = tensors.first else {
      throw call.failure("no tensors", because: "it needs some")
    }
    if tensors.count == 1 { return first }
    return t.emit(
      "Concat", tensors, ["axis": .integer(axis)], rank: first.rank, isWhole: first.isWhole,
      of: call)
  }

  private static func split(_ t: inout AtenTranslation, _ call: AtenCall) throws(ImportError)
    -> AtenValue
  {
    let x = try call.tensor(0, "self")
    let axisAt = call.name == "unbind" ? 1 : 2
    let axis = try call.int(axisAt, "dim", default: 0)
    func part(_ start: Int, _ end: Int, of sizes: [Int]) -> AtenTensor {
      t.emit(
        "Slice", [x, t.ints([start]), t.ints([end]), t.ints([axis])],
        ["parts": .integers(sizes)], rank: x.rank, isWhole: x.isWhole, of: call)
    }
    let known = t.shape(of: x).flatMap { shape -> Int? in
      let counted = axis < 0 ? axis + shape.count : axis
      return shape.indices.contains(counted) ? shape[counted] : nil
    }
    var parts: [AtenTensor] = []
    if call.name == "tensor_split", call.list(1) != nil {
      let bounds = try call.ints(1, "indices") ?? []
      return .list(
        zip([0] + bounds, bounds + [Int(Int32.max)]).map { .tensor(part($0, $1, of: bounds)) })
    }
    if let sizes = call.list(1, "split_sizes") {
      let known = sizes.compactMap { size -> Int? in
        if case .int(let size) = size { size } else { nil }
      }
      guard known.count == sizes.count else {
        let names = t.emit(
          "Split", [x, try t.sizes(sizes, call)], ["axis": .integer(axis)], outputs: sizes.count,
          of: call)
        return .list(names.map { .tensor(AtenTensor(name: $0, rank: x.rank, isWhole: x.isWhole)) })
      }
      var start = 0
      for size in known {
        parts.append(part(start, start + size, of: known))
        start = SourceTensor.integer(start + size)
      }
      return .list(parts.map { .tensor($0) })
    }
    switch call.name {
    case "unbind":
      guard let count = call.resultCount ?? known else {
        throw call.failure(
          "a number of parts that depends on the input", because: "it must be known from the file",
          instead: "\(Remedy.parts); \(Remedy.otherThanTorch)")
      }
      return .list(
        (0..<count).map { index in
          .tensor(
            t.emit(
              "Gather", [x, t.scalar(Double(index), isWhole: true)], ["axis": .integer(axis)],
              rank: x.rank.map { $0 - 1 }, isWhole: x.isWhole, of: call))
        })
    case "chunk", "unsafe_chunk", "tensor_split":
      let most = try call.int(1, "chunks")
      guard (1...1000).contains(most) else {
        throw call.failure("\(most) parts", because: "there are 1 to 1000")
      }
      var (count, attributes) = (most, ["axis": SourceAttribute.integer(axis)])
      if call.name == "tensor_split" {
        attributes[SelectionOperators.isBalanced] = .integer(1)
      } else if let result = call.resultCount {
        count = result
      } else if let size = known, size > 0 {
        // 6 elements in 4 chunks are 3 of 2.
        let each = (size + most - 1) / most
        count = (size + each - 1) / each
      }
      attributes["num_outputs"] = .integer(count)
      let names = t.emit("Split", [x], attributes, outputs: count, of: call)
      return .list(names.map { .tensor(AtenTensor(name: $0, rank: x.rank, isWhole: x.isWhole)) })
    default:
      let size = try call.int(1, "split_size")
      guard size > 0, let count = call.resultCount ?? known.map({ ($0 + size - 1) / size }),
        count <= 1000
      else {
        throw call.failure(
          "a number of parts that depends on the input", because: "it must be known from the file",
          instead: "\(Remedy.parts); \(Remedy.otherThanTorch)")
      }
      let sizes = Array(repeating: size, count: count)
      for index in 0..<count {
        let end = index + 1 == count ? Int(Int32.max) : (index + 1) * size
        parts.append(part(index * size, end, of: sizes))
      }
      return .list(parts.map { .tensor($0) })
    }
  }

  private static func flip(_ t: inout AtenTranslation, _ call: AtenCall) throws(ImportError)
    -> AtenTensor
  {
    var x = try call.tensor(0, "self")
    for axis in try call.ints(1, "dims") ?? [] {
      x = t.emit(
        "Slice", [x, t.ints([-1]), t.ints([-Int(Int32.max)]), t.ints([axis]), t.ints([-1])],
        rank: x.rank, isWhole: x.isWhole, of: call)
    }
    return x
  }

  /// The last elements of an axis before the others.
  private static func roll(_ t: inout AtenTranslation, _ call: AtenCall) throws(ImportError)
    -> AtenTensor
  {
    var x = try call.tensor(0, "self")
    let (shifts, axes) = (try call.ints(1, "shifts") ?? [], try call.ints(2, "dims") ?? [])
    guard shifts.count == axes.count, !axes.isEmpty else {
      throw call.failure("no axis", because: "elements move along the axes that are named")
    }
    for (shift, axis) in zip(shifts, axes) {
      if shift == 0 { continue }
      // By as many as there are or more, one part is empty, which is refused.
      let parts = [(-shift, Int(Int32.max)), (0, -shift)].map { start, end in
        t.emit(
          "Slice", [x, t.ints([start]), t.ints([end]), t.ints([axis])], rank: x.rank,
          isWhole: x.isWhole, of: call)
      }
      x = t.emit(
        "Concat", parts, ["axis": .integer(axis)], rank: x.rank, isWhole: x.isWhole, of: call)
    }
    return x
  }

  /// PyTorch lists paddings from the last axis on, each before and after.
  private static func pad(_ t: inout AtenTranslation, _ call: AtenCall) throws(ImportError)
    -> AtenTensor
  {
    let x = try call.tensor(0, "self")
    guard let pads = try call.ints(1, "pad"), let rank = x.rank, pads.count.isMultiple(of: 2),
      pads.count <= 2 * rank
    else { throw call.failure("paddings that aren't known", because: "each axis has two") }
    var before = Array(repeating: 0, count: rank)
    var after = before
    for (index, axis) in (0..<pads.count / 2).map({ ($0, rank - 1 - $0) }) {
      before[axis] = pads[2 * index]
      after[axis] = pads[2 * index + 1]
    }
    var mode = "constant"
    var value = 0.0
    switch call.name {
    case "constant_pad_nd": value = try call.number(2, "value", default: 0)
    case "replication_pad1d": mode = "edge"
    case "reflection_pad1d": mode = "reflect"
    default:
      mode = call.text(2, "mode") ?? "constant"
      mode = ["replicate": "edge", "circular": "wrap"][mode] ?? mode
      value = try call.number(3, "value", default: 0)
    }
    return t.emit(
      "Pad", [x, t.ints(before + after), t.scalar(value, isWhole: x.isWhole)],
      ["mode": .text(mode)],
      rank: rank, isWhole: x.isWhole, of: call)
  }
}
