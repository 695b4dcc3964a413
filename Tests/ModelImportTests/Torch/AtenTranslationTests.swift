import Inference
import ModelFormat
import TestSupport
import Testing

@testable import ModelImport

/// Calls of PyTorch's operators: what is refused and what is told.
@Suite struct AtenTranslationTests {
  private var translation = AtenTranslation(maxConstants: 1000)
  private let x: AtenTensor

  init() {
    x = translation.addInput(
      .init(name: "x", kind: .float, dimensions: [.named("b"), .named("t"), .fixed(4)]))
  }

  private mutating func call(
    _ name: String, _ arguments: AtenValue..., named: [String: AtenValue] = [:]
  ) throws -> AtenTensor {
    let value = try translation.call(AtenCall(name, arguments, named, place: name))
    guard case .tensor(let tensor) = value else {
      throw ImportError(file: "", problem: "no tensor")
    }
    return tensor
  }

  @Test(arguments: [
    ("dropout", 0.5, true, true), ("dropout", 0.5, false, false), ("dropout", 0, true, false),
    ("feature_dropout", 0.1, true, true),
  ])
  mutating func dropoutAtWorkIsTold(
    name: String, ratio: Double, isTraining: Bool, isTold: Bool
  ) throws {
    let result = try call(name, .tensor(x), .float(ratio), .bool(isTraining))
    try translation.addOutput(result, named: "y")
    #expect(try translation.finished().notes.count == (isTold ? 1 : 0))
  }

  /// `torch.diff`, with a step put before, and `x.shape[:2]`.
  @Test mutating func differencesAndPartsOfSizes() throws {
    let first = try call("slice", .tensor(x), .int(1), .int(0), .int(1))
    let changes = try call(
      "diff", .tensor(x), .int(2), .int(1), named: ["prepend": .tensor(first)])
    let sizes = try translation.call(AtenCall("size", [.tensor(x)], place: "size"))
    guard
      case .list(let lead) = try translation.call(
        AtenCall("slice", [sizes, .none, .int(2)], place: "slice"))
    else { throw ImportError(file: "", problem: "no list") }
    #expect(lead.count == 2)
    let result = try call("neg", .tensor(changes))
    try translation.addOutput(result, named: "y")
    let draft = try GraphTranslation(try translation.finished()).folder(named: "m")
    let graph = try ModelGraph(draft.model())
    let numbers: [Float] = [1, 4, 9, 11].flatMap { Array(repeating: $0, count: 4) }
    let answer = SoleRider.answer(
      graph, try InputSequence([.features(numbers)], for: graph.model))[0]
    // With 1 before: 0 3 5 2, and of these 3 2 −3.
    #expect(answer == [-3, -2, 3].flatMap { Array(repeating: $0, count: 4) })
  }

  /// A later use of a tensor reads what an operator in place made of it; one of a copy does not.
  @Test mutating func anOperatorInPlaceChangesTheTensorAndNoCopy() throws {
    let copy = try call("clone", .tensor(x))
    let changed = try call("mul_", .tensor(copy), .float(2))
    try translation.addOutput(copy, named: "y")
    try translation.addOutput(x, named: "z")
    let graph = try translation.finished()
    #expect(graph.nodes.first { $0.outputs == ["y"] }?.inputs == [changed.name])
    #expect(graph.nodes.first { $0.outputs == ["z"] }?.inputs == ["x"])
  }

  /// What a view holds after the tensor below it was changed isn't followed.
  @Test(arguments: ["select", "reshape", "expand_as"])
  mutating func aViewOfAChangedTensorIsRefused(name: String) throws {
    let copy = try call("clone", .tensor(x))
    let view =
      switch name {
      case "select": try call(name, .tensor(copy), .int(2), .int(0))
      case "reshape": try call(name, .tensor(copy), .list([.int(-1), .int(4)]))
      default: try call(name, .tensor(copy), .tensor(x))
      }
    _ = try call("add_", .tensor(copy), .int(1))
    #expect(throws: ImportError.self) { try self.translation.addOutput(view, named: "y") }
  }

  /// A write with a stride is carried in no export: the remedy is another way to write it.
  @Test mutating func aWriteWithAStrideIsToldFromOthers() throws {
    let view = try call("slice", .tensor(x), .int(2), .int(0), .int(4), .int(2))
    _ = try call("zero_", .tensor(view))
    let error = #expect(throws: ImportError.self) {
      try self.translation.addOutput(self.x, named: "y")
    }
    #expect(error?.remedy == Remedy.strided)
    #expect(throws: ImportError.self) {
      try self.call(
        "slice_scatter", .tensor(self.x), .tensor(view), .int(2), .int(0), .int(4), .int(2))
    }
  }

  /// What a call answers beside its tensor is named where it is used.
  @Test mutating func theWeightsOfAttentionAreNamed() throws {
    let call = AtenCall("matmul", [.other(AtenAttention.weights), .tensor(x)], place: "matmul")
    let error = #expect(throws: ImportError.self) { try self.translation.call(call) }
    #expect(error?.remedy == Remedy.attentionWeights)
  }

  /// The parts of a split have no elements of each other.
  @Test mutating func partsOfASplitAreApart() throws {
    let parts = try translation.call(
      AtenCall("chunk", [.tensor(x), .int(2), .int(2)], place: "chunk"))
    guard case .list(let list) = parts, case .tensor(let first) = list[0],
      case .tensor(let second) = list[1]
    else { throw ImportError(file: "", problem: "no parts") }
    _ = try call("sigmoid_", .tensor(first))
    try translation.addOutput(second, named: "y")
    #expect(throws: ImportError.self) { try self.translation.addOutput(x, named: "z") }
  }

  @Test mutating func aDivisionThatRoundsIsNoQuotient() {
    #expect(throws: ImportError.self) {
      try self.call("div", .tensor(x), .float(2), named: ["rounding_mode": .text("trunc")])
    }
  }

  /// The quotient of whole numbers is none in PyTorch, where ONNX's would be rounded.
  @Test mutating func aTrueDivisionIsOfFloats() throws {
    let ids = translation.addInput(
      .init(name: "n", kind: .integer, dimensions: [.named("b"), .named("t")]))
    let quotient = try translation.call(
      AtenCall("div", [.tensor(ids), .int(10)], place: "div"))
    guard case .tensor(let tensor) = quotient else { throw ImportError(file: "", problem: "none") }
    #expect(!tensor.isWhole)
    #expect(translation.graph.nodes.map(\.op) == ["Cast", "Cast", "Div"])
  }

  /// `is` asks for one object: two tensors may not be the same, as the query and the keys of attention.
  @Test mutating func tensorsAreOneObjectOrTwo() throws {
    let y = translation.addInput(
      .init(name: "y", kind: .float, dimensions: [.named("b"), .named("t"), .fixed(4)]))
    for (other, isSame) in [(AtenValue.tensor(x), true), (.tensor(y), false), (.none, false)] {
      for (name, answer) in [("__is__", isSame), ("__isnot__", !isSame)] {
        let found = try translation.call(AtenCall(name, [.tensor(x), other], place: name))
        guard case .bool(answer) = found else { throw ImportError(file: "", problem: name) }
      }
    }
  }

  /// A cast to true or false is one also of whole numbers, and what follows reads it so.
  @Test(arguments: [SourceTensor.Kind.float, .integer])
  mutating func aCastToBooleans(kind: SourceTensor.Kind) throws {
    let n = translation.addInput(
      .init(name: "n", kind: kind, dimensions: [.named("b"), .named("t")]))
    let found = try translation.call(
      AtenCall("to", [.tensor(n), .int(AtenShapes.booleanType)], place: "to"))
    guard case .tensor(let truths) = found else { throw ImportError(file: "", problem: "none") }
    #expect(translation.isBoolean(truths))
    _ = try translation.call(AtenCall("mul", [.tensor(truths), .tensor(x)], place: "mul"))
    #expect(translation.graph.nodes.map(\.op).prefix(2) == ["Cast", "Cast"])
  }

  /// A mask of true and false hides steps from attention, where one of numbers is added.
  @Test(arguments: [false, true]) mutating func aMaskOfAttention(isBoolean: Bool) throws {
    let mask = translation.addInput(
      .init(
        name: "m", kind: isBoolean ? .boolean : .float, dimensions: [.named("t"), .named("t")]))
    _ = try translation.call(
      AtenCall(
        "scaled_dot_product_attention", [.tensor(x), .tensor(x), .tensor(x), .tensor(mask)],
        place: "attention"))
    #expect(translation.graph.nodes.contains { $0.op == "Sub" } == isBoolean)
  }

  /// celu(x) is alpha · elu(x / alpha), with a bend of 1; elu with alpha has another form.
  @Test mutating func celuIsScaled() throws {
    try translation.addOutput(
      try call("celu", .tensor(x), .float(2)), named: "y")
    let nodes = try translation.finished().nodes
    #expect(nodes.map(\.op) == ["Div", "Elu", "Mul", "Identity"])
    #expect(nodes[1].float("alpha") ?? 1 == 1)
  }

  /// The last elements come first; no axis is the order of the whole array, which has no form.
  @Test mutating func rolledElements() throws {
    #expect(throws: ImportError.self) {
      try self.call("roll", .tensor(x), .list([.int(1)]), .list([]))
    }
    try translation.addOutput(
      try call("roll", .tensor(x), .list([.int(1)]), .list([.int(2)])), named: "y")
    let draft = try GraphTranslation(try translation.finished()).folder(named: "m")
    let model = try ModelGraph(draft.model())
    let sequence = try InputSequence([.features([1, 2, 3, 4, 5, 6, 7, 8])], for: model.model)
    let answer = SoleRider.answer(model, sequence)[0]
    #expect(answer.suffix(4) == [8, 5, 6, 7])
  }

  /// An argument of another kind is none that was left out.
  @Test mutating func anArgumentOfAnotherKindHasNoDefault() throws {
    #expect(throws: ImportError.self) {
      try self.call("linalg_vector_norm", .tensor(x), .other("infinite"), .list([.int(2)]))
    }
    #expect(throws: ImportError.self) {
      try self.call("leaky_relu", .tensor(x), .other("slope"))
    }
  }

  /// Nodes that lead to no output are left out, such as the weights of attention that nobody reads.
  @Test mutating func unusedNodesAreLeftOut() throws {
    _ = try call("tanh", .tensor(x))
    try translation.addOutput(try call("relu", .tensor(x)), named: "y")
    #expect(try translation.finished().nodes.map(\.op) == ["Relu", "Identity"])
  }

  /// Numbers at the ends of 64 bits, of which sums would have no room.
  @Test mutating func numbersWithoutRoom() throws {
    let most = AtenValue.int(SourceTensor.integer(.max))
    for name in ["add", "mul", "sub"] {
      guard
        case .int(let number) = try translation.call(
          AtenCall(
            name, [most, name == "sub" ? .int(SourceTensor.integer(.min)) : most], place: name))
      else { throw ImportError(file: "", problem: "no number") }
      #expect(number == 1 << 48)
    }
    let parts = try translation.call(
      AtenCall(
        "split_with_sizes", [.tensor(x), .list(Array(repeating: most, count: 40_000)), .int(1)],
        place: "split"))
    guard case .list(let list) = parts else { throw ImportError(file: "", problem: "no list") }
    #expect(list.count == 40_000)
  }

  /// Reductions over more axes than there are leave no fewer than none.
  @Test mutating func axesThatAreNotThere() throws {
    let axes = AtenValue.list([0, 1, 2, 0, 1].map(AtenValue.int))
    #expect(try call("sum", .tensor(x), axes).rank == 0)
    #expect(try call("squeeze", .tensor(x), axes).rank == 0)
  }

  /// Each line of a script could double the list of the line before it.
  @Test mutating func listsAreBounded() throws {
    let half = AtenValue.list(Array(repeating: .int(1), count: AtenListRoom.maxElements / 2 + 1))
    #expect(throws: ImportError.self) {
      try self.translation.call(AtenCall("add", [half, half], place: "add"))
    }
    var room = AtenListRoom()
    let all = room.rest
    _ = try room.taking(.list([.int(1), .list([.int(2)])]), "line 1")
    #expect(room.rest == all - 3)
    var nested = AtenValue.list([.int(1)])
    for _ in 0..<AtenListRoom.maxDepth { nested = .list([nested]) }
    let error = #expect(throws: ImportError.self) { _ = try room.taking(nested, "line 2") }
    #expect(error?.place == "line 2")
    let wide = AtenValue.list(
      Array(repeating: .list(Array(repeating: .int(1), count: 5000)), count: 5000))
    #expect(throws: ImportError.self) { _ = try room.taking(wide, "line 3") }
  }

  @Test(arguments: [1.0, 2, 3]) mutating func aDistance(order: Double) throws {
    let result = try call(
      "pairwise_distance", .tensor(x), .tensor(other()), .float(order), .float(0.5))
    let answer = try answer(result, [3, 0, 1, 0], [0, 0, 0, 1])
    // 3.5, 0.5, 1.5 and -0.5.
    let expected: Float = order == 1 ? 6 : order == 2 ? 3.8729833 : 3.5959832
    #expect(abs(answer[0] - expected) < 1e-4)
  }

  /// What a graph of these calls answers for one step of each input.
  private mutating func answer(_ result: AtenTensor, _ numbers: [Float]...) throws -> [Float] {
    try translation.addOutput(result, named: "y")
    let draft = try GraphTranslation(try translation.finished()).folder(named: "m")
    let graph = try ModelGraph(draft.model())
    let inputs = numbers.map { InputSequence.Values.features($0) }
    return SoleRider.answer(graph, try InputSequence(inputs, for: graph.model))[0]
  }

  /// Another input like x.
  private mutating func other() -> AtenTensor {
    translation.addInput(
      .init(name: "other", kind: .float, dimensions: [.named("b"), .named("t"), .fixed(4)]))
  }

  private mutating func parts(_ arguments: AtenValue...) throws -> [AtenTensor] {
    let value = try translation.call(
      AtenCall("tensor_split", [.tensor(x)] + arguments, place: "split"))
    guard case .list(let list) = value else { throw ImportError(file: "", problem: "no parts") }
    return list.compactMap { if case .tensor(let tensor) = $0 { tensor } else { nil } }
  }

  /// Four elements in three parts are 2, 1, 1, where chunk makes two of 2.
  @Test mutating func partsThatDifferByOne() throws {
    let parts = try parts(.int(3), .int(2))
    #expect(parts.count == 3)
    let joined = try call("cat", .list([parts[2], parts[0]].map(AtenValue.tensor)), .int(2))
    #expect(try answer(joined, [1, 2, 3, 4]) == [4, 1, 2])
  }

  @Test mutating func partsBetweenBounds() throws {
    let parts = try parts(.list([.int(1), .int(3)]), .int(2))
    #expect(parts.count == 3)
    let joined = try call(
      "cat", .list([parts[1], parts[2], parts[0]].map(AtenValue.tensor)), .int(2))
    #expect(try answer(joined, [1, 2, 3, 4]) == [2, 3, 4, 1])
  }

  /// A bound for each element.
  @Test(arguments: ["clamp", "clamp_min", "clamp_max"])
  mutating func boundsOfEachElement(name: String) throws {
    func tensor(_ numbers: [Double], _ t: inout AtenTranslation) -> AtenValue {
      .tensor(
        t.constant(SourceConstant(SourceTensor(shape: [4], elements: numbers)), named: "bound"))
    }
    let low = tensor([0, 1, 2, 3], &translation)
    let high = tensor([1, 2, 2.5, 9], &translation)
    let result =
      switch name {
      case "clamp": try call(name, .tensor(x), low, high)
      case "clamp_min": try call(name, .tensor(x), low)
      default: try call(name, .tensor(x), high)
      }
    let expected: [String: [Float]] = [
      "clamp": [1, 1.5, 2.5, 3], "clamp_min": [5, 1.5, 3, 3], "clamp_max": [1, 1.5, 2.5, -1],
    ]
    #expect(try answer(result, [5, 1.5, 3, -1]) == expected[name])
  }

  /// A mask of the module as an index chooses the places where it is true.
  @Test mutating func aMaskAsAnIndex() throws {
    let mask = translation.constant(
      SourceConstant(SourceTensor(shape: [4], kind: .boolean, elements: [1, 0, 0, 1])),
      named: "mask")
    let result = try call("index", .tensor(x), .list([.none, .none, .tensor(mask)]))
    #expect(try answer(result, [1, 2, 3, 4]) == [1, 4])
  }

  /// One index of some elements alone.
  @Test mutating func anIndexOfAPart() throws {
    let index = translation.constant(
      SourceConstant(SourceTensor(shape: [1, 1, 2], kind: .integer, elements: [0, 0])),
      named: "index")
    let result = try call("gather", .tensor(x), .int(1), .tensor(index))
    #expect(throws: ImportError.self) { try self.answer(result, [1, 2, 3, 4]) }
  }

  /// A mean by another number than that of the window's elements.
  @Test mutating func aDivisorOfItsOwn() throws {
    let image = try call("unsqueeze", .tensor(x), .int(1))
    let pooled = try call(
      "avg_pool2d", .tensor(image), .list([.int(1), .int(2)]), .list([.int(1), .int(2)]),
      .list([.int(0), .int(0)]), .bool(false), .bool(true), .int(4))
    let result = try call("squeeze", .tensor(pooled), .int(1))
    #expect(try answer(result, [1, 2, 3, 5]) == [0.75, 2])
  }

  /// Bits of whole numbers are no truths, and two truths are one.
  @Test mutating func truthsAndBits() throws {
    let whole = translation.addInput(
      .init(name: "n", kind: .integer, dimensions: [.named("b"), .named("t")]))
    for name in ["bitwise_not", "bitwise_and", "__or__"] {
      #expect(throws: ImportError.self) {
        try self.call(name, .tensor(whole), .tensor(whole))
      }
    }
    let above = try call("gt", .tensor(x), .int(0))
    let far = try call("gt", .tensor(x), .int(2))
    let sum = try call("add", .tensor(above), .tensor(far))
    let result = try call("mul", .tensor(sum), .tensor(x))
    #expect(try answer(result, [-1, 0, 1, 3]) == [0, 0, 1, 3])
  }

  /// A type that would round, and a norm of matrices.
  @Test mutating func whatWouldRound() throws {
    for name in ["sum", "cumsum"] {
      #expect(throws: ImportError.self) {
        try self.call(name, .tensor(x), .int(2), named: ["dtype": .int(3)])
      }
    }
    #expect(throws: ImportError.self) {
      try self.call("linalg_norm", .tensor(x), .int(1), .list([.int(1), .int(2)]))
    }
    let norm = try call("linalg_norm", .tensor(x), .int(1), .list([.int(2)]), .bool(true))
    let full = try call("full_like", .tensor(norm), .float(2.7), named: ["dtype": .int(3)])
    let result = try call("add", .tensor(norm), .tensor(full))
    #expect(try answer(result, [1, -2, 3, 0]) == [8])
  }

  /// Each norm has the bound, not their product.
  @Test mutating func aCosineOfShortVectors() throws {
    let result = try call(
      "cosine_similarity", .tensor(x), .tensor(other()), .int(2), .float(4))
    #expect(try answer(result, [3, 0, 0, 0], [8, 0, 0, 0]) == [0.75])
  }

  /// What is behind the point of an input is not taken away, and that is told.
  @Test mutating func whatIsRoundedIsTold() throws {
    let whole = try call("to", .tensor(x), .int(4))
    let result = try call("sub", .tensor(x), .tensor(whole))
    try translation.addOutput(result, named: "y")
    let draft = try GraphTranslation(try translation.finished()).folder(named: "m")
    #expect(draft.notes.contains(Note.truncated("x")), "\(draft.notes)")
  }
}
