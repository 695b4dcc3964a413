import ModelFormat
import TestSupport
import Testing

@testable import Inference

/// What weights are kept as, and what that does to the answers.
@Suite struct PrecisionTests {
  @Test func theModelsOwnUnlessAskedForAnother() throws {
    var description = try SmallModels.forecaster().description
    let tensors = try SmallModels.forecaster().tensors
    #expect(try ModelGraph(Model(description: description, tensors: tensors)).precision == .f32)
    description.precision = .int8
    let model = try Model(description: description, tensors: tensors)
    #expect(try ModelGraph(model).precision == .int8)
    #expect(try ModelGraph(model, precision: .f16).precision == .f16)
  }

  /// A matrix of 192 units' gates takes half the bytes, or a quarter and eight a row.
  @Test func bytes() throws {
    let model = try Model(folder: Fixtures.bundledModel("kjv"))
    let weights = 4 * 192 * 192
    for (precision, bytes) in [
      (Precision.f32, 4 * weights), (.f16, 2 * weights), (.int8, weights + 8 * 4 * 192),
    ] {
      let graph = try ModelGraph(model, precision: precision)
      #expect(graph.largestRecurrentByteCount == bytes)
    }
  }

  // MARK: f16

  /// The weights of kjv are stored as F16, so that nothing is lost.
  @Test func halvesThatWereHalves() throws {
    let model = try Model(folder: Fixtures.bundledModel("kjv"))
    #expect(model.tensors.names.allSatisfy { model.tensors.dtype(of: $0) == .f16 })
    try expectEqualAnswers(
      ModelGraph(model, precision: .f16), ModelGraph(model, precision: .f32))
  }

  /// The answers are f32's for the rounded weights. Biases, projections and heads are not rounded.
  @Test(arguments: SmallModels.Shape.allCases, SmallModels.Cell.allCases)
  func weightsAreRounded(shape: SmallModels.Shape, cell: SmallModels.Cell) throws {
    let model = try SmallModels.forecaster(shape, cell: cell)
    let tensors = try model.tensors.names.map { name in
      let kinds = ["weight_ih", "weight_hh", "weight_mx", "weight_mh"]
      let isRounded = kinds.contains { name.contains($0) }
      return (
        name: name, shape: try #require(model.tensors.shape(of: name)),
        floats: try model.tensors.floats(name).map { isRounded ? Float(Float16($0)) : $0 }
      )
    }
    let rounded = try Model(
      description: model.description, tensors: TensorFile(bytes: TensorFile.serialize(tensors)))
    try expectEqualAnswers(
      ModelGraph(model, precision: .f16), ModelGraph(rounded, precision: .f32))
  }

  private func expectEqualAnswers(_ first: ModelGraph, _ second: ModelGraph) throws {
    var noise = Noise(seed: 3)
    let sequences = try [1, 40, 7].map { try noise.sequence(for: first.model, steps: $0) }
    let selections = sequences.map { _ in first.defaultSelection }
    let found = Runner.run(first, sequences, selections: selections)
    #expect(found.map(\.bits) == Runner.run(second, sequences, selections: selections).map(\.bits))
  }

  /// A model of one LSTM whose weights are all `weight`.
  private func model(weight: Float, inputSize: Int = 1) throws -> Model {
    try Model(
      description: ModelDescription(
        name: "m", version: "1",
        inputs: [.init(name: "x", kind: .features(size: inputSize, mean: nil, scale: nil))],
        nodes: [.init(name: "h", op: .lstm, inputs: ["x"])], outputs: [.init(name: "h")]),
      tensors: TensorFile(
        bytes: TensorFile.serialize([
          ("h.weight_ih_l0", [4, inputSize], Array(repeating: 1, count: 4 * inputSize)),
          ("h.weight_hh_l0", [4, 1], [1, 1, weight, 1]),
        ])))
  }

  @Test(arguments: [65504, -65504] as [Float])
  func theLargestHalf(weight: Float) throws {
    for weight in [weight, weight < 0 ? weight.nextUp : weight.nextDown] {
      #expect(throws: Never.self) { try ModelGraph(model(weight: weight), precision: .f16) }
    }
    let beyond = weight < 0 ? weight.nextDown : weight.nextUp
    #expect(
      throws: ModelError.outOfRange(
        tensor: "h.weight_hh_l0", index: 2, value: Double(beyond), limit: 65504, precision: .f16)
    ) { try ModelGraph(model(weight: beyond), precision: .f16) }
    for precision in [Precision.f32, .int8] {
      #expect(throws: Never.self) { try ModelGraph(model(weight: beyond), precision: precision) }
    }
  }

  // MARK: int8

  /// What int8 may be off by from f32 at every step of Tests/Fixtures/models, in units of the output: the
  /// largest difference and the root of the mean square.
  ///
  /// Measured: 0.198 and 0.0229 ppm, 2.19 and 0.308 sunspots, 0.373 and 0.0481 of a logarithm. Every CPU
  /// gives the same bits, so that a third more leaves room for another way to round, not for chance.
  static let int8Tolerances: [(model: String, largest: Float, rootMeanSquare: Float)] = [
    ("co2", 0.27, 0.031), ("sunspots", 2.9, 0.41), ("kjv", 0.5, 0.064),
  ]

  @Test(arguments: int8Tolerances)
  func nearF32(name: String, largest: Float, rootMeanSquare: Float) throws {
    let model = try Model(folder: Fixtures.bundledModel(name))
    let sequences = try Fixtures.cases("models/\(name).json").map { try $0.sequence(for: model) }
    let differences = try differences(of: model, sequences, selection: .all)
    try #require(differences.count > 5000)
    #expect(differences.max()! <= largest)
    let squares = differences.reduce(0) { $0 + $1 * $1 }
    #expect(squares > 0)
    #expect((squares / Float(differences.count)).squareRoot() <= rootMeanSquare)
  }

  /// By how much int8 is off from f32, number by number.
  private func differences(
    of model: Model, _ sequences: [InputSequence], selection: Selection
  ) throws -> [Float] {
    let selections = sequences.map { _ in selection }
    let (exact, found) = try (
      Runner.run(ModelGraph(model, precision: .f32), sequences, selections: selections),
      Runner.run(ModelGraph(model, precision: .int8), sequences, selections: selections)
    )
    try #require(exact.joined().map(\.count) == found.joined().map(\.count))
    return zip(exact.joined().joined(), found.joined().joined()).map { abs($0 - $1) }
  }

  /// A state that a client gives may be larger than any that is computed; it is not cut off.
  ///
  /// Measured: at most 0.0044 after one step. Cut off at ±1, they would be off by 0.18 and more.
  @Test(arguments: [2, 4, 8] as [Float])
  func statesThatClientsGive(scale: Float) throws {
    let model = try Model(folder: Fixtures.path("ops/initial_state"))
    var noise = Noise(seed: 8)
    let sequences = try (0..<10).map { _ in
      try InputSequence(
        [
          .features(noise.floats(4)), .vector(noise.floats(12, scale: scale)),
          .vector(noise.floats(12)),
        ], for: model)
    }
    #expect(try differences(of: model, sequences, selection: .last).max()! <= 0.01)
  }

  /// Nor is one that a cell without a bound computes, nor one that a gru goes on from.
  @Test(arguments: [GRUOp.Reset.after, .before, nil])
  func statesBeyondOne(reset: GRUOp.Reset?) throws {
    let op: ModelDescription.Op
    if let reset {
      var gru = GRUOp()
      gru.reset = reset
      op = .gru(gru)
    } else {
      var rnn = RNNOp()
      rnn.activation = CellActivation(.relu)
      op = .rnn(rnn)
    }
    let network = RandomNetwork(op, inputSize: 4, hiddenSize: 24)
    var noise = Noise(seed: 5)
    let model = try Model(
      description: ModelDescription(
        name: "m", version: "1",
        inputs: [
          .init(name: "x", kind: .features(size: 4, mean: nil, scale: nil)),
          .init(name: "h0", kind: .vector(size: 24)),
        ],
        nodes: [.init(name: "h", op: op, inputs: ["x", "h0"])], outputs: [.init(name: "h")]),
      tensors: TensorFile(
        bytes: TensorFile.serialize(
          network.tensors.map {
            ("h.\($0.name)", $0.shape, noise.floats($0.shape.reduce(1, *), scale: 0.2))
          })))
    let sequences = try (0..<6).map { _ in
      try InputSequence(
        [.features(noise.floats(4 * 3, scale: 4)), .vector(noise.floats(24, scale: 8))], for: model)
    }
    let exact = try Runner.run(
      ModelGraph(model), sequences, selections: sequences.map { _ in .all })
    let largest = exact.joined().joined().map(abs).max()!
    try #require(largest > 3)
    let found = try differences(of: model, sequences, selection: .all).max()!
    #expect(found <= 0.02 * largest, "\(found) of \(largest)")
  }

  /// Up to a quarter of the units, inputs stay as they are given.
  @Test(arguments: [(3, Precision.f32), (4, .f32), (5, .int8)])
  func fewInputsAreNotRounded(inputSize: Int, precision: Precision) {
    let layer = RecurrentLayer(
      LSTMForward.cell(LSTMOp(), direction: 0), precision: .int8, inputSize: inputSize,
      hiddenSize: 16, isReverse: false,
      inputWeights: Array(repeating: 1, count: 64 * inputSize),
      recurrentWeights: Array(repeating: 1, count: 64 * 16), bias: Array(repeating: 0, count: 64),
      projection: nil)
    #expect(layer.inputWeights.precision == precision)
    #expect(layer.recurrentWeights.precision == .int8 && layer.bias.precision == .f32)
  }

  @Test(arguments: [-1, 0, 1])
  func depthIsBounded(excess: Int) throws {
    let size = PackedWeights.int8MaxDepth + excess
    let model = try model(weight: 1, inputSize: size)
    #expect(throws: Never.self) { try ModelGraph(model, precision: .f16) }
    guard excess > 0 else {
      #expect(throws: Never.self) { try ModelGraph(model, precision: .int8) }
      return
    }
    #expect(
      throws: ModelError.tooMany(
        "inputs of an int8 layer of \"h\"", found: size, limit: PackedWeights.int8MaxDepth)
    ) { try ModelGraph(model, precision: .int8) }
  }
}
