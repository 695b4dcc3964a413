import ModelFormat
import Testing

@testable import ModelImport

/// Chains that are guessed from the names and shapes of weights.
@Suite struct GraphGuessTests {
  /// Weights of layers: a linear one, a convolution with a kernel of 3, an LSTM.
  private func table(_ layers: [(kind: String, name: String, input: Int, output: Int)])
    -> WeightTable
  {
    var table = WeightTable(file: "m.pt")
    func add(_ name: String, _ shape: [Int]) {
      let count = shape.reduce(1, *)
      table.weights.append(
        .init(name: name, shape: shape, floats: Array(repeating: 0.5, count: count)))
    }
    for layer in layers {
      switch layer.kind {
      case "lstm":
        add("\(layer.name).weight_ih_l0", [4 * layer.output, layer.input])
        add("\(layer.name).weight_hh_l0", [4 * layer.output, layer.output])
      case "conv": add("\(layer.name).weight", [layer.output, layer.input, 3])
      default: add("\(layer.name).weight", [layer.output, layer.input])
      }
      if layer.kind != "lstm" { add("\(layer.name).bias", [layer.output]) }
    }
    return table
  }

  private func names(_ table: WeightTable) throws -> [String] {
    try GraphGuess.description(of: table, name: "m").0.nodes.map(\.name)
      .filter { !$0.hasPrefix("relu") }
  }

  /// Where the sizes allow several orders, convolutions stand before linear layers, as a head is one.
  @Test func convolutionsStandBeforeTheHead() throws {
    let found = try names(
      table([
        ("linear", "head", 8, 8), ("conv", "a", 3, 8), ("conv", "b", 8, 8), ("lstm", "rnn", 8, 8),
      ]))
    #expect(found.firstIndex(of: "b") ?? 9 < found.firstIndex(of: "head") ?? 0)
  }

  /// A file that has its layers by name does not tell their order: a head stands last, what reads the input first.
  @Test func layersByName() throws {
    let cases: [([(kind: String, name: String, input: Int, output: Int)], [String])] = [
      ([("linear", "fc", 32, 1), ("lstm", "lstm", 1, 32)], ["lstm", "fc"]),
      (
        [("linear", "fc1", 8, 8), ("linear", "fc2", 8, 8), ("lstm", "rnn", 8, 8)],
        ["rnn", "fc1", "fc2"]
      ),
      (
        [("linear", "inp", 1, 8), ("lstm", "lstm", 8, 8), ("linear", "out", 8, 1)],
        ["inp", "lstm", "out"]
      ),
    ]
    for (layers, expected) in cases {
      var table = table(layers)
      table.isOrdered = false
      #expect(try names(table) == expected)
      let notes = try GraphGuess.description(of: table, name: "m").notes
      #expect(notes.contains { $0.contains("the order of the layers?") })
    }
  }

  /// A linear layer that makes the channels of a convolution stays before it.
  @Test func aProjectionMayStandBeforeThem() throws {
    let found = try names(
      table([("linear", "in", 3, 8), ("conv", "a", 8, 6), ("lstm", "rnn", 6, 4)]))
    #expect(found == ["in", "a", "rnn"])
  }

  /// A convolution beside others, as of a residual path, is not put behind the head: there is no chain.
  @Test func noConvolutionStandsBehindTheHead() throws {
    let table = table([
      ("conv", "a", 3, 8), ("conv", "b", 8, 8), ("conv", "down", 3, 8), ("lstm", "rnn", 8, 8),
      ("linear", "head", 8, 3),
    ])
    let error = #expect(throws: ImportError.self) { try self.names(table) }
    #expect(error?.problem.contains("plausible") == true)
  }

  /// Without a recurrent network there is no guess, and no talk of a chain that fails.
  @Test func weightsWithoutARecurrentNetwork() throws {
    let table = table([("conv", "a", 3, 8), ("conv", "b", 8, 8), ("linear", "head", 8, 2)])
    let error = #expect(throws: ImportError.self) { try self.names(table) }
    #expect(error?.problem.contains("without a recurrent network") == true)
  }

  /// What a guess leaves open is asked once each, with the line of model.json that has another answer.
  @Test func whatIsLeftOpenIsAsked() throws {
    let weights = table([
      ("conv", "conv", 3, 4), ("lstm", "rnn", 4, 8), ("linear", "a", 8, 5), ("linear", "fc", 5, 2),
    ])
    let notes = try GraphGuess.description(of: weights, name: "m").notes
    #expect(notes.filter { $0.contains("?") }.count == notes.count - 1)
    func asked(_ texts: String...) -> Bool {
      notes.count { note in texts.allSatisfy { note.contains($0) } } == 1
    }
    #expect(asked("which steps of rnn", "\"inputs\": [\"rnn.hidden\"] of a", "\"op\": \"mean\""))
    #expect(asked("between conv and rnn? yes", "\"inputs\": [\"conv\"] of rnn"))
    #expect(asked("between a and fc? yes", "node relu-2", "\"inputs\": [\"a\"] of fc"))
    #expect(asked("how does conv pad", "\"padding\": \"valid\""))
    #expect(
      asked(
        "between rnn and a, or behind fc", "\"inputs\": [\"rnn\"] }", "\"inputs\": [\"act\"] of a",
        "\"name\": \"softmax\" of the output"))
  }

  /// What is written as the answers say is a model.
  @Test(arguments: ["rnn.hidden", "pooled", "act"])
  func anAnswerIsAModel(value: String) throws {
    let weights = table([("lstm", "rnn", 3, 8), ("linear", "fc", 8, 2)])
    var description = try GraphGuess.description(of: weights, name: "m").0
    if value != "rnn.hidden" {
      description.nodes.insert(
        .init(name: value, op: value == "act" ? .relu : .mean, inputs: ["rnn"], weights: nil), at: 1
      )
    }
    description.nodes[description.nodes.count - 1].inputs = [value]
    #expect(throws: Never.self) {
      try GraphFit(description: description, graphFile: nil).draft([weights])
    }
  }

  /// Weights with other names: what renames them is told, with the name of a matrix.
  @Test func otherNamesAreToldToBeRenamed() throws {
    var table = WeightTable(file: "m.npz")
    for (name, shape) in [("arr_0", [32]), ("arr_1", [32, 3])] {
      table.weights.append(
        .init(name: name, shape: shape, floats: Array(repeating: 0, count: shape.reduce(1, *))))
    }
    let error = #expect(throws: ImportError.self) { try self.names(table) }
    #expect(
      error?.remedy?.contains("--names map.json with {\"arr_1\": \"lstm.weight_ih_l0\"") == true)
    #expect(error?.remedy?.contains("model.save('model.keras')") == true)
  }
}
