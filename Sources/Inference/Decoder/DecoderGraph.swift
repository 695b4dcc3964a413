import ModelFormat

/// A decoder ready to run: one step a token, each from the state of the step before.
package struct DecoderGraph: Sendable {
  package let graph: ModelGraph
  package let decoder: Model.Decoder
  /// What the scores of tokens are.
  let scale: TokenSampler.Scale

  /// - Throws: as `ModelGraph`, and where the graph does not run step by step.
  init(
    _ decoder: Model.Decoder, precision: Precision, kernels: Kernels
  ) throws(ModelError) {
    do { graph = try ModelGraph(decoder.model, precision: precision, kernels: kernels) } catch {
      throw .inDecoder(error)
    }
    self.decoder = decoder
    guard graph.isStreamable else {
      let node = graph.nodes.firstIndex { $0.op.needsWholeSequence }
      throw .unexpected(
        path: "decoder.nodes",
        found: node.map { "\(decoder.model.nodes[$0].name) (\(decoder.model.nodes[$0].op.name))" }
          ?? "values that are known only at the end",
        expected: "nodes that need no later step: a decoder runs a step a token")
    }
    scale = graph.scale(ofOutput: 0)
  }

  /// The scores of a step.
  package var scoreCount: Int { graph.model.outputs[0].size }
  /// The floats that a hypothesis carries from step to step.
  package var hypothesisFloatCount: Int {
    graph.stateFloatCount + graph.model.outputs.dropFirst().reduce(0) { $0 + $1.size }
  }

  /// What a first step reads.
  ///
  /// - Parameter values: what the encoder found out, in the order of its model's `decoded`.
  /// - Returns: nil where a number is not finite.
  func firstInput(_ values: [[Float]]) -> InputSequence? {
    let inputs = zip(decoder.sources, graph.model.description.inputs).map {
      source, input -> InputSequence.Values in
      switch source {
      case .token: .tokens([decoder.start])
      case .encoder(let place): .vector(values[place])
      case .feedback(_, let place?): .features(values[place])
      case .feedback(_, nil): .features(Array(repeating: 0, count: input.kind.size))
      }
    }
    return try? InputSequence(inputs, for: graph.model)
  }
}
