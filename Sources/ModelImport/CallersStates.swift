import ModelFormat

/// Networks whose states stay with the caller: the model answers what a caller hands on as the next state, a vector made of the
/// network's last state, as large as an input that makes its first.
struct CallersStates {
  private let model: Model

  /// Lets such networks begin with the states that each request gives, also in a session, and says so.
  static func begin(_ draft: inout FolderDraft) {
    guard draft.description.decoder == nil, draft.description.nodes.contains(where: isGivenState),
      let states = (try? draft.model()).map(CallersStates.init)
    else { return }
    let made = draft.description.inputs.enumerated().map { index, input in
      guard case .vector = input.kind else { return Set<Model.ValueReference>() }
      return states.vectors(madeOf: [.input(index)])
    }
    var networks: Set<String> = []
    // Of each input, the networks that begin with it, as those of several layers, and the answers that are its next.
    var begun: [(input: String, networks: [String], answers: [String])] = []
    for (place, node) in states.model.nodes.enumerated() {
      for (input, answers) in states.states(of: place, made: made) {
        networks.insert(node.name)
        guard let index = begun.firstIndex(where: { $0.input == input }) else {
          begun.append((input, [node.name], answers))
          continue
        }
        begun[index].networks.append(node.name)
        begun[index].answers += answers.filter { !begun[index].answers.contains($0) }
      }
    }
    for (input, networks, answers) in begun {
      let names = networks.map(\.jsonExcerpt).joined(separator: ", ")
      draft.notes.append(
        "the state \(input.jsonExcerpt) stays with the caller: \(networks.count == 1 ? "the network \(names) begins" : "the networks \(names) begin") with it in each request, also of a "
          + "session; give what the request before answered as \(answers.map(\.jsonExcerpt).joined(separator: " or "))"
      )
    }
    draft.description.nodes = draft.description.nodes.map { node in
      var node = node
      if networks.contains(node.name) { node.op = node.op.beginning(with: .request) }
      return node
    }
  }

  private static func isGivenState(_ node: ModelDescription.Node) -> Bool {
    node.op.recurrent != nil && node.inputs.dropFirst().contains { $0 != nil }
  }

  /// The inputs that are states of a network that reads forwards, each with the outputs that may be its next state.
  ///
  /// - Parameter made: for each input, what is made of it.
  private func states(
    of network: Int, made: [Set<Model.ValueReference>]
  ) -> [(input: String, answers: [String])] {
    let node = model.nodes[network]
    guard let shape = node.recurrent, !shape.bidirectional, !shape.isReverse else { return [] }
    let states = [
      (node.initialHidden, vectors(madeOf: hidden(of: network, layers: shape.layers))),
      (node.initialCell, vectors(madeOf: (0..<shape.layers).map { .cell(network, layer: $0) })),
    ]
    let makers = model.description.inputs.indices.filter { index in
      states.contains { $0.0.map(made[index].contains) ?? false }
    }
    // Beside inputs with as many numbers as a state, one with fewer is the flag of an episode's end, say.
    let least = shape.projectionSize ?? shape.hiddenSize
    let whole = makers.filter { model.description.inputs[$0].kind.size >= least }
    return (whole.isEmpty ? makers : whole).compactMap { index in
      let input = model.description.inputs[index]
      // What the states that the input makes are at the end; of both side by side, either.
      let ends = states.filter { $0.0.map(made[index].contains) ?? false }.flatMap(\.1)
      let answers = model.outputs.filter {
        $0.form == .vector(size: input.kind.size) && ends.contains($0.value)
          && !isChoiceOfLabels($0.value)
      }
      return answers.isEmpty ? nil : (input.name, answers.map(\.name))
    }
  }

  /// Probabilities are no state.
  private func isChoiceOfLabels(_ value: Model.ValueReference) -> Bool {
    guard case .node(let place) = value else { return false }
    return [SoftmaxOp.name, LogSoftmaxOp.name].contains(model.nodes[place].op.name)
  }

  /// The values that are a network's last h.
  private func hidden(of network: Int, layers: Int) -> [Model.ValueReference] {
    let lasts = model.nodes.indices.filter {
      model.nodes[$0].op.name == LastOp.name && model.nodes[$0].inputs == [.node(network)]
    }
    return (0..<layers).map { .hidden(network, layer: $0) } + lasts.map { .node($0) }
  }

  /// `sources`, and the vectors that are made of them.
  private func vectors(madeOf sources: [Model.ValueReference]) -> Set<Model.ValueReference> {
    var vectors = Set(sources)
    for (place, node) in model.nodes.enumerated() {
      if case .vector = node.form, !vectors.isDisjoint(with: node.inputs) {
        vectors.insert(.node(place))
      }
    }
    return vectors
  }
}
