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
      case "vector": add(layer.name, [layer.output])
      default: add("\(layer.name).weight", [layer.output, layer.input])
      }
      if !["lstm", "vector"].contains(layer.kind) { add("\(layer.name).bias", [layer.output]) }
    }
    return table
  }

  private func names(_ table: WeightTable) throws -> [String] {
    try GraphGuess.description(of: table, name: "m").0.nodes.map(\.name)
      .filter { !$0.hasPrefix("relu") }
  }

  /// A layer whose weights can't be read is not left out in silence.
  @Test func aTensorThatIsNotReadStopsTheGuess() throws {
    let known = table([("lstm", "lstm", 3, 4), ("linear", "fc", 4, 2)])
    var table = known
    table.unread = [("fc2.weight", "a sparse tensor")]
    let error = try #require(throws: ImportError.self) {
      try GraphGuess.description(of: table, name: "m")
    }
    #expect(error.place == "fc2.weight" && error.problem.contains("a sparse tensor"))
    #expect(error.remedy?.contains("to_dense()") ?? false)
    #expect(try names(known) == ["lstm", "fc"])
  }

  /// Floats of 8 bits are numbers that are not read; whole numbers are none of a layer's.
  @Test(arguments: [("F8_E4M3", ["w"]), ("C64", ["w"]), ("U8", []), ("F32", [])])
  func typesThatAreNotRead(type: String, unread: [String]) throws {
    let size = ["F8_E4M3": 1, "U8": 1, "C64": 8][type] ?? 4
    let header = #"{"w":{"dtype":"\#(type)","shape":[2],"data_offsets":[0,\#(2 * size)]}}"#
    let padded = header + String(repeating: " ", count: (8 - header.utf8.count % 8) % 8)
    let length = (0..<8).map { UInt8(truncatingIfNeeded: padded.utf8.count >> (8 * $0)) }
    let file = SourceFile(
      path: "m.safetensors",
      bytes: length + Array(padded.utf8) + Array(repeating: 0, count: 2 * size))
    #expect(try WeightTable(safetensors: file).unread.map(\.name) == unread)
  }

  @Test(arguments: ["safetensors", "bin"]) func oneOfSeveralFilesIsNoModel(kind: String) throws {
    let path = "model-00002-of-00003.\(kind)"
    let error = try #require(throws: ImportError.self) {
      try WeightFormats.safetensors.read(
        ImportRequest(files: [path]), [SourceFile(path: path, bytes: [])])
    }
    #expect(error.problem.contains("one of the 3 files"))
    #expect(error.remedy?.contains("'model-00003-of-00003.\(kind)'") ?? false)
    #expect(error.remedy?.contains("torch.load") == (kind == "bin"))
  }

  /// A discriminator may fit behind its generator, and is no part of it.
  @Test func aDiscriminatorIsLeftOut() throws {
    let both = table([
      ("lstm", "generator.lstm", 3, 4), ("linear", "generator.fc", 4, 2),
      ("linear", "discriminator.first", 2, 5), ("linear", "discriminator.last", 5, 1),
    ])
    #expect(try names(both) == ["generator.lstm", "generator.fc"])
    let notes = try GraphGuess.description(of: both, name: "m").notes
    #expect(notes.contains { $0.contains("discriminator.last") && $0.contains("left out") })
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

  /// The weights of a loss are no PReLU behind the head: they are left out, and asked about.
  @Test(arguments: [
    "criterion.weight", "loss.weight", "loss_fn.pos_weight", "class_weights", "ce.weight",
  ])
  func weightsOfALossAreLeftOut(name: String) throws {
    for hidden in [8, 3] {
      let weights = table([
        ("lstm", "rnn", 4, hidden), ("linear", "fc", hidden, 3), ("vector", name, 0, 3),
      ])
      let (description, notes) = try GraphGuess.description(of: weights, name: "m")
      #expect(description.nodes.map(\.name) == ["rnn", "fc"])
      #expect(description.outputs.map(\.name) == ["fc"])
      #expect(notes.count { $0.contains("\(name) for training alone? yes here") } == 1)
    }
  }

  /// A module whose name has a loss's among its letters is a layer.
  /// The critic of an agent is left out and asked about, where it answers a value beside its actor.
  @Test func aCriticIsLeftOut() throws {
    let actor = [
      ("linear", "body", 4, 8), ("lstm", "lstm_actor", 8, 8), ("linear", "action_net", 8, 2),
    ]
    let critic = [("lstm", "lstm_critic", 8, 8), ("linear", "value_net", 8, 1)]
    #expect(try names(table(actor + critic)) == ["body", "lstm_actor", "action_net"])
    let notes = try GraphGuess.description(of: table(actor + critic), name: "m").notes
    #expect(notes.contains { $0.contains("lstm_critic.weight_ih_l0") && $0.contains("critic of") })
    let several = table(actor + [("linear", "value", 8, 4), ("linear", "query", 8, 4)])
    let error = #expect(throws: ImportError.self) { try names(several) }
    #expect(error?.problem.contains("linear value") == true)
  }

  @Test func namesLikeALossAreLayers() throws {
    let found = try names(table([("lstm", "lossless", 4, 8), ("linear", "glossary", 8, 3)]))
    #expect(found == ["lossless", "glossary"])
  }

  /// Numbers beside the layers make no guess fail, and are asked about.
  @Test func numbersByThemselvesAreLeftOut() throws {
    let weights = table([
      ("vector", "similarity_weight", 0, 1), ("lstm", "rnn", 1, 8),
      ("vector", "scale.weight", 0, 1),
      ("linear", "fc", 8, 1),
    ])
    let (description, notes) = try GraphGuess.description(of: weights, name: "m")
    #expect(description.nodes.map(\.name) == ["rnn", "fc"])
    #expect(
      notes.contains { $0.hasPrefix("do similarity_weight, scale.weight (one number each) change") }
    )
  }

  /// A PReLU of one slope stands where the file has it, and not behind the head.
  @Test(arguments: [["rnn", "act", "fc"], ["rnn", "fc", "act"]])
  func aPReLUOfOneSlope(order: [String]) throws {
    let layers = [
      "rnn": ("lstm", "rnn", 3, 8), "act": ("vector", "act.weight", 0, 1),
      "fc": ("linear", "fc", 8, 2),
    ]
    let weights = table(order.compactMap { layers[$0] })
    #expect(try names(weights) == ["rnn", "act", "fc"])
    let notes = try GraphGuess.description(of: weights, name: "m").notes
    #expect(notes.contains { $0.hasPrefix("does act, one number, stand behind rnn as a PReLU?") })
  }

  /// Whether a decoder reads every step or the last state repeated is asked, by names or as the chain answers what it reads.
  @Test(arguments: [["encoder.rnn", "decoder.rnn"], ["lstm1", "lstm2"]])
  func anAutoencoderIsAskedAbout(networks: [String]) throws {
    for isNarrow in [false, true] {
      let between = isNarrow ? [("linear", "encoder.latent", 8, 8)] : []
      let weights = table(
        [("lstm", networks[0], 3, 8)] + between + [
          ("lstm", networks[1], 8, 8), ("linear", "out", 8, 3),
        ])
      var (description, notes) = try GraphGuess.description(of: weights, name: "m")
      let question = try #require(
        notes.first {
          $0.hasPrefix("does \(networks[1]) read every step of \(networks[0])? yes here")
        })
      let handed = isNarrow ? "encoder.latent" : "\(networks[0]).hidden"
      #expect(
        question.contains(
          "{ \"name\": \"repeated\", \"op\": \"repeat\", \"inputs\": [\"\(handed)\", \"x\"] }"))
      #expect(
        question.contains(
          isNarrow
            ? "\"inputs\": [\"\(networks[0]).hidden\"] of encoder.latent" : "of \(networks[1])"))
      // What is written as the answer says is a model.
      for index in description.nodes.indices {
        switch description.nodes[index].name {
        case networks[1]:
          let final = "\(networks[0])."
          description.nodes[index].inputs = ["repeated", "\(final)hidden", "\(final)cell"]
        case "encoder.latent": description.nodes[index].inputs = ["\(networks[0]).hidden"]
        default: break
        }
      }
      description.nodes.append(
        .init(name: "repeated", op: .repeat(), inputs: [handed, "x"], weights: nil))
      #expect(throws: Never.self) {
        try GraphFit(description: description, graphFile: nil).draft([weights])
      }
    }
  }

  /// Two networks that are no autoencoder raise no such question.
  @Test func aStackIsNotAskedAboutAsADecoder() throws {
    let weights = table([
      ("lstm", "lstm1", 3, 8), ("lstm", "lstm2", 8, 8), ("linear", "out", 8, 2),
    ])
    let notes = try GraphGuess.description(of: weights, name: "m").notes
    #expect(!notes.contains { $0.contains("every step of") })
  }

  /// A decoder that fits behind its own head only reads its own answers: that is no chain.
  @Test func aDecoderBehindItsHeadIsRefused() throws {
    let table = table([
      ("lstm", "encoder", 3, 8), ("lstm", "decoder", 2, 8), ("linear", "fc", 8, 2),
    ])
    let error = #expect(throws: ImportError.self) { try self.names(table) }
    #expect(error?.problem.contains("fc makes what decoder reads") == true)
    #expect(error?.remedy?.contains("torch.export.save") == true)
  }

  /// Layers that fit in another order than the file's: that is asked.
  @Test func anotherOrderThanTheFilesIsAsked() throws {
    let weights = table([
      ("lstm", "a", 3, 8), ("lstm", "b", 2, 8), ("linear", "fc", 8, 2),
    ])
    let (description, notes) = try GraphGuess.description(of: weights, name: "m")
    #expect(description.nodes.map(\.name) == ["a", "fc", "b"])
    #expect(notes.contains { $0.contains("the order of the layers? The file has a, b, fc,") })
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
    #expect(
      asked("how does conv pad", "\"padding\": \"valid\"", "\"op\": \"max_pool\", \"kernel\": 2"))
    #expect(!asked("is anything added"))
    #expect(
      asked(
        "between rnn and a, or behind fc", "\"inputs\": [\"rnn\"] }", "\"inputs\": [\"act\"] of a",
        "\"name\": \"softmax\" of the output; a log_softmax the same with \"log_softmax\""))
  }

  /// A sum may go around what keeps the number of elements; norms of other kinds have a LayerNorm's tensors.
  @Test func sumsAndNormsAreAsked() throws {
    var weights = table([
      ("linear", "inp", 3, 8), ("lstm", "rnn", 8, 8), ("linear", "mix", 8, 8),
      ("linear", "fc", 8, 2),
    ])
    for part in ["weight", "bias"] {
      weights.weights.append(
        .init(name: "gn.\(part)", shape: [8], floats: Array(repeating: 1, count: 8)))
    }
    let notes = try GraphGuess.description(of: weights, name: "m").notes
    #expect(
      notes.contains {
        $0.contains("added to what rnn, mix, gn answers")
          && $0.contains("\"inputs\": [\"rnn\", \"inp\"]")
      }, "\(notes)")
    #expect(notes.contains { $0.contains("is gn a LayerNorm?") && $0.contains("GroupNorm") })
  }

  /// Norms of one vector, their eps, sums around several layers, scores of the steps and a bilinear layer are asked about too.
  @Test func whatHasTheSameTensorsIsAsked() throws {
    var weights = table([
      ("lstm", "rnn", 5, 6), ("linear", "mix", 6, 5), ("linear", "attn", 5, 1),
    ])
    for (name, numbers) in [("norm.weight", 5), ("slopes.weight", 6)] {
      weights.weights.append(
        .init(name: name, shape: [numbers], floats: Array(repeating: 1, count: numbers)))
    }
    let (description, notes) = try GraphGuess.description(of: weights, name: "m")
    #expect(description.nodes.first { $0.name == "norm" }?.op.name == "rms_norm")
    #expect(description.nodes.first { $0.name == "slopes" }?.op.name == "prelu")
    func asked(_ texts: String...) -> Bool {
      notes.contains { note in texts.allSatisfy { note.contains($0) } }
    }
    #expect(asked("is norm an RMSNorm?", "\"op\": \"layer_norm\"", "\"op\": \"prelu\""))
    #expect(asked("is slopes a PReLU?", "\"rms_norm\" or \"layer_norm\""))
    #expect(asked("does attn score the steps", "\"op\": \"softmax_sum\""))
    #expect(asked("added to what", "mix", "a mask", "\"op\": \"add\""))

    weights = table([("linear", "inp", 6, 6), ("lstm", "rnn", 6, 6)])
    weights.weights.removeAll { $0.name == "inp.bias" }
    let square = try GraphGuess.description(of: weights, name: "m").notes
    #expect(square.contains { $0.contains("is inp an embedding") && $0.contains("\"features\"") })
    weights = table([("conv", "dw", 1, 4), ("lstm", "rnn", 4, 6)])
    let groups = try GraphGuess.description(of: weights, name: "m").notes
    #expect(groups.contains { $0.contains("has dw groups?") && $0.contains("\"groups\": 4") })

    weights = table([("lstm", "rnn", 4, 3), ("conv", "b", 3, 2)])
    for part in ["weight", "bias"] {
      weights.weights.append(
        .init(name: "ln.\(part)", shape: [3], floats: Array(repeating: 1, count: 3)))
    }
    let others = try GraphGuess.description(of: weights, name: "m").notes
    #expect(others.contains { $0.contains("is b a convolution") && $0.contains("nn.Bilinear") })
    #expect(others.contains { $0.contains("which eps have ln?") && $0.contains("\"epsilon\"") })
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
