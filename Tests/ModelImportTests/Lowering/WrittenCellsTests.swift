import Inference
import ModelFormat
import TestSupport
import Testing

@testable import ModelImport

/// Cells that are written as arithmetic, one step a call.
@Suite struct WrittenCellsTests {
  private static let size = 3

  /// A graph of x [1, 2] and of states [1, 3] that are answered beside h, through a layer that answers `y`.
  private struct Written {
    var graph = SourceGraph(opset: 17)

    init(_ inputs: [String], x: Int = 2) {
      graph.inputs = inputs.map {
        .init(name: $0, kind: .float, dimensions: [.fixed(1), .fixed($0 == "x" ? x : size)])
      }
    }

    mutating func add(
      _ op: String, _ inputs: [String], _ output: String,
      _ attributes: [String: SourceAttribute] = [:]
    ) {
      graph.nodes.append(
        SourceNode(
          name: output, op: op, inputs: inputs, outputs: [output], attributes: attributes))
    }

    /// A constant matrix of its own numbers.
    mutating func matrix(_ name: String, _ rows: Int, _ columns: Int) -> String {
      var noise = Noise(seed: UInt64(graph.constants.count + 1))
      graph.constants[name] = SourceConstant(
        SourceTensor(
          shape: [rows, columns], elements: noise.floats(rows * columns).map(Double.init)))
      return name
    }

    /// σ, or another function, of W x + R h + b.
    mutating func gate(
      _ name: String, of x: String, _ state: String, _ function: String = "Sigmoid",
      x width: Int = 2
    ) {
      add("MatMul", [x, matrix("\(name).w", width, size)], "\(name).x")
      add("MatMul", [state, matrix("\(name).r", size, size)], "\(name).h")
      add("Add", ["\(name).x", "\(name).h"], "\(name).sum")
      add("Add", ["\(name).sum", matrix("\(name).b", 1, size)], "\(name).all")
      add(function, ["\(name).all"], name)
    }

    mutating func lstm(x: String = "x", width: Int = 2) {
      for (name, function) in [("i", "Sigmoid"), ("f", "Sigmoid"), ("o", "Sigmoid"), ("g", "Tanh")]
      {
        gate(name, of: x, "h", function, x: width)
      }
      step()
    }

    /// What an LSTM makes of its gates, and of the candidate g.
    mutating func step(forget: String = "f", output: String = "o") {
      add("Mul", ["i", "g"], "entry")
      add("Mul", ["c", forget], "kept")
      add("Add", ["entry", "kept"], "c2")
      add("Tanh", ["c2"], "squashed")
      add("Mul", ["squashed", output], "h2")
    }

    /// A GRU; `isTurned`: z weighs the candidate.
    mutating func gru(isTurned: Bool, isReduced: Bool, isBefore: Bool) {
      gate("r", of: "x", "h")
      gate("z", of: "x", "h")
      if isBefore {
        add("Mul", ["r", "h"], "gated")
        gate("n", of: "x", "gated", "Tanh")
      } else {
        add("MatMul", ["x", matrix("n.w", 2, size)], "n.x")
        add("Gemm", ["h", matrix("n.r", size, size), matrix("n.b", 1, size)], "n.h")
        add("Mul", ["r", "n.h"], "gated")
        add("Add", ["n.x", "gated"], "n.all")
        add("Tanh", ["n.all"], "n")
      }
      let (first, second) = isTurned ? ("n", "h") : ("h", "n")
      if isReduced {
        add("Sub", [first, second], "difference")
        add("Mul", ["difference", "z"], "part")
        add("Add", ["part", second], "h2")
      } else {
        graph.constants["one"] = SourceConstant(SourceTensor(shape: [], elements: [1]))
        add("Sub", ["one", "z"], "rest")
        add("Mul", ["rest", second], "part")
        add("Mul", ["z", first], "other")
        add("Add", ["part", "other"], "h2")
      }
    }

    mutating func rename(_ constant: String, _ name: String) {
      graph.constants[name] = graph.constants.removeValue(forKey: constant)
      for index in graph.nodes.indices {
        graph.nodes[index].inputs = graph.nodes[index].inputs.map { $0 == constant ? name : $0 }
      }
    }

    mutating func answer(_ states: [String]) {
      add("MatMul", ["h2", matrix("head", size, 2)], "y")
      graph.outputs = ["y"] + states
    }
  }

  /// What the graph answers to steps, its states fed back.
  private func answers(_ graph: SourceGraph, _ steps: [[Float]], states: [String]) throws
    -> [Double]
  {
    let next = Array(graph.outputs.dropFirst())
    var values = Dictionary(
      uniqueKeysWithValues: states.map {
        ($0, SourceTensor(repeating: 0, shape: [1, Self.size]))
      })
    var found: [Double] = []
    for step in steps {
      values["x"] = SourceTensor(shape: [1, step.count], elements: step.map(Double.init))
      var interpreter = GraphInterpreter(
        opset: graph.opset,
        inputs: values.merging(try graph.constants.mapValues { try $0.tensor() }) { $1 })
      try interpreter.run(graph)
      found += try #require(interpreter.values["y"]).dense
      for (state, name) in zip(states, next) { values[state] = interpreter.values[name] }
    }
    return found
  }

  private func expectCell(
    _ graph: SourceGraph, _ op: String, states: [String], width: Int = 2
  ) throws {
    let draft = try GraphTranslation(graph).folder(named: "m")
    #expect(draft.description.nodes.map(\.op.name) == [op, "linear"])
    #expect(draft.description.inputs.map(\.name) == ["x"])
    let folder = try ModelGraph(draft.model())
    #expect(folder.isStreamable)
    var noise = Noise(seed: 9)
    let steps = (0..<6).map { _ in noise.floats(width) }
    let sequence = try InputSequence([.features(Array(steps.joined()))], for: folder.model)
    let expected = try answers(graph, steps, states: states)
    for pieces in [6, 1] {
      let found = Runner.run(folder, [sequence], selections: [.all]) { _, _ in pieces }[0][0]
      try #require(found.count == expected.count)
      for (a, b) in zip(found, expected) { #expect(abs(Double(a) - b) <= 1e-5) }
    }
    // What is compared with the folder is the arithmetic.
    let names = Set((draft.reference?.graph.nodes ?? []).map(\.op))
    #expect(names.contains("MatMul") && !names.contains(op.uppercased()))
  }

  /// The state is told from an input of its size by where c stands.
  @Test(arguments: [17, 11], [2, 3]) func lstms(opset: Int, width: Int) throws {
    var written = Written(["x", "h", "c"], x: width)
    written.graph.opset = opset
    written.lstm(width: width)
    written.answer(["h2", "c2"])
    try expectCell(written.graph, "lstm", states: ["h", "c"], width: width)
  }

  @Test(arguments: ["Relu", "Softsign"]) func otherActivations(op: String) throws {
    var written = Written(["x", "h", "c"], x: 2)
    written.lstm(width: 2)
    written.answer(["h2", "c2"])
    for index in written.graph.nodes.indices where written.graph.nodes[index].name == "squashed" {
      written.graph.nodes[index].op = op
    }
    try expectCell(written.graph, "lstm", states: ["h", "c"], width: 2)
  }

  @Test(arguments: [false, true], [(false, false), (false, true), (true, false), (true, true)])
  func grus(isTurned: Bool, form: (isReduced: Bool, isBefore: Bool)) throws {
    var written = Written(["x", "h"])
    written.gru(isTurned: isTurned, isReduced: form.isReduced, isBefore: form.isBefore)
    written.answer(["h2"])
    try expectCell(written.graph, "gru", states: ["h"])
  }

  /// An RNN's state is told by its name, or by that of the weights that it meets.
  @Test(arguments: ["h", "hidden_in", "u"], ["Tanh", "Relu"])
  func rnns(state: String, function: String) throws {
    var written = Written(["x", state])
    written.gate("h2", of: "x", state, function)
    if state == "u" { written.rename("h2.r", "cell.weight_hh") }
    written.answer(["h2"])
    try expectCell(written.graph, "rnn", states: [state])
  }

  /// One whose state is not answered, one of which h may be either of two, one that keeps another value than c, one with another function, and a layer of two
  /// inputs stay arithmetic.
  @Test(arguments: ["unanswered", "ambiguous", "function", "layer", "keeps h", "keeps x"])
  func whatIsNone(kind: String) throws {
    var written = Written(kind == "ambiguous" ? ["h", "c", "x"] : ["x", "h", "c"], x: 3)
    if kind == "layer" {
      written.gate("h2", of: "x", "c", "Tanh", x: 3)
    } else {
      written.lstm(width: 3)
    }
    if kind == "function" {
      for index in written.graph.nodes.indices where written.graph.nodes[index].name == "squashed" {
        written.graph.nodes[index].op = "Exp"
      }
    }
    if kind.hasPrefix("keeps") {
      // Another value in the place of c, which is then read by nothing.
      for index in written.graph.nodes.indices where written.graph.nodes[index].op == "Mul" {
        written.graph.nodes[index].inputs = written.graph.nodes[index].inputs.map {
          $0 == "c" ? String(kind.suffix(1)) : $0
        }
      }
    }
    written.answer(kind == "unanswered" ? ["c2"] : kind == "layer" ? ["h2"] : ["h2", "c2"])
    let draft = try GraphTranslation(written.graph).folder(named: "m")
    #expect(!draft.description.nodes.contains { $0.op.recurrent != nil })
    let isReadByTwo = kind == "layer" || kind.hasPrefix("keeps")
    #expect(draft.description.inputs.count == (isReadByTwo ? 2 : 3))
  }

  /// Values that are each made of the one before twice, sums and products of constants and of what is carried, are looked at once.
  @Test(.endsHangs, arguments: [false, true]) func valuesOfValues(areConstant: Bool) throws {
    var written = Written(["x", "h", "c"])
    var last = areConstant ? written.matrix("k0", 1, Self.size) : "h"
    for index in 1...60 {
      written.add(areConstant ? "Add" : "Mul", [last, last], "k\(index)")
      last = "k\(index)"
    }
    written.add("Concat", ["x", last], "both", ["axis": .integer(-1)])
    written.add("MatMul", ["both", written.matrix("w", 5, Self.size)], "sum")
    written.add("Sigmoid", ["sum"], "i")
    written.add("Tanh", ["c"], "g")
    written.step(forget: "i", output: "i")
    written.answer(["h2", "c2"])
    #expect(WrittenCells(written.graph) == nil)
  }

  /// Nodes of a cell that lack what they compute of, and axes of no size, are no cell.
  @Test(arguments: ["Sigmoid", "Tanh", "Split", "Gemm", "Concat"]) func nodesThatLackInputs(
    op: String
  ) {
    for isEmpty in op == "Gemm" ? [true] : [true, false] {
      var written = Written(["x", "h", "c"])
      written.lstm()
      for index in written.graph.nodes.indices {
        switch (op, written.graph.nodes[index].op) {
        case ("Sigmoid", "Sigmoid"), ("Tanh", "Tanh"):
          written.graph.nodes[index].inputs = isEmpty ? [] : [""]
        case (_, "MatMul"):
          written.graph.nodes[index].op = op
          if isEmpty { written.graph.nodes[index].inputs = [] }
        default: continue
        }
      }
      written.answer(["h2", "c2"])
      #expect(WrittenCells(written.graph) == nil)
    }
    var written = Written(["x", "h", "c"], x: op == "Split" ? -3 : 0)
    written.add("Concat", ["x", "h"], "both", ["axis": .integer(1)])
    written.add("MatMul", ["both", written.matrix("w", 3, Self.size)], "z")
    for name in ["i", "f", "o"] { written.add("Sigmoid", ["z"], name) }
    written.add("Tanh", ["z"], "g")
    written.step()
    written.answer(["h2", "c2"])
    #expect(WrittenCells(written.graph) == nil)
  }

  /// Where the caller is to keep the states, they stay inputs.
  @Test func statesOfTheCaller() throws {
    var written = Written(["x", "h", "c"])
    written.lstm()
    written.answer(["h2", "c2"])
    var options = GraphTranslation.Options()
    options.keepsStates = true
    let draft = try GraphTranslation(written.graph, options: options).folder(named: "m")
    #expect(draft.description.inputs.map(\.name) == ["x", "h", "c"])
    #expect(draft.description.outputs.count == 3)
  }
}
