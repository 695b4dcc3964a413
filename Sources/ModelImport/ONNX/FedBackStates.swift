import ModelFormat

/// The states of a decoder's networks that other nodes read too, as the query of attention: these read, at each step, what the
/// network answered at the step before.
struct FedBackStates {
  /// The decoder, whose nodes read the inputs below.
  private(set) var decoder: FolderDraft
  /// The inputs with the network's answers.
  private(set) var inputs: [ModelDescription.Decoder.Input] = []
  /// Nodes of the encoder that choose their first values.
  private(set) var encoderNodes: [ModelDescription.Node] = []

  /// - Parameters:
  ///   - token: the input with the tokens.
  ///   - given: the values of the encoder with which the decoder's inputs begin.
  ///   - encoder: the encoder's graph.
  /// - Throws: the name of a state that is not what a network answers.
  init(
    _ decoder: FolderDraft, token: String, given: [ModelDescription.Decoder.Input],
    encoder: ModelDescription
  ) throws(UnansweredState) {
    self.decoder = decoder
    for state in decoder.callersStates.sorted() {
      guard
        case .encoder(let first)? = given.first(where: { $0.name == state })?.source
      else { continue }
      for value in [state]
        + decoder.description.nodes.filter({ isChoice($0, of: state) }).map(\.name)
      {
        try feedBack(value, of: state, first: first, encoder)
      }
    }
    guard !inputs.isEmpty else { return }
    let attended = AttendedSteps(self.decoder.description.nodes, inputs: valueInputs(token: token))
    {
      [tensors = decoder.tensors] name in
      tensors.first { $0.name == name }.map { ($0.shape, $0.floats) }
    }
    self.decoder.description.nodes = attended.nodes
    for (name, tensor) in attended.tensors {
      self.decoder.add(tensor: name, shape: tensor.shape, tensor.floats)
    }
  }

  /// A state that other nodes than its network read, and that no network answers.
  struct UnansweredState: Error {
    let name: String
  }

  private var nodes: [ModelDescription.Node] { decoder.description.nodes }

  /// Whether a node chooses elements of a state, as those of one layer.
  private func isChoice(_ node: ModelDescription.Node, of state: String) -> Bool {
    node.inputs == [state] && [SliceOp.name, GatherOp.name].contains(node.op.name)
  }

  private mutating func feedBack(
    _ value: String, of state: String, first: String, _ encoder: ModelDescription
  ) throws(UnansweredState) {
    let choice = nodes.first { $0.name == value }
    func isSame(_ other: String?) -> Bool {
      other == value
        || choice.map { choice in
          nodes.contains {
            $0.name == other && $0.op == choice.op && $0.inputs == choice.inputs
          }
        } ?? false
    }
    let readers = nodes.indices.filter { index in
      let node = nodes[index]
      let read = node.op.recurrent == nil ? node.inputs[...] : node.inputs.prefix(1)
      return read.contains(value) && !isChoice(node, of: value)
    }
    guard !readers.isEmpty else { return }
    guard
      let network = nodes.first(where: {
        $0.op.recurrent != nil && $0.inputs.count > 1 && isSame($0.inputs[1])
      })
    else { throw UnansweredState(name: state) }
    let name = FolderDraft.unusedName(
      "\(value)-before", among: nodes.map(\.name) + decoder.description.inputs.map(\.name))
    var source = first
    if let choice {
      source = FolderDraft.unusedName(
        "\(first)-\(value)",
        among: (encoder.nodes + encoderNodes).map(\.name) + encoder.inputs.map(\.name))
      encoderNodes.append(.init(name: source, op: choice.op, inputs: [first]))
    }
    for index in readers {
      decoder.description.nodes[index].inputs = nodes[index].inputs.map { $0 == value ? name : $0 }
    }
    inputs.append(
      .init(name: name, source: .feedback(of: network.name, first: .encoder(source))))
  }

  /// The inputs of the decoder's graph: what is fed back has the steps of the tokens.
  private func valueInputs(token: String) -> [String: AttendedSteps.Input] {
    var result: [String: AttendedSteps.Input] = [:]
    for input in decoder.description.inputs {
      let isVector = if case .vector = input.kind { true } else { false }
      let axis = input.name == token ? "" : input.axis ?? input.name
      result[input.name] = .init(axis: isVector ? nil : axis, size: input.kind.size)
    }
    for input in inputs { result[input.name] = .init(axis: "", size: nil) }
    return result
  }
}
