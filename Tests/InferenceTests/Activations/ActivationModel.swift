import ModelFormat
import TestSupport
import Testing

@testable import Inference

/// A model of one activation, and values to try it on.
struct ActivationModel {
  let graph: ModelGraph

  init(_ op: ModelDescription.Op) throws {
    graph = try ModelGraph(
      Model(
        description: Self.description(op), tensors: TensorFile(bytes: TensorFile.serialize([]))))
  }

  private static func description(_ op: ModelDescription.Op) -> ModelDescription {
    ModelDescription(
      name: "m", version: "1",
      inputs: [.init(name: "x", kind: .features(size: columns, mean: nil, scale: nil))],
      nodes: [.init(name: "y", op: op, inputs: ["x"])], outputs: [.init(name: "y")])
  }

  private static let columns = 20

  /// Floats of every magnitude and sign, and many of those that networks have; a multiple of `columns`.
  static let values: [Float] = {
    let patterns = stride(from: UInt32(0), to: .max - 250_007, by: 250_007).map {
      Float(bitPattern: $0)
    }
    let usual = (-10_000...10_000).map { Float($0) * 0.003 }
    let edges: [Float] = [0, -0.0, 1, -1, 3, -3, .leastNonzeroMagnitude, -.leastNonzeroMagnitude]
    let all = (patterns + usual + edges).filter(\.isFinite)
    return Array(all.prefix(all.count / columns * columns))
  }()

  func callAsFunction(_ values: [Float]) throws -> [Float] {
    let sequence = try InputSequence([.features(values)], for: graph.model)
    return Runner.run(graph, [sequence], selections: [.all])[0][0]
  }

  /// Checks an op against its formula in the C library's double precision, and the bits of what it gives against those of
  /// other machines; and that it is read, as it was written, and refuses what it can't do.
  static func expect(
    _ op: ModelDescription.Op, digest: UInt64, over values: [Float] = Self.values,
    is exact: (Double) -> Double
  ) throws {
    let answers = try ActivationModel(op)(values)
    try #require(answers.count == values.count)
    for (x, y) in zip(values, answers) {
      let expected = exact(Double(x))
      let bound = 0.51 * Double(Float(expected).ulp)
      if y == Float(expected) || abs(Double(y) - expected) <= bound { continue }
      Issue.record("\(op.name)(\(x)) is \(y), expected \(expected)")
      return
    }
    // FNV-1a of all bits.
    let found = answers.reduce(into: UInt64(0xcbf2_9ce4_8422_2325)) { hash, answer in
      hash = (hash ^ UInt64(answer.bitPattern)) &* 0x100_0000_01b3
    }
    #expect(found == digest, "\(op.name): 0x\(String(found, radix: 16))")
    // Whatever else is in the turn.
    let alone = try ActivationModel(op)(Array(values.suffix(columns)))
    #expect(alone.map(\.bitPattern) == answers.suffix(columns).map(\.bitPattern))
    let description = description(op)
    #expect(try ModelDescription(json: Array(description.json.utf8)) == description)
  }

  /// The error that refuses the attributes, as a node of `model.json` has them.
  static func refusal(of op: String, _ attributes: String) throws -> String {
    let text = """
      { "format": "carousel/1", "name": "m", "version": "1",
        "inputs": [{ "name": "x", "kind": "features", "size": 1 }],
        "nodes": [{ "name": "y", "op": "\(op)", "inputs": ["x"], \(attributes) }],
        "outputs": [{ "name": "y" }] }
      """
    let error = #expect(throws: ModelError.self) {
      _ = try Model(
        description: ModelDescription(json: Array(text.utf8)),
        tensors: TensorFile(bytes: TensorFile.serialize([])))
    }
    return "\(try #require(error))"
  }
}
