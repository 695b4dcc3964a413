import ModelFormat

extension SmallModels {
  /// Inputs that have steps of their own: beside each step of a target, its id's number and the sum of a source; of the source, the
  /// largest of every two steps.
  package static func twoAxes() throws -> Model {
    try Model(
      description: ModelDescription(
        name: "m", version: "1",
        inputs: [
          .init(
            name: "source", kind: .features(size: 1, mean: nil, scale: nil), axis: "source"),
          .init(name: "target", kind: .features(size: 1, mean: nil, scale: nil), axis: "t"),
          .init(name: "ids", kind: .tokens(size: 3, vocabulary: nil), axis: "t"),
        ],
        nodes: [
          .init(name: "sum", op: .sum, inputs: ["source"]),
          .init(name: "e", op: .embedding, inputs: ["ids"]),
          .init(name: "total", op: .repeat(), inputs: ["sum", "target"]),
          .init(name: "y", op: .concat, inputs: ["target", "e", "total"]),
          .init(name: "p", op: .maxPool(), inputs: ["source"]),
        ], outputs: [.init(name: "y"), .init(name: "p")]),
      tensors: TensorFile(
        bytes: TensorFile.serialize([("e.weight", [3, 1], [10, 20, 30])])))
  }
}
