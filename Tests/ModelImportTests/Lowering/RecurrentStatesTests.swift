import Inference
import ModelFormat
import TestSupport
import Testing

@testable import ModelImport

/// Recurrent nodes with constants that have a row for each sequence.
@Suite struct RecurrentStatesTests {
  /// A GRU of x, [steps, batch, 3], with initial states of these rows, or with lengths.
  private func graph(
    batch: SourceGraph.Dimension, states: [[Double]]? = nil, lengths: [Int]? = nil
  ) -> SourceGraph {
    var graph = SourceGraph(opset: 18)
    graph.inputs = [
      .init(
        name: "x", kind: .float,
        dimensions: [lengths == nil ? .named("t") : .fixed(4), batch, .fixed(3)])
    ]
    let numbers = (0..<30).map { Double($0 * 7 % 11) / 11 - 0.4 }
    var constants = [
      "w": SourceTensor(shape: [1, 6, 3], elements: Array(numbers[..<18])),
      "r": SourceTensor(shape: [1, 6, 2], elements: Array(numbers[18...])),
    ]
    if let states {
      constants["h"] = SourceTensor(shape: [1, states.count, 2], elements: states.flatMap { $0 })
    }
    if let lengths {
      constants["l"] = SourceTensor(
        shape: [lengths.count], kind: .integer, elements: lengths.map(Double.init))
    }
    graph.constants = constants.mapValues { SourceConstant($0) }
    graph.nodes = [
      SourceNode(
        name: "y", op: "GRU",
        inputs: ["x", "w", "r", "", lengths == nil ? "" : "l", states == nil ? "" : "h"],
        outputs: ["y"], attributes: ["hidden_size": .integer(2)])
    ]
    graph.outputs = ["y"]
    return graph
  }

  private func draft(_ graph: SourceGraph) throws -> FolderDraft {
    try GraphTranslation(graph).folder(named: "m")
  }

  /// A batch that was fixed by the export, with the same state in each row.
  @Test(arguments: [.fixed(3), .named("b")] as [SourceGraph.Dimension])
  func equalRowsAreOneState(batch: SourceGraph.Dimension) throws {
    let states = Array(repeating: [0.5, -0.25], count: 3)
    let draft = try draft(graph(batch: batch, states: states))
    let folder = try ModelGraph(draft.model())
    let numbers: [Float] = [0.3, -1, 0.2, 0.7, 0.1, -0.6]
    let found = SoleRider.answer(
      folder, try InputSequence([.features(numbers)], for: folder.model))[0]
    let other = try self.draft(graph(batch: batch))
    let zeros = try ModelGraph(other.model())
    #expect(
      found != SoleRider.answer(zeros, try InputSequence([.features(numbers)], for: zeros.model))[0]
    )
    let expected = try #require(
      draft.reference?.values(for: ["x": numbers], steps: 2).last { $0.name == "y" }
    ).numbers
    #expect(found.count == 4 && expected.count == 4)
    #expect(zip(found, expected).allSatisfy { abs(Double($0) - $1) <= 1e-6 })
  }

  @Test(
    arguments: [
      ([[0.5, 1], [0.5, 1], [0.5, 2]], "differs from sequence to sequence", "--keep-states"),
      ([[0.5, 1], [0.5, 1]], "a batch of 3", "dynamic axis"),
      ([[0, 0], [0, 0]], "a batch of 3", "dynamic axis"),
    ] as [([[Double]], String, String)])
  func otherRowsAreRefused(states: [[Double]], problem: String, remedy: String) throws {
    let error = try #require(throws: ImportError.self) {
      try draft(graph(batch: .fixed(3), states: states))
    }
    #expect(error.problem.contains(problem), "\(error)")
    #expect(error.remedy?.contains(remedy) ?? false, "\(error)")
  }

  @Test(
    arguments: [([4, 4, 4], nil), ([4, 4], "a batch of 3"), ([4, 3, 4], "own length")]
      as [([Int], String?)])
  func constantLengths(lengths: [Int], problem: String?) throws {
    let graph = graph(batch: .fixed(3), lengths: lengths)
    guard let problem else {
      #expect(throws: Never.self) { try draft(graph) }
      return
    }
    let error = try #require(throws: ImportError.self) { try draft(graph) }
    #expect(error.problem.contains(problem), "\(error)")
  }

  /// A layer that reads the elements one after another, beside one that reads the steps, has the steps as its elements.
  @Test func elementsReadAsSteps() throws {
    var graph = graph(batch: .named("b"))
    graph.inputs[0].dimensions = [.named("b"), .named("t"), .fixed(3)]
    var other = graph.nodes[0]
    (other.name, other.inputs[0], other.outputs) = ("z", "steps", ["z"])
    graph.nodes[0].inputs[0] = "elements"
    let turns = [("steps", [1, 0, 2]), ("elements", [2, 0, 1])].map { name, order in
      SourceNode(
        name: name, op: "Transpose", inputs: ["x"], outputs: [name],
        attributes: ["perm": .integers(order)])
    }
    graph.nodes = turns + [other] + graph.nodes
    graph.outputs = ["z", "y"]
    let error = try #require(throws: ImportError.self) { try draft(graph) }
    #expect(error.problem.contains("elements of a step"), "\(error)")
    #expect(error.remedy?.contains("one vector") ?? false, "\(error)")
  }

  /// An array without elements holds nothing that differs, and has no place to take.
  @Test func noElements() {
    for shape in [[1, 0, 2], [3, 0], [0]] {
      let empty = SourceTensor(repeating: 1, shape: shape)
      for axis in shape.indices {
        #expect(
          empty.common(along: axis)?.shape
            == (shape[axis] > 0 ? empty.part(0..<1, along: axis).shape : nil))
      }
    }
    let rows = SourceTensor(shape: [2, 2], elements: [1, 2, 1, 2])
    #expect(rows.common(along: 0) == SourceTensor(shape: [1, 2], elements: [1, 2]))
    #expect(rows.common(along: 1) == nil)
  }

  /// A step of no sequences, or of no elements, that a decoder would begin with.
  @Test(arguments: [[1, 0, 3], [1, 3, 0], [1, 3, 2]])
  func stepsWithoutElementsAreRefused(shape: [Int]) throws {
    var graph = graph(batch: .named("b"))
    var decoder = graph.nodes[0]
    (decoder.name, decoder.outputs) = ("z", ["z"])
    graph.nodes[0].outputs = ["y", "end"]
    decoder.inputs = ["start", "w", "r", "", "", "end"]
    graph.constants["start"] = SourceConstant(SourceTensor(repeating: 0.5, shape: shape))
    graph.nodes.append(decoder)
    graph.outputs = ["z"]
    #expect(throws: ImportError.self) { try draft(graph) }
  }

  /// In a call of one step a network without a state of the caller's begins anew, which a sequence does not.
  @Test(arguments: [false, true]) func aNetworkThatBeginsAnewAtEachCall(isKept: Bool) throws {
    var graph = graph(batch: .named("b"))
    graph.inputs[0].dimensions = [.named("b"), .fixed(3)]
    for name in ["h", "k"].prefix(isKept ? 2 : 1) {
      graph.inputs.append(
        .init(name: name, kind: .float, dimensions: [.fixed(1), .named("b"), .fixed(2)]))
    }
    var first = graph.nodes[0]
    first.inputs = ["step", "w", "r", "", "", isKept ? "k" : ""]
    first.outputs = ["y1", "k1"]
    var second = graph.nodes[0]
    (second.name, second.outputs) = ("z", ["z", "h1"])
    second.inputs = ["flat", "w2", "r", "", "", "h"]
    graph.constants["w2"] = SourceConstant(SourceTensor(repeating: 0.25, shape: [1, 6, 2]))
    graph.constants["zero"] = SourceConstant(SourceTensor(integers: [0]))
    graph.constants["one"] = SourceConstant(SourceTensor(integers: [1]))
    graph.nodes = [
      SourceNode(name: "step", op: "Unsqueeze", inputs: ["x", "zero"], outputs: ["step"]),
      first,
      SourceNode(name: "flat", op: "Squeeze", inputs: ["y1", "one"], outputs: ["flat"]),
      second,
      SourceNode(name: "answer", op: "Tanh", inputs: ["z"], outputs: ["answer"]),
    ]
    graph.outputs = ["answer", "h1"] + (isKept ? ["k1"] : [])
    guard isKept else {
      let error = try #require(throws: ImportError.self) { try draft(graph) }
      #expect(error.problem.contains("begins anew"), "\(error)")
      return
    }
    let kept = try draft(graph)
    #expect(kept.description.inputs.map(\.name) == ["x"], "\(kept.notes)")
  }

  /// Two GRUs of x that begin with the rows of s, in front of the batch or behind it, and answer theirs likewise.
  private func layered(_ dimensions: [SourceGraph.Dimension], isTurned: Bool) -> SourceGraph {
    var graph = graph(batch: .named("b"))
    graph.inputs.append(.init(name: "s", kind: .float, dimensions: dimensions))
    graph.constants["ends"] = SourceConstant(SourceTensor(integers: [Int(Int32.max)]))
    for (index, name) in ["zero", "one"].enumerated() {
      graph.constants[name] = SourceConstant(SourceTensor(integers: [index]))
    }
    let order = ["perm": SourceAttribute.integers([isTurned ? 1 : 0, isTurned ? 0 : 1, 2])]
    var networks = [graph.nodes[0], graph.nodes[0]]
    for (index, (name, state)) in [("y", "first"), ("z", "second")].enumerated() {
      (networks[index].name, networks[index].outputs) = (name, [name, "\(name).end"])
      networks[index].inputs[5] = state
    }
    let rows = [("first", "zero", "one"), ("second", "one", "ends")].map { name, start, end in
      SourceNode(name: name, op: "Slice", inputs: ["rows", start, end, "zero"], outputs: [name])
    }
    graph.nodes =
      [
        SourceNode(
          name: "rows", op: "Transpose", inputs: ["s"], outputs: ["rows"], attributes: order)
      ]
      + rows + networks + [
        SourceNode(
          name: "both", op: "Concat", inputs: ["y.end", "z.end"], outputs: ["both"],
          attributes: ["axis": .integer(0)]),
        SourceNode(
          name: "next", op: "Transpose", inputs: ["both"], outputs: ["next"], attributes: order),
      ]
    graph.outputs = ["y", "z", "next"]
    return graph
  }

  /// An input with the rows of several states, whose number the file does not say, has as many as are taken of it.
  @Test(arguments: [false, true]) func rowsOfStatesAreCounted(isTurned: Bool) throws {
    let open = [SourceGraph.Dimension.named("l"), .named("b")]
    let draft = try draft(
      layered((isTurned ? open.reversed() : open) + [.fixed(2)], isTurned: isTurned))
    #expect(draft.description.inputs.map(\.name) == ["x"], "\(draft.notes)")
    let numbers: [Float] = [0.3, -1, 0.2, 0.7, 0.1, -0.6]
    let reference = try #require(draft.reference)
    #expect(try reference.values(for: ["x": numbers], steps: 2).contains { $0.name == "z" })
  }

  /// Rows that are read elsewhere too stay with the caller, as one vector, and are noted once.
  @Test(arguments: [false, true]) func rowsThatAreReadElsewhere(isTurned: Bool) throws {
    let sizes: [SourceGraph.Dimension] =
      isTurned ? [.named("b"), .fixed(2)] : [.fixed(2), .named("b")]
    var graph = layered(sizes + [.fixed(2)], isTurned: isTurned)
    graph.constants["axis"] = SourceConstant(SourceTensor(integers: [isTurned ? 1 : 0]))
    graph.nodes.append(
      SourceNode(
        name: "mean", op: "ReduceMean", inputs: ["s", "axis"], outputs: ["mean"],
        attributes: ["keepdims": .integer(0)]))
    graph.outputs.append("mean")
    var draft = try draft(graph)
    CallersStates.begin(&draft)
    #expect(draft.description.inputs.map(\.kind).last == .vector(size: 4), "\(draft.notes)")
    #expect(
      draft.notes.count { $0.contains("the networks \"y\", \"z\" begin") } == 1, "\(draft.notes)")
  }

  /// The flag that ends an episode begins a network together with h, and is no state that an answer of one number is the next of.
  @Test func aFlagBesideAStateIsNone() throws {
    var graph = graph(batch: .named("b"))
    graph.inputs += [
      .init(name: "h", kind: .float, dimensions: [.fixed(1), .named("b"), .fixed(2)]),
      .init(name: "keep", kind: .float, dimensions: [.fixed(1), .named("b"), .fixed(1)]),
    ]
    graph.constants["axis"] = SourceConstant(SourceTensor(integers: [0]))
    graph.constants["m"] = SourceConstant(SourceTensor(shape: [2, 1], elements: [0.4, -0.7]))
    graph.nodes = [
      SourceNode(name: "begin", op: "Mul", inputs: ["h", "keep"], outputs: ["begin"]),
      SourceNode(
        name: "y", op: "GRU", inputs: ["x", "w", "r", "", "", "begin"], outputs: ["y", "end"],
        attributes: ["hidden_size": .integer(2)]),
      SourceNode(name: "next", op: "Squeeze", inputs: ["end", "axis"], outputs: ["next"]),
      SourceNode(name: "value", op: "MatMul", inputs: ["next", "m"], outputs: ["value"]),
    ]
    graph.outputs = ["next", "value"]
    var draft = try draft(graph)
    CallersStates.begin(&draft)
    let states = draft.notes.filter { $0.contains("stays with the caller") }
    #expect(states.count == 1 && states[0].contains("\"h\""), "\(draft.notes)")
  }

  /// Final states that are joined with themselves and taken apart again and again are followed once each.
  @Test(.endsHangs) func statesOfStates() throws {
    var graph = layered([.fixed(2), .named("b"), .fixed(2)], isTurned: false)
    for (name, number) in [("two", 2), ("last axis", -1)] {
      graph.constants[name] = SourceConstant(SourceTensor(integers: [number]))
    }
    var last = "both"
    for index in 0..<60 {
      graph.nodes += [
        SourceNode(
          name: "c\(index)", op: "Concat", inputs: [last, last], outputs: ["c\(index)"],
          attributes: ["axis": .integer(-1)]),
        SourceNode(
          name: "d\(index)", op: "Slice", inputs: ["c\(index)", "zero", "two", "last axis"],
          outputs: ["d\(index)"]),
      ]
      last = "d\(index)"
    }
    graph.outputs = ["y", "z", last]
    #expect(try draft(graph).description.inputs.map(\.name) == ["x"])
  }

  /// A decoder that reads the token it chose is told to be exported as one step.
  @Test func aChosenTokenIsRefused() throws {
    var graph = graph(batch: .named("b"))
    graph.constants["table"] = SourceConstant(
      SourceTensor(shape: [2, 3], elements: (0..<6).map { Double($0) }))
    graph.nodes += [
      SourceNode(
        name: "choice", op: "ArgMax", inputs: ["y"], outputs: ["id"],
        attributes: ["axis": .integer(-1), "keepdims": .integer(0)]),
      SourceNode(name: "embedding", op: "Gather", inputs: ["table", "id"], outputs: ["e"]),
    ]
    graph.outputs = ["e"]
    let error = try #require(throws: ImportError.self) { try draft(graph) }
    #expect(error.problem.contains("place of the largest number"), "\(error)")
    #expect(error.remedy?.contains("export one step") ?? false, "\(error)")
  }
}
