import Inference
import ModelFormat
import TestSupport
import Testing

@testable import Scheduling

/// Decoders through the engine's threads: whoever else rides, each gets what it gets alone.
@Suite(.endsHangs) struct DecodingTests {
  private struct Request {
    let sequence: InputSequence
    let decoding: Decoding
  }

  private func requests(_ count: Int, for graph: ModelGraph, seed: UInt64) throws -> [Request] {
    var noise = TestSupport.Noise(seed: seed)
    return try (0..<count).map { index in
      let choice: Decoding.Choice =
        switch index % 3 {
        case 0: .greedy
        case 1:
          .beam(
            width: .random(in: 1...5, using: &noise),
            lengthPenalty: .random(in: 0...2, using: &noise))
        default: .sampling(Sampling(temperature: 2, seed: noise.next()))
        }
      var decoding = Decoding(
        choice: choice, maxSteps: .random(in: 1...12, using: &noise),
        returnsSteps: Bool.random(using: &noise))
      decoding.alternatives = .random(in: 1...decoding.width, using: &noise)
      return Request(
        sequence: try noise.sequence(
          for: graph.model, steps: .random(in: 1...40, using: &noise)), decoding: decoding)
    }
  }

  private func predict(
    _ engine: Engine, _ sequences: [InputSequence], _ decoding: Decoding?
  ) async throws -> [Prediction] {
    try await withCheckedContinuation { continuation in
      engine.predict(sequences, selection: .last, decoding: decoding) {
        continuation.resume(returning: $0)
      }
    }.get()
  }

  @Test(
    arguments: [false, true], [(1, 1), (1, 3), (2, 3), (3, 3), (2, 16)])
  func companyDoesNotMatter(
    isBidirectional: Bool, room: (workers: Int, seats: Int)
  ) async throws {
    for (index, cell) in SmallModels.Cell.allCases.enumerated() {
      let graph = try ModelGraph(
        SmallModels.translator(
          SmallModels.Translator {
            ($0.cell, $0.isBidirectional, $0.hasFeedback) = (cell, isBidirectional, index % 2 == 0)
            $0.attention = [nil, .dot, .additive, .additive, .bilinear, nil, .dot][index % 7]
          }), precision: Precision.allCases[index % Precision.allCases.count])
      let engine = Engine(
        graph: graph, limits: EngineLimits(workers: room.workers, maxSeats: room.seats))
      let requests = try requests(16, for: graph, seed: UInt64(room.seats))
      try await withThrowingTaskGroup(of: Void.self) { group in
        for request in requests {
          group.addTask {
            let found = try await predict(engine, [request.sequence], request.decoding)
            let alone = try graph.decode(request.sequence, request.decoding)
            #expect(alone.answer != nil && found.map(\.decoded) == [alone.answer])
            #expect(found.count == 1 && found[0].outputs.isEmpty)
          }
        }
        try await group.waitForAll()
      }
      #expect(engine.snapshot().seated == 0 && engine.snapshot().queuedSequences == 0)
    }
  }

  /// The sequences of one request, greedily where nothing else is said, in their order.
  @Test func aRequestHasManySequences() async throws {
    let graph = try ModelGraph(SmallModels.translator())
    let engine = Engine(graph: graph, limits: EngineLimits(workers: 2, maxSeats: 3))
    let sequences = try requests(20, for: graph, seed: 4).map(\.sequence)
    let found = try await predict(engine, sequences, nil)
    for (sequence, prediction) in zip(sequences, found) {
      let alone = try graph.decode(sequence, Decoding(maxSteps: 12))
      #expect(prediction.decoded == alone.answer)
    }
    #expect(Set(found.map { $0.decoded?.first?.tokens }).count > 3)
  }

  /// Readers who go on, pause, or leave.
  @Test(arguments: [(1, 1), (2, 3), (2, 16)])
  func readersGetTheSame(room: (workers: Int, seats: Int)) async throws {
    let graph = try ModelGraph(SmallModels.translator(SmallModels.Translator { $0.seed = 3 }))
    let engine = Engine(
      graph: graph, limits: EngineLimits(workers: room.workers, maxSeats: room.seats))
    try await withThrowingTaskGroup(of: Void.self) { group in
      for (index, request) in try requests(24, for: graph, seed: 7).enumerated() {
        group.addTask {
          var decoding = request.decoding
          decoding.alternatives = 1
          let reader = TextReader(engine)
          reader.reply = { count in
            switch index % 4 {
            case 1: count == 2 ? .leave : .goOn
            case 2: .pause
            case 3: .resumeAtOnce
            default: .goOn
            }
          }
          let (tokens, result) = await reader.decode(request.sequence, decoding)
          let alone = try graph.decode(request.sequence, decoding)
          switch result {
          case .failure(let refusal):
            #expect(refusal == .cancelled && index % 4 == 1)
            #expect(Array(alone.tokens.prefix(tokens.count)) == tokens)
          case .success(let predictions):
            #expect(predictions.map(\.decoded) == [alone.answer])
            #expect(tokens == alone.tokens)
          }
        }
      }
      try await group.waitForAll()
    }
    #expect(engine.snapshot().seated == 0 && engine.snapshot().queuedSequences == 0)
  }

  @Test func theReaderMayHaveEnough() async throws {
    let graph = try ModelGraph(SmallModels.translator(SmallModels.Translator { $0.seed = 3 }))
    let engine = Engine(graph: graph)
    let request = try #require(
      try requests(20, for: graph, seed: 8).first {
        try graph.decode($0.sequence, Decoding(maxSteps: 12)).tokens.count > 3
      })
    let reader = TextReader(engine)
    reader.reply = { $0 == 2 ? .stop : .goOn }
    let (tokens, result) = await reader.decode(request.sequence, Decoding(maxSteps: 12))
    let alone = try graph.decode(request.sequence, Decoding(maxSteps: 12))
    let answer = try #require(try result.get()[0].decoded?.first)
    #expect(tokens == Array(alone.tokens.prefix(2)))
    #expect(answer.tokens == Array(alone.tokens.prefix(2)) && answer.end == .reader)
  }

  /// A reader that waits for ever keeps nobody from the only seat; when its client leaves, nothing is left of it.
  @Test func aClientThatLeavesFreesItsSeat() async throws {
    let graph = try ModelGraph(SmallModels.translator(SmallModels.Translator { $0.seed = 3 }))
    let engine = Engine(graph: graph, limits: EngineLimits(workers: 1, maxSeats: 1))
    let request = try #require(
      try requests(20, for: graph, seed: 8).first {
        try graph.decode($0.sequence, Decoding(maxSteps: 12)).tokens.count > 3
      })
    let reader = TextReader(engine)
    let (paused, signal) = AsyncStream.makeStream(of: Int.self)
    reader.reply = { count in
      signal.yield(count)
      return .wait
    }
    async let reading = reader.decode(request.sequence, Decoding(maxSteps: 12))
    for await _ in paused { break }
    _ = try await predict(engine, [request.sequence], nil)
    reader.cancel()
    let (tokens, result) = await reading
    #expect(tokens.count == 1 && result == .failure(.cancelled))
    #expect(engine.snapshot().seated == 0 && engine.snapshot().queuedSequences == 0)
  }

  /// The encoder's numbers are beyond a float's: there is no answer, and the reader is told.
  @Test func whatIsNotFiniteIsNoAnswer() async throws {
    let model = try Model(
      description: ModelDescription(
        name: "big", version: "1",
        inputs: [.init(name: "x", kind: .features(size: 2, mean: nil, scale: nil))],
        nodes: [
          .init(name: "v", op: .last, inputs: ["x"]),
          .init(name: "w", op: .affine(scale: [1e38], shift: nil), inputs: ["v"]),
        ], outputs: [],
        decoder: ModelDescription.Decoder(
          inputs: [
            .init(name: "t", source: .tokens(size: 2, vocabulary: nil)),
            .init(name: "w", source: .encoder("w")),
          ],
          nodes: [
            .init(name: "e", op: .embedding, inputs: ["t"]),
            .init(name: "y", op: .add, inputs: ["e", "w"]),
          ], outputs: [.init(name: "y")], start: .id(0), maxSteps: 3)),
      tensors: TensorFile(
        bytes: TensorFile.serialize([("e.weight", [2, 2], [0, 1, 2, 3])])))
    let graph = try ModelGraph(model)
    let engine = Engine(graph: graph)
    let sequences = try [[1, 2], [100, 2]].map {
      try InputSequence([.features($0)], for: model)
    }
    let found = try await predict(engine, sequences, nil)
    #expect(found[0].decoded?.count == 1 && found[1].decoded == nil)
    let reader = TextReader(engine)
    let (tokens, result) = await reader.decode(sequences[1], Decoding(maxSteps: 3))
    #expect(tokens == [nil] && result == .success([Prediction(outputs: [])]))
  }
}
