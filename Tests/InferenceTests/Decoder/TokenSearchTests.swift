import Glibc
import Inference
import ModelFormat
import TestSupport
import Testing

/// Searches against what one finds who tries all sequences, each run through the decoder from its beginning.
@Suite struct TokenSearchTests {
  /// All that there is to know of a decoder's answers to one sequence.
  private struct Reference {
    let graph: ModelGraph
    let values: [[Float]]

    init(_ graph: ModelGraph, _ sequence: InputSequence) {
      self.graph = graph
      values = graph.decodedValues(of: sequence)
    }

    var decoder: Model.Decoder { graph.decoder!.decoder }

    /// The scores behind `tokens`, in one pass over all steps.
    func scores(after tokens: [Int32]) throws -> [Float] {
      let graph = graph.decoder!.graph
      let sequence = try InputSequence(
        decoder.sources.map { source -> InputSequence.Values in
          switch source {
          case .token: .tokens([decoder.start] + tokens)
          case .encoder(let place):
            if case .sequence = self.graph.model.decoded[place].form {
              .features(values[place])
            } else {
              .vector(values[place])
            }
          case .feedback: fatalError("steps depend on those before")
          }
        }, for: graph.model)
      return Runner.run(graph, [sequence], selections: [.last])[0][0]
    }

    /// The logarithm of each token's probability behind `tokens`.
    func logarithms(after tokens: [Int32], _ scale: SmallModels.Scores) throws -> [Double] {
      let scores = try scores(after: tokens).map(Double.init)
      switch scale {
      case .probabilities: return scores.map { log($0) }
      case .logits, .logarithms:
        let best = scores.max()!
        let sum = scores.reduce(0) { $0 + exp($1 - best) }
        return scores.map { $0 - best - log(sum) }
      }
    }

    /// Every sequence of up to `most` tokens, the best first.
    func all(_ most: Int, penalty: Double, _ scale: SmallModels.Scores) throws
      -> [(tokens: [Int32], score: Double)]
    {
      var (open, found): ([([Int32], Double)], [([Int32], Double)]) = ([([], 0)], [])
      for count in 1...most {
        var longer: [([Int32], Double)] = []
        for (tokens, sum) in open {
          for (token, logarithm) in try logarithms(after: tokens, scale).enumerated() {
            let isEnd = decoder.ends.contains(Int32(token))
            let score = (sum + logarithm) / pow(Double(count), penalty)
            if isEnd {
              found.append((tokens, score))
            } else if count == most {
              found.append((tokens + [Int32(token)], score))
            } else {
              longer.append((tokens + [Int32(token)], sum + logarithm))
            }
          }
        }
        open = longer
      }
      return found.sorted { $0.1 > $1.1 }
    }
  }

  private func sequence(for graph: ModelGraph, seed: UInt64) throws -> InputSequence {
    var noise = TestSupport.Noise(seed: seed)
    return try noise.sequence(for: graph.model, steps: .random(in: 1...9, using: &noise))
  }

  private func translator(_ change: (inout SmallModels.Translator) -> Void) throws -> ModelGraph {
    try ModelGraph(SmallModels.translator(SmallModels.Translator(change)))
  }

  private static let attentions: [AttentionOp.Score?] = [nil, .dot, .additive, .bilinear]

  /// A beam that holds every sequence finds the best of all, in their order.
  @Test(arguments: SmallModels.Scores.allCases, [0, 0.7, 1, 2] as [Double])
  func aWideBeamFindsTheBest(scale: SmallModels.Scores, penalty: Double) throws {
    for seed: UInt64 in 1...8 {
      let graph = try translator {
        ($0.size, $0.scores, $0.seed, $0.maxSteps) = (3, scale, seed, 4)
        $0.attention = Self.attentions[Int(seed % 4)]
      }
      let sequence = try sequence(for: graph, seed: seed)
      // Fewer than 2⁴ go on, as one token in three ends a sequence; and at most 15 end before.
      let decoding = Decoding(
        choice: .beam(width: 64, lengthPenalty: penalty), maxSteps: 4, alternatives: 20)
      let found = try #require(try graph.decode(sequence, decoding).answer)
      let expected = try Reference(graph, sequence).all(4, penalty: penalty, scale)
      #expect(found.count == 20)
      for (a, b) in zip(found, expected) {
        #expect(a.tokens == b.tokens)
        #expect(abs(a.score - b.score) <= 1e-5 * max(1, abs(b.score)))
        #expect((a.end == .limit) == (a.tokens.count == 4))
      }
    }
  }

  /// A narrow beam's score is that of its tokens, and it is the first of its alternatives.
  @Test(arguments: [1, 2, 3, 5], [0, 1.5] as [Double])
  func scoresAreThoseOfTheTokens(width: Int, penalty: Double) throws {
    for seed: UInt64 in 1...8 {
      let graph = try translator { ($0.seed, $0.maxSteps) = (seed, 9) }
      let sequence = try sequence(for: graph, seed: seed)
      let decoding = Decoding(
        choice: .beam(width: width, lengthPenalty: penalty), maxSteps: 9, alternatives: width)
      let found = try #require(try graph.decode(sequence, decoding).answer)
      #expect(found.count == width && Set(found.map(\.tokens)).count == width)
      #expect(found.map(\.score) == found.map(\.score).sorted(by: >))
      let reference = Reference(graph, sequence)
      for answer in found {
        let all = answer.tokens + (answer.end == .token ? [0] : [])
        var sum = 0.0
        for index in all.indices {
          sum += try reference.logarithms(after: Array(all[..<index]), .logits)[Int(all[index])]
        }
        sum /= pow(Double(all.count), penalty)
        #expect(abs(answer.score - sum) <= 1e-5 * max(1, abs(sum)))
        #expect(answer.end == .token || answer.tokens.count == 9)
      }
      // Only one answer is asked for: it is the same one, though the search may end before.
      var single = decoding
      single.alternatives = 1
      #expect(try graph.decode(sequence, single).answer == [found[0]])
    }
  }

  @Test(arguments: SmallModels.Scores.allCases, SmallModels.Cell.allCases)
  func aBeamOfOneIsGreedy(scale: SmallModels.Scores, cell: SmallModels.Cell) throws {
    for seed: UInt64 in 1...6 {
      let graph = try translator {
        ($0.seed, $0.scores, $0.cell, $0.hasFeedback) = (seed, scale, cell, seed % 2 == 0)
      }
      let sequence = try sequence(for: graph, seed: seed)
      let greedy = try graph.decode(sequence, Decoding(maxSteps: 12, returnsSteps: true))
      for penalty in [0.0, 1, 3] {
        var beam = try graph.decode(
          sequence,
          Decoding(
            choice: .beam(width: 1, lengthPenalty: penalty), maxSteps: 12, returnsSteps: true))
        let answer = try #require(beam.answer?.first)
        let expected = try #require(greedy.answer?.first)
        #expect(answer.tokens == expected.tokens && answer.end == expected.end)
        #expect(answer.steps == expected.steps && beam.tokens == greedy.tokens)
        if penalty == 0 { #expect(answer.score == expected.score) }
        beam.answer = nil
      }
    }
  }

  /// Each token is the likeliest behind those before it, and each row what the decoder says of it.
  @Test(arguments: attentions) func greedyTokensAreTheLikeliest(
    attention: AttentionOp.Score?
  ) throws {
    for seed: UInt64 in 1...10 {
      let graph = try translator {
        ($0.seed, $0.attention, $0.isBidirectional) = (seed, attention, seed % 2 == 0)
      }
      let sequence = try sequence(for: graph, seed: seed)
      let answer = try #require(
        try graph.decode(sequence, Decoding(maxSteps: 12, returnsSteps: true)).answer?.first)
      let reference = Reference(graph, sequence)
      var tokens: [Int32] = []
      var rows: [Float] = []
      while tokens.count < 12, tokens.last != 0 {
        let scores = try reference.scores(after: tokens)
        rows += scores
        tokens.append(Int32(scores.firstIndex(of: scores.max()!)!))
      }
      // In one pass of all steps there are other queries beside each.
      #expect(answer.steps == rows)
      #expect(answer.tokens == (tokens.last == 0 ? tokens.dropLast() : tokens))
      #expect(answer.end == (tokens.last == 0 ? .token : .limit))
    }
  }

  /// Drawn tokens are those that the sampler draws of the scores.
  @Test func drawnTokensAreTheSamplers() throws {
    for seed: UInt64 in 1...10 {
      let graph = try translator { $0.seed = seed }
      let sequence = try sequence(for: graph, seed: seed)
      let sampling = Sampling(temperature: 3, topK: 4, topP: 0.9, seed: seed)
      let answer = try #require(
        try graph.decode(sequence, Decoding(choice: .sampling(sampling), maxSteps: 12)).answer)[0]
      var sampler = TokenSampler(sampling, scale: .logarithm)
      let reference = Reference(graph, sequence)
      var (tokens, sum): ([Int32], Double) = ([], 0)
      while tokens.count < 12, tokens.last != 0 {
        let token = try #require(sampler.draw(from: try reference.scores(after: tokens)[...]))
        sum += try reference.logarithms(after: tokens, .logits)[Int(token)]
        tokens.append(token)
      }
      #expect(answer.tokens == (tokens.last == 0 ? tokens.dropLast() : tokens))
      #expect(abs(answer.score - sum) <= 1e-5 * max(1, abs(sum)))
    }
  }

  /// What was given out while the search went on is the answer.
  @Test(arguments: [1, 2, 4, 9]) func tokensBecomeCertain(width: Int) throws {
    var early = 0
    for seed: UInt64 in 1...20 {
      let graph = try translator { ($0.seed, $0.hasFeedback) = (seed, true) }
      let sequence = try sequence(for: graph, seed: seed)
      let decoding = Decoding(
        choice: .beam(width: width, lengthPenalty: Double(seed % 3)), maxSteps: 12)
      let (answer, tokens) = try graph.decode(sequence, decoding)
      #expect(tokens == answer?.first?.tokens)
      early += tokens.count
    }
    #expect(early > 20)
  }

  /// One token less than it takes to end, as many, and one more.
  @Test func theLimitEndsASequence() throws {
    var ended = 0
    for seed: UInt64 in 1...30 {
      let graph = try translator { $0.seed = seed }
      let sequence = try sequence(for: graph, seed: seed)
      let whole = try #require(try graph.decode(sequence, Decoding(maxSteps: 12)).answer)[0]
      guard whole.end == .token, whole.tokens.count > 0 else { continue }
      ended += 1
      // The token that ends it counts.
      let needed = whole.tokens.count + 1
      for (steps, end) in [
        (needed - 1, DecodedSequence.End.limit), (needed, .token), (needed + 1, .token),
      ] {
        let answer = try #require(try graph.decode(sequence, Decoding(maxSteps: steps)).answer)[0]
        #expect(answer.tokens == whole.tokens && answer.end == end)
      }
    }
    #expect(ended > 3)
  }

  /// What was fed back is what the decoder computed at the step before.
  @Test func valuesAreFedBack() throws {
    let table: [Float] = [0, 0, 0, 0, 0, 0]
    let model = try Model(
      description: ModelDescription(
        name: "sum", version: "1",
        inputs: [.init(name: "x", kind: .features(size: 2, mean: nil, scale: nil))],
        nodes: [.init(name: "first", op: .last, inputs: ["x"])], outputs: [],
        decoder: ModelDescription.Decoder(
          inputs: [
            .init(name: "t", source: .tokens(size: 2, vocabulary: nil)),
            .init(name: "sum", source: .feedback(of: "y", first: .encoder("first"))),
            .init(name: "count", source: .feedback(of: "c", first: .zeros(size: 1))),
          ],
          nodes: [
            .init(name: "e", op: .embedding, inputs: ["t"], weights: "e"),
            .init(name: "c", op: .affine(scale: [1], shift: [1]), inputs: ["count"]),
            .init(name: "y", op: .add, inputs: ["sum", "c", "e"]),
          ], outputs: [.init(name: "y")], start: .id(0), maxSteps: 5)),
      tensors: TensorFile(bytes: TensorFile.serialize([("e.weight", [2, 2], Array(table[..<4]))])))
    let graph = try ModelGraph(model)
    let sequence = try InputSequence([.features([7, 7, 10, 20])], for: model)
    let answer = try #require(
      try graph.decode(sequence, Decoding(maxSteps: 5, returnsSteps: true)).answer)[0]
    // 1, 1 + 2, 1 + 2 + 3, …
    #expect(answer.steps == [11, 21, 13, 23, 16, 26, 20, 30, 25, 35])
    #expect(answer.tokens == [1, 1, 1, 1, 1] && answer.end == .limit)
  }

  // MARK: - Graphs that can't run a step a token

  /// A decoder of vectors `v` and sequences `s` of the encoder, with `nodes` before its scores `y`.
  private func decoder(_ nodes: [ModelDescription.Node], scores: String) throws -> ModelGraph {
    try ModelGraph(
      Model(
        description: ModelDescription(
          name: "d", version: "1",
          inputs: [.init(name: "x", kind: .features(size: 2, mean: nil, scale: nil))],
          nodes: [.init(name: "v", op: .last, inputs: ["x"])], outputs: [],
          decoder: ModelDescription.Decoder(
            inputs: [
              .init(name: "v", source: .encoder("v")), .init(name: "s", source: .encoder("x")),
              .init(name: "t", source: .tokens(size: 2, vocabulary: nil)),
            ],
            nodes: nodes + [
              .init(name: "e", op: .embedding, inputs: ["t"]),
              .init(name: "a", op: .attention(), inputs: ["e", "s"]),
              .init(name: "y", op: .add, inputs: ["a", "v", scores]),
            ], outputs: [.init(name: "y")], start: .id(0), maxSteps: 3)),
        tensors: TensorFile(
          bytes: TensorFile.serialize([("e.weight", [2, 2], [1, 2, 3, 4])]))))
  }

  @Test(
    arguments: [
      ([("r", .reverse, ["e"])], "r"), ([("m", .mean, ["s"])], "m"),
      ([("a2", .attention(), ["e", "e"])], "a2"),
      ([("l", .last, ["e"]), ("r", .add, ["l", "e"])], "r"),
    ] as [([(String, ModelDescription.Op, [String])], String)])
  func stepsThatNeedOthersAreRefused(
    nodes: [(name: String, op: ModelDescription.Op, inputs: [String])], refused: String
  ) throws {
    do {
      _ = try decoder(
        nodes.map { .init(name: $0.name, op: $0.op, inputs: $0.inputs) },
        scores: nodes.last!.name)
      Issue.record("no error")
    } catch {
      #expect("\(error)".contains("decoder.nodes: ") && "\(error)".contains("\"\(refused)\""))
    }
  }

  /// What is the same at every step may be made of all the encoder's steps, and what is computed of each of them too.
  @Test func stepsOfTheEncoderMayBeRead() throws {
    let graph = try decoder(
      [
        .init(name: "whole", op: .attention(), inputs: ["v", "s"]),
        .init(name: "back", op: .reverse, inputs: ["s"]),
        .init(name: "z", op: .attention(), inputs: ["e", "back"]),
        .init(name: "w", op: .add, inputs: ["whole", "z"]),
      ], scores: "w")
    let sequence = try InputSequence([.features([1, 2, 3, -1, 0.5, 2])], for: graph.model)
    let answer = try #require(
      try graph.decode(sequence, Decoding(maxSteps: 3, returnsSteps: true)).answer?.first)
    let reference = Reference(graph, sequence)
    for step in 0..<3 {
      let scores = try reference.scores(after: Array(answer.tokens[..<step]))
      #expect(Array(answer.steps[2 * step..<2 * step + 2]) == scores)
    }
  }

  /// Hypotheses whose encoders' steps do not fit one pass take several: nobody can tell.
  @Test func longSequencesTakeSeveralPasses() throws {
    let graph = try translator { ($0.attention, $0.seed) = (.additive, 5) }
    var noise = TestSupport.Noise(seed: 4)
    // Only the first step of each reads them: what is made of them is kept.
    let sequences = try (0..<70).map {
      try noise.sequence(for: graph.model, steps: $0 % 7 == 1 ? 3 : 2000)
    }
    let decoding = Decoding(choice: .beam(width: 3, lengthPenalty: 0), maxSteps: 2)
    let decoder = try #require(graph.decoder)
    var turn = DecoderTurn(decoder)
    var searches = sequences.map {
      TokenSearch(decoder, decoding, values: graph.decodedValues(of: $0))
    }
    for _ in 0..<2 {
      for (seat, search) in searches.enumerated() { turn.add(search, seat: seat) }
      turn.compute()
      for seat in searches.indices {
        searches[seat].advance(try #require(turn.place(ofSeat: seat)), of: turn)
      }
      turn.clear()
    }
    for (search, sequence) in zip(searches, sequences) {
      #expect(search.answer == (try graph.decode(sequence, decoding)).answer)
    }
  }

  // MARK: - Numbers without end

  /// A table of scores behind each of two tokens.
  private func chain(_ scores: [Float], isLogarithm: Bool = false) throws -> ModelGraph {
    try ModelGraph(
      Model(
        description: ModelDescription(
          name: "chain", version: "1",
          inputs: [.init(name: "x", kind: .features(size: 2, mean: nil, scale: nil))],
          nodes: [.init(name: "v", op: .last, inputs: ["x"])], outputs: [],
          decoder: ModelDescription.Decoder(
            inputs: [
              .init(name: "t", source: .tokens(size: 2, vocabulary: nil)),
              .init(name: "v", source: .encoder("v")),
            ],
            nodes: [
              .init(name: "e", op: .embedding, inputs: ["t"]),
              .init(name: "z", op: .multiply, inputs: ["e", "v"]),
            ] + (isLogarithm ? [.init(name: "y", op: .log, inputs: ["z"])] : []),
            outputs: [.init(name: isLogarithm ? "y" : "z")], start: .id(0), maxSteps: 3)),
        tensors: TensorFile(bytes: TensorFile.serialize([("e.weight", [2, 2], scores)]))))
  }

  @Test func scoresBeyondNumbersAreNoAnswer() throws {
    let graph = try chain([1, 2, 3e38, 1])
    for choice in [Decoding.Choice.greedy, .beam(width: 2, lengthPenalty: 0)] {
      for (value, isFinite): (Float, Bool) in [(1, true), (3e38, false)] {
        let sequence = try InputSequence([.features([value, value])], for: graph.model)
        let found = try graph.decode(sequence, Decoding(choice: choice, maxSteps: 3))
        #expect((found.answer != nil) == isFinite)
      }
    }
  }

  /// No sequence has a token of probability 0, however wide the beam.
  @Test func whatIsImpossibleIsNotSearched() throws {
    let graph = try chain([0, 1, 0, 1], isLogarithm: true)
    let sequence = try InputSequence([.features([1, 1])], for: graph.model)
    let found = try graph.decode(
      sequence,
      Decoding(choice: .beam(width: 4, lengthPenalty: 0), maxSteps: 3, alternatives: 4))
    #expect(found.answer?.map(\.tokens) == [[1, 1, 1]] && found.answer?[0].score == 0)
  }
}
