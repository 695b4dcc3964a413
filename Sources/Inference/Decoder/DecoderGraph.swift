import ModelFormat

/// A decoder ready to run: one step for each token, from the state of the step before.
package struct DecoderGraph: Sendable {
  package let graph: ModelGraph
  package let decoder: Model.Decoder
  /// The scale of the tokens' scores.
  let scale: TokenSampler.Scale
  /// The attention nodes whose keys and values are packed once for each sequence.
  let attention: CacheableAttention

  /// - Throws: what `ModelGraph` throws, in `ModelError.inDecoder`; `ModelError.unexpected` if the graph can't run step
  ///   by step.
  init(
    _ decoder: Model.Decoder, precision: Precision, kernels: Kernels
  ) throws(ModelError) {
    do { graph = try ModelGraph(decoder.model, precision: precision, kernels: kernels) } catch {
      throw .inDecoder(error)
    }
    self.decoder = decoder
    let changing = Self.changingValues(of: graph)
    attention = CacheableAttention(in: graph, changing: changing)
    if let node = Self.nodeNeedingWholeSequence(in: graph, changing: changing) {
      let (name, op) = (decoder.model.nodes[node].name, decoder.model.nodes[node].op.name)
      throw .unexpected(
        path: "decoder.nodes", found: "node \"\(name)\" (\(op)), which needs other steps",
        expected:
          "nodes that need no later step and keep nothing of the encoder's steps: a decoder runs a step a token"
      )
    }
    scale = graph.scale(ofOutput: 0)
  }

  /// The values that change from step to step: the token, the feedback, and what is computed from them.
  private static func changingValues(of graph: ModelGraph) -> Set<Model.ValueReference> {
    var changing: Set<Model.ValueReference> = []
    for (index, input) in graph.model.description.inputs.enumerated()
    where input.kind.form != .vector(size: input.kind.size) && graph.axis(of: .input(index)) == 0 {
      changing.insert(.input(index))
    }
    for (index, node) in graph.nodes.enumerated() {
      let changes = (node.inputs + [node.mask].compactMap(\.self)).contains { reference in
        switch reference {
        case .input, .node: changing.contains(reference)
        case .hidden(let network, _), .cell(let network, _): changing.contains(.node(network))
        }
      }
      if changes { changing.insert(.node(index)) }
    }
    return changing
  }

  /// A node that can't run one token at a time, although all of the encoder's steps are known; nil if there is none.
  private static func nodeNeedingWholeSequence(
    in graph: ModelGraph, changing: Set<Model.ValueReference>
  ) -> Int? {
    for (index, node) in graph.nodes.enumerated() {
      let changes = changing.contains(.node(index))
      func isEnd(_ reference: Model.ValueReference) -> Bool {
        switch reference {
        case .hidden(let network, _), .cell(let network, _): changing.contains(.node(network))
        case .input, .node:
          changing.contains(reference)
            && [.reported, .ends].contains(graph.domain(of: reference))
        }
      }
      if graph.model.nodes[index].op.name == AttentionOp.name {
        // Attention may read all of the encoder's steps at each token.
        if graph.axis(of: node.inputs[1]) == 0 || node.inputs.dropFirst().contains(where: isEnd) {
          return index
        }
        continue
      }
      // The decoder runs all of the encoder's steps at each token: a state would accumulate them again each time.
      if !changes, !node.state.isEmpty { return index }
      if changes, node.op.needsWholeSequence || node.axis != 0 { return index }
      if node.domain == .steps, node.inputs.contains(where: isEnd) { return index }
      if [node.initialHidden, node.initialCell].compactMap(\.self).contains(where: isEnd) {
        return index
      }
    }
    return nil
  }

  /// Whether the decoder reads the encoder's steps only as packed keys and values of attention.
  package var keepsAllSources: Bool { attention.readsAllSteps }
  /// The number of scores of a step: one for each token.
  package var scoreCount: Int { graph.model.outputs[0].size }
  /// The number of floats that a hypothesis carries from step to step.
  package var hypothesisFloatCount: Int {
    graph.stateFloatCount + graph.model.outputs.dropFirst().reduce(0) { $0 + $1.size }
  }

  /// The number of floats of the keys and values that attention packs for a sequence.
  ///
  /// - Parameter stepCounts: the number of steps for each of the `inputAxes` of the encoder's model.
  func attentionFloatCount(of encoder: ModelGraph, stepCounts: [Int]) -> Int {
    let own = graph.model.inputAxes.map { axis in
      guard case .encoder(let place) = decoder.sources[axis.input],
        let axis = encoder.model.decoded[place].axis
      else { return 1 }
      return encoder.model.axes[axis].count(stepCounts)
    }
    return attention.floatCount(in: graph, stepCounts: own)
  }

  /// The input of the first step.
  ///
  /// - Parameter values: the encoder's values, in the order of its model's `decoded`.
  /// - Returns: nil if a number is not finite.
  func firstInput(_ values: [[Float]]) -> InputSequence? {
    let inputs = zip(decoder.sources, graph.model.description.inputs).map {
      source, input -> InputSequence.Values in
      switch source {
      case .token: .tokens([decoder.start])
      case .encoder(let place):
        input.kind.form == .vector(size: input.kind.size)
          ? .vector(values[place]) : .features(values[place])
      case .feedback(_, let place?): .features(values[place])
      case .feedback(_, nil): .features(Array(repeating: 0, count: input.kind.size))
      }
    }
    return try? InputSequence(inputs, for: graph.model)
  }
}
