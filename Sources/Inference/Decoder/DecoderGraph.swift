import ModelFormat

/// A decoder ready to run: one step for each token, from the state of the step before.
package struct DecoderGraph: Sendable {
  package let graph: ModelGraph
  package let decoder: Model.Decoder
  /// The scale of the tokens' scores.
  let scale: TokenSampler.Scale
  /// What its attention goes over that is made ready once a sequence.
  let attention: SteadyAttention

  /// - Throws: as `ModelGraph`; and if the graph can't run step by step.
  init(
    _ decoder: Model.Decoder, precision: Precision, kernels: Kernels
  ) throws(ModelError) {
    do { graph = try ModelGraph(decoder.model, precision: precision, kernels: kernels) } catch {
      throw .inDecoder(error)
    }
    self.decoder = decoder
    let changing = Self.changingValues(of: graph)
    attention = SteadyAttention(in: graph, changing: changing)
    if let node = Self.wholeNode(in: graph, changing: changing) {
      let (name, op) = (decoder.model.nodes[node].name, decoder.model.nodes[node].op.name)
      throw .unexpected(
        path: "decoder.nodes", found: "node \"\(name)\" (\(op)), which needs other steps",
        expected:
          "nodes that need no later step and keep nothing of the encoder's steps: a decoder runs a step a token"
      )
    }
    scale = graph.scale(ofOutput: 0)
  }

  /// Values that are another one at each step.
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

  /// A node that can't run when there is one token at a time, though the encoder's steps are all there; nil where there is none.
  private static func wholeNode(
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
        // Each step attends to all of the encoder's.
        if graph.axis(of: node.inputs[1]) == 0 || node.inputs.dropFirst().contains(where: isEnd) {
          return index
        }
        continue
      }
      // A state kept from step to step would accumulate the encoder's steps again each time.
      if !changes, !node.state.isEmpty { return index }
      if changes, node.op.needsWholeSequence || node.axis != 0 { return index }
      if node.domain == .steps, node.inputs.contains(where: isEnd) { return index }
      if [node.initialHidden, node.initialCell].compactMap(\.self).contains(where: isEnd) {
        return index
      }
    }
    return nil
  }

  /// Whether a step needs nothing of the encoder's steps but what its attention keeps of them.
  package var keepsAllSources: Bool { attention.readsAllSteps }
  /// The scores of a step.
  package var scoreCount: Int { graph.model.outputs[0].size }
  /// The floats that a hypothesis carries from step to step.
  package var hypothesisFloatCount: Int {
    graph.stateFloatCount + graph.model.outputs.dropFirst().reduce(0) { $0 + $1.size }
  }

  /// Floats of what attention goes over, made ready for a sequence of which the encoder's inputs have so many steps.
  func attentionFloatCount(of encoder: ModelGraph, stepCounts: [Int]) -> Int {
    let own = graph.model.inputAxes.map { axis in
      guard case .encoder(let place) = decoder.sources[axis.input],
        let axis = encoder.model.decoded[place].axis
      else { return 1 }
      return encoder.model.axes[axis].count(stepCounts)
    }
    return attention.floatCount(in: graph, stepCounts: own)
  }

  /// What a first step reads.
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
