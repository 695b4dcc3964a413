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

  func draft() throws(ImportError) -> FolderDraft {
    let description = decoder.description
    let steps = description.inputs.filter { if case .vector = $0.kind { false } else { true } }
    let vectors = description.inputs.filter { if case .vector = $0.kind { true } else { false } }
    let scores = description.outputs.filter { !isState($0.name) }
    guard steps.count == 1, scores.count == 1 else {
      throw ImportError(
        file: file,
        problem:
          "found \(steps.count) inputs a step and \(scores.count) outputs beside the states, expected a decoder of one token in and one row of scores out",
        remedy:
          "export a decoder of torch.nn.GRU or LSTM that reads tokens of [batch, steps], with dynamic axes for both, or import the files into folders of their own"
      )
    }
    let given = encoder.description.outputs.map(\.name)
    guard vectors.count <= given.count else {
      throw ImportError(
        file: file,
        problem: "found \(vectors.count) states, where the encoder gives \(given.count) values",
        remedy: "export the encoder with its final states as outputs")
    }
    var draft = encoder
    draft.reference = nil
    draft.description.outputs = []
    var nodes = description.nodes
    let size = try tokens(&nodes, steps[0], &draft)
    var inputs = [
      ModelDescription.Decoder.Input(
        name: steps[0].name, source: .tokens(size: size, vocabulary: nil))
    ]
    // States are matched by equal names, else in the files' order.
    for (index, vector) in vectors.enumerated() {
      let source = given.contains(vector.name) ? vector.name : given[index]
      inputs.append(.init(name: vector.name, source: .encoder(source)))
      draft.notes.append("the decoder's \"\(vector.name)\" begins as the encoder's \"\(source)\"")
    }
    prune(&nodes, scores[0].name)
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
    draft.notes += decoder.notes
    draft.notes.append(
      "confirm in model.json: the decoder starts with token 0, ends with token 1 (\"start\", \"end\"), and has at most \(Self.maxSteps) tokens (\"max_steps\")"
    )
    return draft
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
      var name = "one_hot"
      while nodes.contains(where: { $0.name == name }) { name += "_" }
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
    for suffix in [".hidden", ".cell"] where name.hasSuffix(suffix) { return true }
    guard let node = decoder.description.nodes.first(where: { $0.name == name }) else {
      return false
    }
    if node.op.recurrent != nil { return true }
    guard ["slice", "gather", "transpose", "concat"].contains(node.op.name) else { return false }
    return node.inputs.allSatisfy { $0.map(isState) ?? false }
  }

  /// Keeps the nodes that lead to the scores.
  private func prune(_ nodes: inout [ModelDescription.Node], _ output: String) {
    var needed: Set<String> = []
    var pending = [output]
    while let value = pending.popLast() {
      var name = value
      for suffix in [".hidden", ".cell"] where value.hasSuffix(suffix) {
        name = String(value.dropLast(suffix.count))
      }
      for candidate in [value, name] {
        guard let node = nodes.first(where: { $0.name == candidate }),
          needed.insert(candidate).inserted
        else { continue }
        pending += node.inputs.compactMap { $0 }
      }
    }
    nodes.removeAll { !needed.contains($0.name) }
  }
}
