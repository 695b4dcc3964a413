import Inference
import ModelFormat
import TestSupport
import Testing

@testable import Scheduling

/// A sequence that leaves with its state and comes back with it goes on as if it had never left.
@Suite struct StateTransferTests {
  private func predict(
    _ engine: Engine, _ sequences: [InputSequence], selection: Selection = .last,
    horizon: Int? = nil, states: StateTransfer = StateTransfer()
  ) async throws -> [Prediction] {
    try await withCheckedContinuation { continuation in
      engine.predict(sequences, selection: selection, horizon: horizon, states: states) {
        continuation.resume(returning: $0)
      }
    }.get()
  }

  private func bits(_ floats: some Sequence<Float>) -> [UInt32] { floats.map(\.bitPattern) }

  /// A streamable graph of random ops; every other one changes the number of steps.
  private func randomModel(seed: UInt64) throws -> RandomModel {
    if seed.isMultiple(of: 2) { return try RandomModel(seed: seed, focus: .streamed) }
    for attempt in 0..<1000 {
      let random = try RandomModel(seed: seed &* 1000 &+ UInt64(attempt))
      let graph = try ModelGraph(random.model)
      if graph.isStreamable, graph.stateFloatCount > 0 { return random }
    }
    Issue.record("no streamable graph in 1000")
    return try RandomModel(seed: seed)
  }

  /// Random graphs, cut at random places, amid other riders: the whole run's outputs and state, to the bit.
  @Test(arguments: 1...25, Precision.allCases)
  func piecesMakeTheWhole(seed: UInt64, precision: Precision) async throws {
    var random = try randomModel(seed: seed)
    var noise = Noise(seed: seed &+ 2000)
    let graph = try ModelGraph(random.model, precision: precision)
    let model = graph.model
    let engine = Engine(
      graph: graph,
      limits: EngineLimits(
        workers: .random(in: 1...2, using: &noise), maxSeats: .random(in: 1...8, using: &noise)))
    let selection: Selection = graph.supports(.all) ? .all : .last
    var journeys: [(whole: InputSequence, pieces: [InputSequence])] = []
    for index in 0..<8 {
      let whole = try random.sequence(
        steps: .random(in: 1...(index == 0 ? 300 : 20), using: &noise))
      journeys.append((whole, try whole.pieces(for: model, using: &noise)))
    }

    let found = try await withThrowingTaskGroup(of: (Int, [Prediction]).self) { group in
      for (index, journey) in journeys.enumerated() {
        group.addTask {
          var predictions: [Prediction] = []
          for piece in journey.pieces {
            // One that begins rides along in the same request.
            predictions.append(
              try await predict(
                engine, [piece, piece], selection: selection,
                states: StateTransfer(
                  initial: [predictions.last?.state, nil], returnsFinal: true))[0])
          }
          return (index, predictions)
        }
      }
      return try await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
    }

    for (index, journey) in journeys.enumerated() {
      let pieces = try #require(found[index])
      let whole = try await predict(
        engine, [journey.whole], selection: selection,
        states: StateTransfer(returnsFinal: true))[0]
      let state = try #require(whole.state)
      #expect(state.position == journey.whole.stepCount)
      #expect(pieces.last?.state?.position == state.position)
      #expect(pieces.last.map { bits($0.state?.floats ?? []) } == bits(state.floats))
      for output in whole.outputs.indices {
        let values =
          selection == .all && graph.answersEveryStep(output: output)
          ? pieces.flatMap { $0.outputs[output].values }
          : pieces[pieces.count - 1].outputs[output].values
        #expect(bits(values) == bits(whole.outputs[output].values))
      }
    }
  }

  /// A network whose caller keeps its state: each request begins with the state that it gives, whatever it continues.
  @Test(arguments: ["gru", "lstm"], [nil, "zero", "previous"] as [String?])
  func aRequestBeginsWithItsOwnState(op: String, maskedOutput: String?) async throws {
    let masked = maskedOutput.map { #", "mask": "m", "masked_output": "\#($0)""# } ?? ""
    let text = """
      { "format": "carousel/1", "name": "m", "version": "1",
        "inputs": [{ "name": "x", "kind": "features", "size": 2 },
                   { "name": "v", "kind": "vector", "size": 6 },
                   { "name": "m", "kind": "features", "size": 1 }],
        "nodes": [{ "name": "h", "op": "\(op)", "inputs": ["x", "v"], "begins": "request"\(masked) },
                  { "name": "steps", "op": "sum", "inputs": ["m"] }],
        "outputs": [{ "name": "h" }, { "name": "h.hidden" }, { "name": "steps" }] }
      """
    var noise = Noise(seed: 7)
    let rows = op == "gru" ? 9 : 12
    let tensors = [("ih_l0", 2), ("hh_l0", 3), ("ih_l1", 3), ("hh_l1", 3)].map { suffix, columns in
      (
        name: "h.weight_\(suffix)", shape: [rows, columns],
        floats: noise.floats(rows * columns, scale: 0.5)
      )
    }
    let engine = Engine(
      graph: try ModelGraph(
        Model(
          description: ModelDescription(json: Array(text.utf8)),
          tensors: TensorFile(bytes: TensorFile.serialize(tensors)))))
    var state: SequenceState?
    var steps: Float = 0
    for length in [3, 200, 1] {
      // The first step of each is masked.
      let mask = (0..<length).map { Float($0 % 4 == 0 ? 0 : 1) }
      let piece = try InputSequence(
        [
          .features(noise.floats(2 * length, scale: 1)), .vector(noise.floats(6, scale: 1)),
          .features(mask),
        ], for: engine.graph.model)
      let found = try await predict(
        engine, [piece], selection: .all,
        states: StateTransfer(initial: state.map { [$0] } ?? [], returnsFinal: true))[0]
      let alone = try await predict(engine, [piece], selection: .all)[0]
      for output in 0..<2 {
        #expect(bits(found.outputs[output].values) == bits(alone.outputs[output].values))
      }
      // Other nodes go on.
      steps += mask.reduce(0, +)
      #expect(found.outputs[2].values == [steps])
      state = found.state
    }
  }

  /// The other way to a forecast: from a state, as from the steps behind it.
  @Test(arguments: [SmallModels.Shape.streamable, .pooled], [1, 2, 5])
  func aForecastFromAState(shape: SmallModels.Shape, horizon: Int) async throws {
    let engine = Engine(graph: try ModelGraph(SmallModels.forecaster(shape)))
    let model = engine.graph.model
    let whole = try InputSequence([.features([1, 2, -1, 0.5, 3])], for: model)
    let first = try await predict(
      engine, [whole.piece(0..<3, for: model)], states: StateTransfer(returnsFinal: true))[0]
    let found = try await predict(
      engine, [whole.piece(3..<5, for: model)], horizon: horizon,
      states: StateTransfer(initial: [first.state]))[0]
    let expected = try await predict(engine, [whole], horizon: horizon)[0]
    #expect(bits(found.outputs[0].values) == bits(expected.outputs[0].values))
    #expect(found.state == nil)
  }

  @Test func nobodyGetsAStateUnasked() async throws {
    let engine = Engine(graph: try ModelGraph(SmallModels.forecaster()))
    let one = try InputSequence([.features([1])], for: engine.graph.model)
    #expect(try await predict(engine, [one, one]).allSatisfy { $0.state == nil })
  }

  @Test func statesMustFit() throws {
    let graph = try ModelGraph(SmallModels.forecaster())
    let other = try ModelGraph(SmallModels.forecaster(.bidirectional))
    let count = graph.stateFloatCount
    func state(_ position: Int, _ count: Int) -> SequenceState {
      SequenceState(position: position, floats: Array(repeating: 0, count: count))
    }
    func fits(_ initial: [SequenceState?], _ graph: ModelGraph, final: Bool = false) -> Bool {
      StateTransfer(initial: initial, returnsFinal: final).fits(graph, sequenceCount: 2)
    }
    #expect(fits([], graph) && fits([], graph, final: true) && fits([], other))
    #expect(fits([state(1, count), nil], graph))
    #expect(!fits([state(0, count), nil], graph))
    #expect(!fits([state(1, count - 1), nil], graph) && !fits([state(1, count + 1), nil], graph))
    #expect(!fits([nil], graph) && !fits([nil, nil, nil], graph))
    #expect(!fits([nil, nil], other) && !fits([], other, final: true))
  }
}
