import Dispatch
import Inference
import ModelFormat
import Synchronization
import TestSupport
import Testing

@testable import Scheduling

/// Text through the engine's threads: whoever else rides, and however often its reader is behind, it is the text that
/// one gets who asks for a token at a time.
@Suite(.endsHangs) struct GenerationTests {
  private struct Request {
    let prompt: InputSequence
    let sampling: Sampling
    let steps: Int
  }

  private func requests(_ count: Int, for graph: ModelGraph, seed: UInt64) throws -> [Request] {
    var noise = TestSupport.Noise(seed: seed)
    return try (0..<count).map { _ in
      Request(
        prompt: try noise.sequence(for: graph.model, steps: .random(in: 1...40, using: &noise)),
        sampling: Sampling(
          temperature: [0, 0.7, 1].randomElement(using: &noise)!,
          topK: Bool.random(using: &noise) ? 5 : nil, topP: Bool.random(using: &noise) ? 0.9 : 1,
          seed: noise.next()),
        steps: .random(in: 1...30, using: &noise))
    }
  }

  private func predict(
    _ engine: Engine, _ sequence: InputSequence, horizon: Int? = nil,
    states: StateTransfer = StateTransfer()
  ) async throws -> Prediction {
    try await withCheckedContinuation { continuation in
      engine.predict([sequence], selection: .last, horizon: horizon, states: states) {
        continuation.resume(returning: $0)
      }
    }.get()[0]
  }

  /// The tokens by predictions, each from the state behind the one before.
  private func stepByStep(_ request: Request, _ graph: ModelGraph) async throws -> [Int32?] {
    let engine = Engine(graph: graph, limits: EngineLimits(workers: 1, maxSeats: 1))
    let (output, _, scale) = try #require(graph.generation)
    var sampler = TokenSampler(request.sampling, scale: scale)
    var (input, state) = (request.prompt, SequenceState?.none)
    var tokens: [Int32?] = []
    while tokens.count < request.steps {
      let next = try await predict(
        engine, input,
        states: StateTransfer(initial: state.map { [$0] } ?? [], returnsFinal: true))
      let token = sampler.draw(from: next.outputs[output].values[...])
      tokens.append(token)
      state = next.state
      input = try InputSequence([.tokens([token ?? 0])], for: graph.model)
    }
    return tokens
  }

  @Test(arguments: SmallModels.Scores.allCases, [(1, 1), (1, 3), (2, 3), (3, 3), (2, 16)])
  func companyDoesNotMatter(
    scores: SmallModels.Scores, room: (workers: Int, seats: Int)
  ) async throws {
    try await expectCompanyDoesNotMatter(
      ModelGraph(SmallModels.writer(scores: scores)), room)
  }

  @Test(arguments: SmallModels.Cell.allCases, Precision.allCases)
  func companyDoesNotMatterToAnyCell(cell: SmallModels.Cell, precision: Precision) async throws {
    try await expectCompanyDoesNotMatter(
      ModelGraph(SmallModels.writer(cell: cell), precision: precision), (2, 3))
  }

  private func expectCompanyDoesNotMatter(
    _ graph: ModelGraph, _ room: (workers: Int, seats: Int)
  ) async throws {
    let engine = Engine(
      graph: graph, limits: EngineLimits(workers: room.workers, maxSeats: room.seats))
    let requests = try requests(16, for: graph, seed: UInt64(room.seats))
    let found = await withTaskGroup(of: (Int, Reading).self) { group in
      for (index, request) in requests.enumerated() {
        group.addTask {
          let reader = TextReader(engine)
          // One in four leaves in the middle; one in four pauses now and then.
          reader.reply = { count in
            if index % 4 == 1, count == request.steps / 2 { return .leave }
            if count == request.steps { return .stop }
            return index % 4 == 2 && count % 3 == 0 ? .pause : .goOn
          }
          return (
            index,
            await reader.read(request.prompt, request.sampling, maxSteps: request.steps)
          )
        }
      }
      return await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
    }
    for (index, request) in requests.enumerated() {
      let (tokens, result) = try #require(found[index])
      let expected = try await stepByStep(request, graph)
      if case .failure(let refusal) = result {
        #expect(refusal == .cancelled && index % 4 == 1)
        #expect(Array(expected.prefix(tokens.count)) == tokens)
      } else {
        #expect(result == .success([Prediction(outputs: [])]))
        #expect(tokens == expected)
      }
    }
    let statistics = engine.snapshot()
    #expect(statistics.seated == 0 && statistics.queuedSequences == 0)
  }

  /// Texts of a seed are not all the same, so that the comparisons above say something.
  @Test func textsDependOnWhatTheyShould() async throws {
    let graph = try ModelGraph(SmallModels.writer())
    let prompts = try [[1, 2, 3], [1, 2, 4]].map {
      try InputSequence([.tokens($0)], for: graph.model)
    }
    let texts = try await [(prompts[0], 1), (prompts[0], 2), (prompts[1], 1)].asyncMap {
      try await stepByStep(
        Request(prompt: $0.0, sampling: Sampling(temperature: 2, seed: $0.1), steps: 30), graph)
    }
    #expect(Set(texts).count == 3 && texts.allSatisfy { Set($0).count > 3 })
  }

  // MARK: - Readers who are behind

  /// With one seat: while a text waits for its reader another request has the seat, and then the text goes on.
  @Test func theSeatIsOthersMeanwhile() async throws {
    let graph = try ModelGraph(SmallModels.writer())
    let engine = Engine(graph: graph, limits: EngineLimits(workers: 1, maxSeats: 1))
    let request = try requests(1, for: graph, seed: 3)[0]
    let reader = TextReader(engine)
    let (paused, signal) = AsyncStream.makeStream(of: Int.self)
    reader.reply = { count in
      if count == 20 { return .stop }
      guard count % 4 == 0 else { return .goOn }
      signal.yield(count)
      return .wait
    }
    async let reading = reader.read(request.prompt, request.sampling, maxSteps: 20)
    var pauses: [Int] = []
    for await count in paused {
      pauses.append(count)
      // Would never be answered if the seat were kept.
      _ = try await predict(engine, request.prompt)
      #expect(reader.tokens.count == count)
      reader.resume()
      if count == 16 { break }
    }
    #expect(pauses == [4, 8, 12, 16])
    let (tokens, result) = await reading
    #expect(result == .success([Prediction(outputs: [])]))
    let whole = Request(prompt: request.prompt, sampling: request.sampling, steps: 20)
    #expect(try await stepByStep(whole, graph) == tokens)
  }

  /// A model without any state can pause too.
  @Test func whatHasNoStatePauses() async throws {
    let chain: [Float] = [0, 9, 0, 0, 0, 9, 9, 0, 0]
    let graph = try ModelGraph(
      Model(
        description: ModelDescription(
          name: "chain", version: "1",
          inputs: [.init(name: "t", kind: .tokens(size: 3, vocabulary: nil))],
          nodes: [.init(name: "e", op: .embedding, inputs: ["t"])],
          outputs: [.init(name: "e", forecasts: "t")]),
        tensors: TensorFile(bytes: TensorFile.serialize([("e.weight", [3, 3], chain)]))))
    let reader = TextReader(Engine(graph: graph))
    reader.reply = { $0 == 7 ? .stop : .pause }
    let prompt = try InputSequence([.tokens([2, 0])], for: graph.model)
    let (tokens, _) = await reader.read(prompt, Sampling(temperature: 0, seed: 1), maxSteps: 7)
    #expect(tokens == [1, 2, 0, 1, 2, 0, 1])
  }

  /// The reader catches up at once, on its own thread or another, before or after the rider is parked: it is never
  /// forgotten.
  @Test(arguments: [TextReader.Reply.resumeAtOnce, .pause])
  func noResumptionIsLost(reply: TextReader.Reply) async throws {
    let graph = try ModelGraph(SmallModels.writer(hiddenSize: 4))
    let engine = Engine(graph: graph, limits: EngineLimits(workers: 2, maxSeats: 4))
    let requests = try requests(24, for: graph, seed: 9)
    await withTaskGroup(of: [Int32?].self) { group in
      for request in requests {
        group.addTask {
          let reader = TextReader(engine)
          reader.reply = { $0 == 60 ? .stop : reply }
          return await reader.read(request.prompt, request.sampling, maxSteps: 60).tokens
        }
      }
      for await tokens in group { #expect(tokens.count == 60) }
    }
    let statistics = engine.snapshot()
    #expect(statistics.seated == 0 && statistics.queuedSequences == 0)
  }

  // MARK: - Ends

  @Test(arguments: 1...5) func theReaderSaysWhenItIsEnough(steps: Int) async throws {
    let graph = try ModelGraph(SmallModels.writer())
    let request = try requests(1, for: graph, seed: 5)[0]
    // What it said at first was an estimate.
    for maxSteps in [1, 3, 100] {
      let reader = TextReader(Engine(graph: graph))
      reader.reply = { $0 == steps ? .stop : .goOn }
      let (tokens, result) = await reader.read(
        request.prompt, request.sampling, maxSteps: maxSteps)
      #expect(tokens.count == steps && result == .success([Prediction(outputs: [])]))
    }
  }

  /// Neither `resume` nor `cancel` finds anything once a text was cancelled while it waited for its reader.
  @Test func aTextThatWaitsCanBeCancelled() async throws {
    let graph = try ModelGraph(SmallModels.writer())
    let engine = Engine(graph: graph, limits: EngineLimits(workers: 1, maxSeats: 1))
    let request = try requests(1, for: graph, seed: 6)[0]
    let reader = TextReader(engine)
    let (paused, signal) = AsyncStream.makeStream(of: Int.self)
    reader.reply = { count in
      signal.yield(count)
      return .wait
    }
    async let reading = reader.read(request.prompt, request.sampling, maxSteps: 9)
    for await _ in paused { break }
    _ = try await predict(engine, request.prompt)
    reader.cancel()
    reader.cancel()
    reader.resume()
    let (tokens, result) = await reading
    #expect(tokens.count == 1 && result == .failure(.cancelled))
    _ = try await predict(engine, request.prompt)
    #expect(engine.snapshot().seated == 0)
    #expect(engine.snapshot().refused.first { $0.reason == "cancelled" }?.count == 1)
  }

  /// Nobody comes back for it: its time-out ends it all the same.
  @Test func aTextThatWaitedTooLongIsLate() async throws {
    let graph = try ModelGraph(SmallModels.writer())
    let request = try requests(1, for: graph, seed: 6)[0]
    try await withGrowingTimeouts { timeout in
      let engine = Engine(graph: graph, limits: EngineLimits(workers: 1, maxSeats: 1))
      let reader = TextReader(engine)
      reader.reply = { _ in .wait }
      let (tokens, result) = await reader.read(
        request.prompt, request.sampling, maxSteps: 9, timeout: timeout)
      #expect(tokens.count <= 1 && result == .failure(.deadlinePassed(timeout: timeout)))
      #expect(engine.snapshot().seated == 0)
      // Else the time-out passed before there was a token to wait with.
      return tokens.count == 1
    }
  }

  /// Horizons of all lengths at once, and sequences that have none.
  @Test(arguments: SmallModels.Shape.allCases, [(1, 2), (2, 5), (3, 16)])
  func forecastsShareTurns(
    shape: SmallModels.Shape, room: (workers: Int, seats: Int)
  ) async throws {
    let graph = try ModelGraph(SmallModels.forecaster(shape))
    let engine = Engine(
      graph: graph, limits: EngineLimits(workers: room.workers, maxSeats: room.seats))
    let lonely = Engine(graph: graph, limits: EngineLimits(workers: 1, maxSeats: 1))
    var noise = TestSupport.Noise(seed: 8)
    let questions = try (0..<30).map { index in
      (
        try noise.sequence(for: graph.model, steps: .random(in: 1...60, using: &noise)),
        index % 5 == 0 ? nil : Int.random(in: 1...25, using: &noise)
      )
    }
    let found = try await withThrowingTaskGroup(of: (Int, Prediction).self) { group in
      for (index, (sequence, horizon)) in questions.enumerated() {
        group.addTask { (index, try await predict(engine, sequence, horizon: horizon)) }
      }
      return try await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
    }
    for (index, (sequence, horizon)) in questions.enumerated() {
      let alone = try await predict(lonely, sequence, horizon: horizon).outputs[0].values
      #expect(alone.count == horizon ?? 2)
      #expect(found[index]?.outputs[0].values.map(\.bitPattern) == alone.map(\.bitPattern))
    }
  }
}

extension Array {
  fileprivate func asyncMap<T>(_ transform: (Element) async throws -> T) async rethrows -> [T] {
    var result: [T] = []
    for element in self { result.append(try await transform(element)) }
    return result
  }
}
