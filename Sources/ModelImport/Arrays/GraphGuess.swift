import ModelFormat

/// A graph guessed from weights: their layers as a chain, each with the previous one's output as its input.
struct GraphGuess {
  private let table: WeightTable
  private let layers: [WeightLayer]
  private let others: [String]
  private let omissions: GuessOmissions
  private let field: GuessedField?
  /// The number of chains tried; after `maxTries` there counts as being none.
  private var tries = 0
  /// Whether a convolution may follow a linear layer that stands before all others, as one that makes its channels does.
  private var takesConvolutionsLate = false

  private static let maxTries = 20_000
  private static let maxLayers = 60

  /// The description of the chain, and notes on what the person should confirm.
  static func description(
    of table: WeightTable, name: String
  ) throws(ImportError) -> (ModelDescription, notes: [String]) {
    if let (name, reason) = table.unread.first {
      throw ImportError(
        file: table.file, place: name,
        problem: "found \(reason): a guess without it would leave its layer out",
        remedy:
          "save it as floats: torch.save({k: (v.to_dense() if v.is_sparse else v).float() for k, v in state_dict.items()}, 'weights.pt')"
      )
    }
    var guess = GraphGuess(table)
    var (found, beside): ([WeightLayer]?, GuessCritic?)
    func tryWithout(_ other: GuessCritic?) {
      guard found == nil, let other else { return }
      var rest = GraphGuess(other.rest)
      found = rest.chain()
      if found != nil { (guess, beside) = (rest, other) }
    }
    // A chain may go on from a generator to its discriminator.
    tryWithout(GuessCritic(discriminatorOf: table))
    found = found ?? guess.chain()
    tryWithout(GuessCritic(table))
    guard var chain = found else { throw guess.failure }
    // No PReLU stands behind a head: it is the weights of a loss by another name.
    let behind = chain.reversed().prefix { $0.kind == .prelu }.map(\.prefix)
    chain.removeLast(behind.count)
    try guess.checkDecoder(in: chain)
    var (description, notes) = guess.description(of: chain, leaving: behind, name: name)
    if let beside { notes.append(beside.question) }
    return (description, notes)
  }

  private init(_ table: WeightTable) {
    self.table = table
    omissions = GuessOmissions(table)
    let (layers, others) = WeightLayer.layers(of: omissions.removed(from: table))
    // By place and index, as a sort need not keep the order of what is equal.
    self.layers =
      table.isOrdered
      ? layers
      : layers.enumerated().sorted {
        ($0.element.usualPlace, $0.offset) < ($1.element.usualPlace, $1.offset)
      }.map(\.element)
    field = GuessedField(others, in: table)
    self.others = field == nil ? others : []
  }

  /// What merges the tensors that a weight is made of, by a part of their names.
  private static let merging: [(part: String, line: String)] = [
    ("parametrizations.", "torch.nn.utils.parametrize.remove_parametrizations(module, 'weight')"),
    (".lora_", "model = model.merge_and_unload()"),
    ("weight_g", "torch.nn.utils.remove_weight_norm(module)"),
    (
      "_orig",
      "torch.nn.utils.remove_spectral_norm(module), torch.nn.utils.prune.remove(module, 'weight')"
    ),
  ]

  private var failure: ImportError {
    let found = layers.map { ($0.isNamedEmbedding ? $0.asEmbedding ?? $0 : $0).text } + others
    let hasRecurrent = layers.contains { $0.isRecurrent }
    let areNumbered =
      !found.isEmpty && found.allSatisfy { $0.hasPrefix("arr_") || $0.allSatisfy(\.isNumber) }
    let matrices = others.filter {
      table[$0]?.shape.count == 2 && !GuessedField.isTransitions($0)
    }
    let vectors = others.filter { table[$0]?.shape.count == 1 }
    let example = matrices.first { $0.contains("ih") } ?? matrices.first ?? vectors.first
    let rename = (hasRecurrent ? nil : example).map { name in
      "; or name them as PyTorch does, from which a chain is guessed: --names map.json with {\"\(name)\": \"lstm.weight_ih_l0\", …}, a line for each (lstm.weight_hh_l0, lstm.bias_ih_l0, lstm.bias_hh_l0, fc.weight, fc.bias)"
    }
    let merging = table.names.lazy.compactMap { name in
      Self.merging.first { name.contains($0.part) }.map {
        "where a weight is made of others (\(name.jsonExcerpt)), merge them before saving: \($0.line); "
      }
    }.first
    if layers.isEmpty, let field = others.first(where: GuessedField.isTransitions) {
      return ImportError(
        file: table.file,
        problem: "found weights without a network: \(excerpt(found, limit: 20))",
        remedy:
          "\(field.jsonExcerpt) is taken for a conditional random field's; import the network before it; \(Remedy.field(in: table.file))"
      )
    }
    let field = others.first(where: GuessedField.isTransitions).map { name in
      "\(name.jsonExcerpt) is taken for a conditional random field's, of which no scores of -10000 tell the labels before and behind a sequence: "
        + "without it a chain may be guessed, or the graph says which they are, with \"decode\": { \"op\": \"crf\", "
        + "\"weights\": \"\(name.dropLast(GuessedField.transitions.count + 1))\", \"order\": \"to_from\", \"start\": 4, \"end\": 5 } of its output, "
        + "where a tensor that is called transitions alone is given by --names map.json with {\"transitions\": \"crf.transitions\"}; "
    }
    return ImportError(
      file: table.file,
      problem: found.isEmpty
        ? "found no weights"
        : "found weights \(hasRecurrent || !others.isEmpty ? "that do not make one plausible chain" : "without a recurrent network, of which no chain is guessed"): \(excerpt(found, limit: 20))",
      remedy: areNumbered
        ? "of Keras, model.save('model.keras') writes all; numpy.savez('weights.npz', **{'fc.weight': array}) gives names\(rename ?? "")"
        : "\(field ?? merging ?? "")how they are wired is not in such a file: where the module can be loaded, export it with its graph, or a module "
          + "of its layers whose forward takes and returns tensors: \(Remedy.exportedProgram); or write the graph as model.json "
          + "(FORMAT.md, \"From PyTorch\") and give it with --graph model.json; "
          + "the file's names are the weights of its nodes\(rename ?? "")")
  }

  // MARK: The chain

  private mutating func chain() -> [WeightLayer]? {
    guard others.isEmpty, (1...Self.maxLayers).contains(layers.count) else { return nil }
    for isLate in [false, true] {
      (tries, takesConvolutionsLate) = (0, isLate)
      if let chain = firstChain() { return chain }
    }
    return nil
  }

  private mutating func firstChain() -> [WeightLayer]? {
    let named = layers.indices.filter { layers[$0].isNamedEmbedding }
    let bare = layers.indices.filter { layers[$0].isBare && !layers[$0].isNamedEmbedding }
    for start in named + (named.isEmpty ? bare : []) {
      guard let embedding = layers[start].asEmbedding else { continue }
      let rest = layers.indices.filter { $0 != start }
      if let chain = continued([embedding], size: embedding.output, rest: rest) { return chain }
    }
    guard named.isEmpty else { return nil }
    for start in layers.indices where !layers[start].isSharedSlope {
      let rest = layers.indices.filter { $0 != start }
      if let chain = continued([layers[start]], size: layers[start].output, rest: rest) {
        return chain
      }
    }
    return nil
  }

  /// Extends the chain by all remaining layers; of layers that fit, the first in the file is tried first.
  private mutating func continued(
    _ chain: [WeightLayer], size: Int, rest: [Int]
  ) -> [WeightLayer]? {
    guard !rest.isEmpty else {
      return chain.contains { $0.isRecurrent } && (field == nil || field?.labels == size)
        ? chain : nil
    }
    tries += 1
    guard tries <= Self.maxTries else { return nil }
    for next in rest where isPlausible(layers[next], behind: chain) {
      let layer = layers[next]
      guard layer.isSharedSlope || layer.input == size else { continue }
      let left = rest.filter { $0 != next }
      if left.isEmpty, layer.isSharedSlope { continue }
      let output = layer.isSharedSlope ? size : layer.output
      if let chain = continued(chain + [layer], size: output, rest: left) { return chain }
    }
    return nil
  }

  private func isPlausible(_ next: WeightLayer, behind chain: [WeightLayer]) -> Bool {
    guard case .conv = next.kind, let linear = chain.lastIndex(where: { $0.kind == .linear })
    else { return true }
    return takesConvolutionsLate
      && !chain[..<linear].contains { layer in
        if case .conv = layer.kind { true } else { layer.isRecurrent }
      }
  }

  /// Refuses a chain in which the decoder's head makes what the decoder reads: it would read its own answers.
  private func checkDecoder(in chain: [WeightLayer]) throws(ImportError) {
    guard table.isOrdered,
      let encoder = chain.firstIndex(where: { $0.isRecurrent && $0.isUnder("enc") }),
      let decoder = chain.lastIndex(where: { $0.isRecurrent && $0.isUnder("dec") }),
      encoder < decoder,
      let place = layers.firstIndex(where: { $0.prefix == chain[decoder].prefix }),
      let head = chain[encoder..<decoder].first(where: { layer in
        layer.kind == .linear && layers[place...].contains { $0.prefix == layer.prefix }
      })
    else { return }
    throw ImportError(
      file: table.file,
      problem:
        "found an encoder and a decoder, \(chain.map(\.text).joined(separator: ", ")), of which \(head.prefix) makes what \(chain[decoder].prefix) reads: a decoder that reads its own answers is no chain",
      remedy: "export the module with its graph: \(Remedy.exportedProgram)")
  }

  /// The order of the layers, where it is not that of the file, or the file has none.
  private func orderQuestion(_ chain: [WeightLayer]) -> String? {
    guard chain.count > 1 else { return nil }
    let names = Set(chain.map(\.prefix))
    let own = layers.map(\.prefix).filter { names.contains($0) }
    guard !table.isOrdered || own != chain.map(\.prefix) else { return nil }
    let found =
      table.isOrdered
      ? "The file has \(own.joined(separator: ", ")), in which the sizes do not fit"
      : "The file has them by their names, so that it is guessed too"
    return
      "is that the order of the layers? \(found); for another change the \"inputs\" of the nodes"
  }

  // MARK: The description

  private func description(
    of chain: [WeightLayer], leaving behind: [String], name: String
  ) -> (ModelDescription, notes: [String]) {
    var description = FolderDraft(name: name).description
    description.summary = "Guessed from the names and shapes of weights; to be confirmed."
    var notes = [
      "the graph is a guess by names and shapes: \(chain.map(\.text).joined(separator: ", then ")); answer what follows, and where an answer is another than here, change model.json in the folder, which is then served as it stands (or give a changed copy with --graph)"
    ]
    if let question = orderQuestion(chain) { notes.append(question) }
    notes += omissions.questions
    var nodes: [GuessQuestions.Node] = []
    var activations: [(before: String, name: String, after: String)] = []
    let isText = chain[0].kind == .embedding
    let input = isText ? "ids" : "x"
    description.inputs = [
      .init(
        name: input,
        kind: isText
          ? .tokens(size: chain[0].input, vocabulary: nil)
          : .features(size: chain[0].input, mean: nil, scale: nil))
    ]
    var names: Set<String> = [input]
    var value = input
    func add(_ op: ModelDescription.Op, _ text: String, weights: String?) {
      let base = FolderDraft.name(from: text)
      var name = base
      var count = 2
      while !names.insert(name).inserted {
        name = "\(base.prefix(90))-\(count)"
        count += 1
      }
      description.nodes.append(
        .init(name: name, op: op, inputs: [value], weights: weights == name ? nil : weights))
      value = name
    }
    for (index, layer) in chain.enumerated() {
      let op = Self.op(of: layer)
      let before = value
      add(op, layer.prefix.isEmpty ? op.name : layer.prefix, weights: layer.prefix)
      if let last = nodes.last?.name, before != last { activations.append((last, before, value)) }
      nodes.append(.init(name: value, layer: layer))
      let next = index + 1 < chain.count ? chain[index + 1] : nil
      guard let next, Self.needsActivation(layer, before: next) else { continue }
      add(.relu, "relu", weights: nil)
    }
    description.outputs = [.init(name: value)]
    if !behind.isEmpty {
      notes.append(
        "is \(excerpt(behind.map { "\($0).weight" })) for training alone? yes here, as the class weights of a loss: left out; if it is a PReLU behind \(value), give a changed copy with --graph that has the node { \"name\": \"act\", \"op\": \"prelu\", \"inputs\": [\"\(value)\"], \"weights\": \"\(behind[0])\" }, and \"name\": \"act\" of the output"
      )
    }
    notes += GuessQuestions(input: input, chain: nodes, activations: activations).notes
    if let field {
      description.outputs[0].decode = .crf(field.decode)
      notes.append(field.note)
    }
    return (description, notes)
  }

  private static func op(of layer: WeightLayer) -> ModelDescription.Op {
    switch layer.kind {
    case .embedding: .embedding
    case .linear: .linear
    case .recurrent(gates: 4, _, _): .lstm
    case .recurrent(gates: 3, _, _): .gru
    case .recurrent: .rnn
    case .conv(let kernel):
      .conv(padding: kernel.isMultiple(of: 2) ? .causal : .same)
    case .layerNorm: .layerNorm(epsilon: 1e-5)
    case .batchNorm: .batchNorm()
    case .rmsNorm: .rmsNorm(epsilon: Float.ulpOfOne)
    case .prelu: .prelu
    }
  }

  /// Whether the two layers make sense only with an activation between them.
  private static func needsActivation(_ layer: WeightLayer, before next: WeightLayer) -> Bool {
    switch (layer.kind, next.kind) {
    case (.linear, .linear), (.conv, .conv), (.conv, .recurrent), (.conv, .linear),
      (.linear, .conv):
      true
    default: false
    }
  }
}
