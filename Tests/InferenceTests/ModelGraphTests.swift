import ModelFormat
import TestSupport
import Testing

@testable import Inference

@Suite struct ModelGraphTests {
  /// A graph over `x` (one feature) and, where asked for, an LSTM of two units called `h`.
  private func graph(
    _ nodes: [ModelDescription.Node], output: String, size: Int = 1
  ) throws -> ModelGraph {
    let shapes = [("weight_ih_l0", [8, 1]), ("weight_hh_l0", [8, 2])]
    return try ModelGraph(
      Model(
        description: ModelDescription(
          name: "m", version: "1",
          inputs: [.init(name: "x", kind: .features(size: size, mean: nil, scale: nil))],
          nodes: nodes, outputs: [.init(name: output)]),
        tensors: TensorFile(
          bytes: TensorFile.serialize(
            shapes.map {
              ("h.\($0.0)", $0.1, Array(repeating: 0.5, count: $0.1.reduce(1, *)))
            }))))
  }

  private let lstm = ModelDescription.Node(name: "h", op: .lstm, inputs: ["x"])

  /// A final state exists once a sequence, so no step but the last has one to answer with.
  @Test(arguments: ["h.hidden", "h.cell"])
  func finalStatesHaveNoSteps(output: String) throws {
    let graph = try graph([lstm], output: output)
    #expect(graph.isStreamable)
    #expect(!graph.supports(.all) && graph.defaultSelection == .last)
  }

  /// An LSTM that starts from another's end can't stream, but has its own steps.
  @Test func aRestartHasSteps() throws {
    let graph = try graph(
      [
        lstm, .init(name: "end", op: .last, inputs: ["h"]),
        .init(name: "d", op: .lstm, inputs: ["x", "end"], weights: "h"),
      ], output: "d")
    #expect(!graph.isStreamable)
    #expect(graph.supports(.all) && graph.defaultSelection == .all)
  }

  /// Beside cells' states, a sequence carries what pools and kernels over the steps have read.
  @Test func stepsCarriedOn() throws {
    #expect(try !graph([lstm], output: "h").carriesSteps)
    for op in [ModelDescription.Op.mean, .max, .last] {
      let nodes = [lstm, ModelDescription.Node(name: "y", op: op, inputs: ["h"])]
      #expect(try graph(nodes, output: "y").carriesSteps == (op != .last), "\(op.name)")
    }
  }

  @Test func stepsWhereThereAreSteps() throws {
    let graph = try graph([lstm], output: "h")
    #expect(graph.supports(.all) && graph.defaultSelection == .all)
  }

  @Test(arguments: [-1, 0, 1])
  func statesAreBounded(excess: Int) throws {
    func load() throws -> ModelGraph {
      try graph(
        [.init(name: "m", op: .max, inputs: ["x"])], output: "m",
        size: ModelGraph.maxStateFloats + excess)
    }
    if excess <= 0 {
      #expect(try load().initialState.count == ModelGraph.maxStateFloats + excess)
    } else {
      #expect(throws: ModelError.self) { try load() }
    }
  }

  /// Initial states that are weights do what the same ones do that a node is given, and stream.
  @Test func initialStatesThatAreWeights() throws {
    let given = try Model(folder: Fixtures.path("ops/initial_state"))
    var noise = Noise(seed: 3)
    let random = try noise.sequence(for: given, steps: 5)
    guard case .vector(let h) = random.values[1], case .vector(let c) = random.values[2] else {
      Issue.record("the states are vectors")
      return
    }
    var description = given.description
    description.inputs.removeLast(2)
    description.nodes[0].inputs.removeLast(2)
    var tensors: [(String, [Int], [Float])] = []
    for name in given.tensors.names {
      let shape = try #require(given.tensors.shape(of: name))
      tensors.append((name, shape, try given.tensors.floats(name)))
    }
    for layer in 0..<2 {
      let own = layer * 6..<(layer + 1) * 6
      tensors.append(("lstm.initial_hidden_l\(layer)", [6], Array(h[own])))
      tensors.append(("lstm.initial_cell_l\(layer)", [6], Array(c[own])))
    }
    let graph = try ModelGraph(
      Model(
        description: description, tensors: TensorFile(bytes: TensorFile.serialize(tensors))))
    #expect(graph.isStreamable)
    let sequence = try InputSequence([random.values[0]], for: graph.model)
    let expected = Runner.run(try ModelGraph(given), [random], selections: [.all])
    #expect(Runner.run(graph, [sequence], selections: [.all]) == expected)
    let pieces = Runner.run(graph, [sequence], selections: [.all]) { _, _ in 1 }
    #expect(pieces == expected)
  }

  /// What a large turn needed is given back, and the next one is right all the same.
  @Test func trimmingKeepsAnswersRight() throws {
    let graph = try graph([lstm], output: "h")
    var (states, workspace) = (SeatStates(graph: graph), Workspace(graph: graph))
    func run(_ count: Int) throws -> [Float] {
      let input = try InputSequence(
        [.features(Array(repeating: 1, count: count))], for: graph.model)
      graph.forward(
        [
          TurnRider(
            input: input, steps: 0..<count, position: 0, finishes: true, selection: .last, seat: 0)
        ], states: &states, workspace: &workspace)
      return Array(workspace.values(ofOutput: 0, rider: 0))
    }
    let before = try run(5)
    _ = try run(Workspace.keptFloats)
    #expect(workspace.nodes[0].values.count > Workspace.keptFloats)
    workspace.trim()
    #expect(workspace.nodes[0].values.isEmpty)
    #expect(try run(5) == before)
  }
}
