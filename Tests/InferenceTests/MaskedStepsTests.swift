import Inference
import ModelFormat
import TestSupport
import Testing

@Suite struct MaskedStepsTests {
  /// Of a sequence none of whose steps counts, networks keep their state and answer zeros, as pools, attention and kernels over
  /// the steps do.
  @Test(arguments: [1, 4])
  func noStepCounts(steps: Int) throws {
    var noise = Noise(seed: 5)
    let ops: [ModelDescription.Op] = [.last, .first, .mean, .max, .sum]
    let model = try Model(
      description: ModelDescription(
        name: "m", version: "1",
        inputs: [
          .init(name: "x", kind: .features(size: 3, mean: nil, scale: nil)),
          .init(name: "m", kind: .features(size: 1, mean: nil, scale: nil)),
          .init(name: "h0", kind: .vector(size: 2)),
        ],
        nodes: [.init(name: "h", op: .rnn, inputs: ["x", "h0"], mask: "m")]
          + ops.map { .init(name: $0.name, op: $0, inputs: ["x"], mask: "m") } + [
            .init(name: "weighed", op: .softmaxSum, inputs: ["m", "x"], mask: "m"),
            .init(name: "context", op: .attention(isCausal: true), inputs: ["x", "x"], mask: "m"),
            .init(name: "conv", op: .conv(), inputs: ["x"], mask: "m"),
            .init(name: "conv2d", op: .conv2D(), inputs: ["x"], weights: "image", mask: "m"),
            .init(name: "max_pool", op: .maxPool(padding: .same), inputs: ["x"], mask: "m"),
            .init(
              name: "average_pool",
              op: .averagePool(kernel: 3, stride: 1, padding: .explicit(before: 1, after: 1)),
              inputs: ["x"], mask: "m"),
          ],
        outputs: [
          "h", "h.hidden", "last", "first", "mean", "max", "sum", "weighed", "context", "conv",
          "conv2d", "max_pool", "average_pool",
        ].map { .init(name: $0) }),
      tensors: TensorFile(
        bytes: TensorFile.serialize([
          ("h.weight_ih_l0", [2, 3], noise.floats(6)), ("h.weight_hh_l0", [2, 2], noise.floats(4)),
          ("conv.weight", [2, 3, 2], noise.floats(12)),
          ("image.weight", [2, 1, 2, 3], noise.floats(12)),
        ])))
    let graph = try ModelGraph(model)
    func sequence(_ mask: [Float], _ x: [Float]) throws -> InputSequence {
      try InputSequence([.features(x), .features(mask), .vector([0.5, -2])], for: model)
    }
    let nothing = try sequence(Array(repeating: 0, count: steps), noise.floats(steps * 3))
    let some = try sequence([1, 0, -1], noise.floats(9))
    let selection = graph.defaultSelection
    let found = Runner.run(graph, [some, nothing], selections: [selection, selection])
    for (output, values) in zip(model.outputs, found[1]) {
      let expected: [Float] =
        output.name == "h.hidden" ? [0.5, -2] : Array(repeating: 0, count: values.count)
      #expect(values == expected && !values.isEmpty, "\(output.name)")
    }
    #expect(found[0] == Runner.run(graph, [some], selections: [selection])[0])
    #expect(found[0].allSatisfy { $0.contains { $0 != 0 } })
  }

  /// What a mask passes over shows nowhere.
  @Test(arguments: ["torch_masks", "torch_masked_kernels"])
  func maskedStepsDoNotMatter(folder: String) throws {
    let model = try Model(folder: Fixtures.path("steps/\(folder)"))
    let graph = try ModelGraph(model)
    var noise = Noise(seed: 3)
    let mask: [Float] = [0, 1, 0, 0, 1, 1, 0, 1, 0]
    var x = noise.floats(27)
    let first = try InputSequence([.features(x), .features(mask)], for: model)
    for (step, counts) in mask.enumerated() where counts == 0 {
      for at in step * 3..<step * 3 + 3 { x[at] = noise.floats(1)[0] }
    }
    let second = try InputSequence([.features(x), .features(mask)], for: model)
    let found = Runner.run(graph, [first, second], selections: [.all, .all])
    #expect(found[0].bits == found[1].bits)
  }

  /// What a sequence takes along is finite from the first step on, whatever has been passed over or is not there yet.
  @Test func statesAreFinite() throws {
    let model = try Model(
      description: ModelDescription(
        name: "m", version: "1",
        inputs: [
          .init(name: "x", kind: .features(size: 1, mean: nil, scale: nil)),
          .init(name: "ids", kind: .tokens(size: 2, vocabulary: nil)),
        ],
        nodes: [
          .init(name: "m", op: .mask(), inputs: ["ids"]),
          .init(name: "max", op: .max, inputs: ["x"], mask: "m"),
          .init(
            name: "p", op: .maxPool(kernel: 3, stride: 1, padding: .causal), inputs: ["x"]),
          .init(name: "bag", op: .embeddingBag(mode: .max, padding: 0), inputs: ["ids"]),
        ], outputs: ["max", "p", "bag"].map { .init(name: $0) }),
      tensors: TensorFile(bytes: TensorFile.serialize([("bag.weight", [2, 1], [3, 4])])))
    let graph = try ModelGraph(model)
    #expect(graph.isStreamable)
    var (states, workspace) = (SeatStates(graph: graph), Workspace(graph: graph))
    let sequence = try InputSequence([.features([-7]), .tokens([0])], for: model)
    graph.forward(
      [
        TurnRider(
          input: sequence, steps: 0..<1, position: 0, finishes: true, selection: .last, seat: 0)
      ], states: &states, workspace: &workspace)
    let state = states.state(ofSeat: 0, position: 1)
    #expect(state.floats.allSatisfy { $0.isFinite })
    let found = model.outputs.indices.map { Array(workspace.values(ofOutput: $0, rider: 0)) }
    #expect(found == [[0], [-7], [0]])
  }
}
