import ModelFormat

/// An encoder and a decoder from two files, as one folder: the encoder's outputs become the decoder's initial states, and the
/// decoder's recurrent networks keep their states from token to token.
struct DecoderPair {
  let encoder: FolderDraft
  let decoder: FolderDraft
  /// The decoder's file, for errors.
  let file: String

  /// The default of the most tokens of a sequence.
  static let maxSteps = 256

  /// Makes the decoder's graph one of a step, as the pair reads it: it takes the last of the tokens so far, and masks of padding
  /// mask nothing, in the encoder neither.
  static func prepare(_ decoder: inout SourceGraph, _ options: inout GraphTranslation.Options) {
    decoder.takeLastToken()
    let masks = PaddingMasks(decoder).openValues.sorted { $0.key < $1.key }
    for (name, value) in masks where options.fixed[name] == nil {
      options.fixed[name] = SourceTensor(shape: [], elements: [value])
      decoder.notes.append(
        "the input \"\(name)\" marks padding, and is left out: the sequences of a request have none"
      )
    }
  }

  func draft() throws(ImportError) -> FolderDraft {
    let description = decoder.description
    let scores = description.outputs.filter { !isState($0.name) }
    let token = try tokenInput(scores: scores.count)
    var draft = encoder
    draft.reference = nil
    draft.description.outputs = []
    let (steps, states) = try encoderValues()
    var inputs: [ModelDescription.Decoder.Input] = []
    let own = description.inputs.filter { $0.name != token.name }
    // What is the same at every step is a step in the decoder's file.
    let contexts = own.filter { input in
      !input.isVector && (steps.isEmpty || states.contains { $0.name == input.name })
    }
    inputs += try matched(own.filter(\.isVector) + contexts, with: states, "states", &draft)
    inputs += try matched(
      own.filter { !$0.isVector && !contexts.contains($0) }, with: steps, "sequences", &draft)
    let fed = try fedBack(token: token.name, inputs)
    draft.description.nodes += fed.encoderNodes
    inputs += fed.inputs
    let decoder = fed.decoder
    var nodes = decoder.description.nodes
    let size = try tokens(&nodes, token, &draft)
    inputs.insert(
      .init(name: token.name, source: .tokens(size: size, vocabulary: nil)), at: 0)
    prune(&nodes, leadingTo: [scores[0].name])
    let read = inputs.compactMap { input in
      switch input.source {
      case .encoder(let value), .feedback(_, .encoder(let value)): value
      case .tokens, .feedback: nil
      }
    }
    prune(&draft.description.nodes, leadingTo: read)
    for index in nodes.indices {
      let old = nodes[index].weights ?? nodes[index].name
      let own = decoder.tensors.filter { $0.name.hasPrefix("\(old).") }
      guard !own.isEmpty else { continue }
      nodes[index].weights = "decoder.\(old)"
      for (name, shape, floats) in own {
        draft.add(tensor: "decoder.\(name)", shape: shape, floats)
      }
    }
    draft.description.decoder = .init(
      inputs: inputs, nodes: nodes, outputs: [scores[0]], start: .id(0), end: [.id(1)],
      maxSteps: Self.maxSteps)
    draft.notes += decoder.notes.filter { !draft.notes.contains($0) }
    draft.notes.append(
      "confirm in model.json: the decoder starts with token 0, ends with token 1 (\"start\", \"end\"), and has at most \(Self.maxSteps) tokens (\"max_steps\")"
    )
    return draft
  }

  /// The decoder, whose networks' states are fed back where other nodes read them.
  private func fedBack(
    token: String, _ given: [ModelDescription.Decoder.Input]
  ) throws(ImportError) -> FedBackStates {
    do {
      return try FedBackStates(
        decoder, token: token, given: given, encoder: encoder.description)
    } catch {
      throw ImportError(
        file: file, place: "input \"\(error.name)\"",
        problem:
          "found a state that other nodes than a recurrent network read, and that is not what one network answers: here, a network keeps its state by itself",
        remedy: Remedy.ownFolders)
    }
  }

  /// The input with the token of a step: ids, or else the only one with steps.
  private func tokenInput(scores: Int) throws(ImportError) -> ModelDescription.Input {
    let steps = decoder.description.inputs.filter { !$0.isVector }
    let ids = steps.filter { if case .tokens = $0.kind { true } else { false } }
    let tokens = ids.isEmpty ? steps : ids
    guard tokens.count == 1, scores == 1 else {
      throw ImportError(
        file: file,
        problem:
          "found \(tokens.count) inputs that may be the token of a step (\(Self.list(tokens))), and \(scores) outputs beside the states of recurrent networks, expected one of each",
        remedy:
          "export a decoder of torch.nn.GRU or LSTM that takes tokens of [batch, steps] as whole numbers, and answers the scores and its states alone; or import the files into folders of their own"
      )
    }
    return tokens[0]
  }

  private static func list(_ inputs: [ModelDescription.Input]) -> String {
    inputs.isEmpty ? "none" : inputs.map { "\"\($0.name)\"" }.joined(separator: ", ")
  }

  /// The encoder's outputs: sequences, and vectors.
  private func encoderValues() throws(ImportError) -> (
    steps: [Model.ResolvedOutput], states: [Model.ResolvedOutput]
  ) {
    do {
      let outputs = try encoder.model().outputs
      return (outputs.filter { $0.axis != nil }, outputs.filter { $0.axis == nil })
    } catch {
      throw ImportError(file: file, problem: "the encoder can't be read: \(error)")
    }
  }

  /// The decoder's inputs with the encoder's values: those of equal names, else in the files' order.
  private func matched(
    _ inputs: [ModelDescription.Input], with given: [Model.ResolvedOutput], _ what: String,
    _ draft: inout FolderDraft
  ) throws(ImportError) -> [ModelDescription.Decoder.Input] {
    var result: [ModelDescription.Decoder.Input] = []
    for (index, input) in inputs.enumerated() {
      guard
        let source = given.first(where: { $0.name == input.name })
          ?? (given.indices.contains(index) ? given[index] : given.count == 1 ? given[0] : nil),
        source.size == input.kind.size
      else {
        let found = given.map { "\"\($0.name)\" of \($0.size)" }.joined(separator: ", ")
        throw ImportError(
          file: file, place: "input \"\(input.name)\"",
          problem:
            "found no value of the encoder for it: it has \(input.kind.size) elements, and the encoder's \(what) are \(found.isEmpty ? "none" : found)",
          remedy:
            "export the encoder with what the decoder reads as outputs, in the same order or with the same names, and both with dynamic axes for the batch and the steps"
        )
      }
      result.append(.init(name: input.name, source: .encoder(source.name)))
      let verb = input.isVector ? "begins as" : "is"
      draft.notes.append("the decoder's \"\(input.name)\" \(verb) the encoder's \"\(source.name)\"")
    }
    return result
  }

  /// The number of tokens. A decoder that reads one-hot rows gets an embedding of such rows.
  private func tokens(
    _ nodes: inout [ModelDescription.Node], _ input: ModelDescription.Input,
    _ draft: inout FolderDraft
  ) throws(ImportError) -> Int {
    switch input.kind {
    case .tokens(let size, _): return size
    case .vector: preconditionFailure("a step is no vector")
    case .features(let size, _, _):
      let name = FolderDraft.unusedName("one_hot", among: nodes.map(\.name))
      guard size <= 1 << 11 else {
        throw ImportError(
          file: file, place: "input \"\(input.name)\"",
          problem: "found \(size) numbers a step, expected ids, or a token as a row with one 1",
          remedy: "export the decoder with ids as its input")
      }
      for index in nodes.indices {
        nodes[index].inputs = nodes[index].inputs.map { $0 == input.name ? name : $0 }
      }
      nodes.insert(
        .init(name: name, op: .embedding, inputs: [input.name], weights: "decoder.\(name)"), at: 0)
      let rows = (0..<size * size).map { Float($0 / size == $0 % size ? 1 : 0) }
      draft.add(tensor: "decoder.\(name).weight", shape: [size, size], rows)
      draft.notes.append(
        "the decoder's tokens are rows of \(size) numbers, of which one is 1: their ids are taken")
      return size
    }
  }

  /// Whether an output is just a final state.
  private func isState(_ name: String) -> Bool {
    var (pending, seen) = ([name], Set([name]))
    while let name = pending.popLast() {
      if name.hasSuffix(".hidden") || name.hasSuffix(".cell") { continue }
      guard let node = decoder.description.nodes.first(where: { $0.name == name }) else {
        return false
      }
      if node.op.recurrent != nil { continue }
      guard ["slice", "gather", "transpose", "concat"].contains(node.op.name) else { return false }
      for input in node.inputs {
        guard let input else { return false }
        if seen.insert(input).inserted { pending.append(input) }
      }
    }
    return true
  }

  /// Keeps the nodes that lead to these values.
  private func prune(_ nodes: inout [ModelDescription.Node], leadingTo values: [String]) {
    var needed: Set<String> = []
    var pending = values
    while let value = pending.popLast() {
      var name = value
      for suffix in [".hidden", ".cell"] where value.hasSuffix(suffix) {
        name = String(value.dropLast(suffix.count))
      }
      for candidate in [value, name] {
        guard let node = nodes.first(where: { $0.name == candidate }),
          needed.insert(candidate).inserted
        else { continue }
        pending += (node.inputs + [node.mask]).compactMap { $0 }
      }
    }
    nodes.removeAll { !needed.contains($0.name) }
  }
}

extension ModelDescription.Input {
  fileprivate var isVector: Bool { if case .vector = kind { true } else { false } }
}

extension SourceGraph {
  /// Leaves one token a sequence in inputs of ids of which only the last along axis 1 is read: `prefix[:, -1]`.
  fileprivate mutating func takeLastToken() {
    let (consumers, producers) = (NodeConsumers(self), NodeProducers(self))
    func takesLast(_ node: SourceNode) -> Bool {
      let index = producers.number(node.input(1), of: self)
      return switch node.op {
      case "Gather": node.integer("axis", default: 0) == 1 && index == -1
      case "Slice": producers.number(node.input(3), of: self) == 1 && index == -1
      default: node.op == "Shape"
      }
    }
    for (index, input) in inputs.enumerated()
    where input.kind == .integer && input.dimensions.count == 2 && input.isOpen(from: 1)
      && consumers[input.name].allSatisfy(takesLast)
      && consumers[input.name].contains(where: { $0.op != "Shape" })
    {
      inputs[index].dimensions[1] = .fixed(1)
    }
  }
}
