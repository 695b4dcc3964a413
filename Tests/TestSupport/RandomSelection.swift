import Inference

extension Noise {
  /// What a question may ask of a model's outputs: the last steps, all, or this of one and that of another.
  package mutating func selection(for graph: ModelGraph) -> Selection {
    switch Int.random(in: 0..<3, using: &self) {
    case 0: return .last
    case 1: return graph.supports(.all) ? .all : .last
    default:
      return .each(
        graph.model.outputs.indices.map { output in
          Bool.random(using: &self) && graph.answersEveryStep(output: output) ? .all : .last
        })
    }
  }
}
