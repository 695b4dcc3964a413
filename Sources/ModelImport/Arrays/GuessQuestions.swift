/// What weights don't say about a chain of layers, each with the line of model.json that has another answer.
struct GuessQuestions {
  struct Node {
    let name: String
    let layer: WeightLayer
  }

  /// The model's input.
  let input: String
  /// The chain's layers in their order.
  let chain: [Node]
  /// The ReLUs that were guessed, by the layer before them.
  let activations: [(before: String, name: String, after: String)]

  var notes: [String] {
    squareTable + pooling + directions + handOver + slopes + activationNotes + options + epsilons
      + attention + skips + others
  }

  private var options: [String] {
    let recurrent = chain.firstIndex { $0.layer.isRecurrent } ?? chain.endIndex
    return chain.indices.compactMap { place in
      Self.options(of: chain[place], isBehindSteps: place > recurrent)
    }
  }

  /// A square matrix without a bias that stands first.
  private var squareTable: [String] {
    guard let first = chain.first, first.layer.kind == .embedding,
      first.layer.input == first.layer.output, !first.layer.isCalledEmbedding
    else { return [] }
    return [
      "is \(first.name) an embedding of ids? yes here; of a linear layer without bias write \"op\": \"linear\" into its node, and \"kind\": \"features\" into the input"
    ]
  }

  /// Which steps of the last recurrent network are read.
  private var pooling: [String] {
    guard let place = chain.lastIndex(where: { $0.layer.isRecurrent }) else { return [] }
    let name = chain[place].name
    let reader = chain.dropFirst(place + 1).first?.name
    let final = "\(name).hidden"
    let pooled =
      "\(Self.node("pooled", "mean", name)) behind \(name), and \(Self.reading("pooled", reader))"
    let end =
      if case .recurrent(_, _, true) = chain[place].layer.kind {
        "; both directions' h_n in a row are \(Self.reading(final, reader)); the last step (y[:, -1]) is a node as for the mean, with \"last\""
      } else { "; the last step (y[:, -1], h_n[-1]) is \(Self.reading(final, reader))" }
    return [
      "which steps of \(name) count? all here, an answer for each\(end); their mean (y.mean(1)) is a node \(pooled); their maximum the same with \"max\""
    ]
  }

  /// Networks of one direction, of which one may go backwards, as every other one of a stack does.
  private var directions: [String] {
    let names = chain.filter { node in
      if case .recurrent(_, _, isBidirectional: false) = node.layer.kind { true } else { false }
    }.map(\.name)
    guard names.count > 1 else { return [] }
    return [
      "does one of \(excerpt(names, limit: 6)) read from the last step to the first (x.flip)? no here; write \"direction\": \"reverse\" into the node of each that does"
    ]
  }

  /// What a second recurrent network gets of the first, where it may be a decoder: by its name, or as the chain answers what it
  /// reads.
  private var handOver: [String] {
    let places = chain.indices.filter { chain[$0].layer.isRecurrent }
    guard let first = chain.first?.layer, let last = chain.last?.layer else { return [] }
    let reconstructs = first.kind != .embedding && first.input == last.output
    return zip(places, places.dropFirst()).filter { _, place in
      reconstructs || chain[place].layer.isUnder("dec")
    }.map { before, place in
      let (encoder, decoder) = (chain[before].name, chain[place].name)
      let final = "\(encoder).hidden"
      let isNext = place == before + 1
      let handed = isNext ? final : chain[place - 1].name
      let behind = isNext ? "" : "\(Self.reading(final, chain[before + 1].name)), "
      let states =
        if case .recurrent(gates: 4, _, _) = chain[before].layer.kind {
          "\"\(final)\", \"\(encoder).cell\""
        } else { "\"\(final)\"" }
      return
        "does \(decoder) read every step of \(encoder)? yes here; of its last state repeated (an autoencoder's h_n or y[:, -1]) \(behind)add a node { \"name\": \"repeated\", \"op\": \"repeat\", \"inputs\": [\"\(handed)\", \"\(input)\"] }, and \(Self.reading("repeated", decoder)); where it starts from the states of \(encoder), these follow in its \"inputs\": \(states); of one that reads what it answered there is no chain: \(Remedy.exportedProgram)"
    }
  }

  /// The places of PReLUs that would fit elsewhere.
  private var slopes: [String] {
    zip(chain, chain.dropFirst()).filter { $0.1.layer.isSharedSlope }.map { before, slope in
      "does \(slope.name), one number, stand behind \(before.name) as a PReLU? yes here; for another place change the \"inputs\" of the nodes"
    }
  }

  private var activationNotes: [String] {
    activations.map { before, name, after in
      "is there a ReLU between \(before) and \(after)? yes here; for another write its \"op\" into the node \(name) (tanh, sigmoid, gelu, leaky_relu); for none take the node out, and \(Self.reading(before, after))"
    }
  }

  /// What the layer may have besides its weights, or be in its place.
  private static func options(of node: Node, isBehindSteps: Bool) -> String? {
    switch node.layer.kind {
    case .recurrent(gates: 1, _, _):
      "which activation has \(node.name)? tanh here, as RNN has; of nonlinearity=\"relu\" write \"activation\": \"relu\" into its node"
    case .conv(let kernel) where kernel == node.layer.input && isBehindSteps:
      "is \(node.name) a convolution of \(kernel) steps? yes here, padded by the node's \"padding\", without a stride (FORMAT.md, \"kernels over the steps\"); an nn.Bilinear has the same tensors: \(Remedy.exportedProgram)"
    case .conv:
      (node.layer.input == 1 && node.layer.output > 1
        ? "has \(node.name) groups? none here, it reads one element; of groups=\(node.layer.output), one for each of as many, write \"groups\": \(node.layer.output) into its node, and give what it reads \(node.layer.output) elements; and "
        : "")
        + "how does \(node.name) pad, stride and dilate? by the node's \"padding\" here, without a stride or a dilation; of nn.Conv1d's padding=0 write \"padding\": \"valid\", and of others what is below \"kernels over the steps\" in FORMAT.md; a pool behind it, as nn.MaxPool1d(2), is a node { \"name\": \"pool\", \"op\": \"max_pool\", \"kernel\": 2, \"stride\": 2, \"inputs\": [\"\(node.name)\"] }, which what follows reads"
    case .layerNorm:
      "is \(node.name) a LayerNorm? yes here; a GroupNorm and an InstanceNorm have the same tensors, and go over the steps too, for which no single node stands: \(Remedy.exportedProgram)"
    case .rmsNorm:
      "is \(node.name) an RMSNorm? yes here; of a LayerNorm without bias write \"op\": \"layer_norm\" into its node, of a PReLU \"op\": \"prelu\", and take \"epsilon\" out"
    case .prelu where !node.layer.isSharedSlope:
      "is \(node.name) a PReLU? yes here; an RMSNorm and a LayerNorm without bias have the same tensor: of these write \"op\": \"rms_norm\" or \"layer_norm\" into its node"
    case .batchNorm, .recurrent, .embedding, .linear, .prelu: nil
    }
  }

  /// What norms add to the variance.
  private var epsilons: [String] {
    let norms = chain.filter { node in
      switch node.layer.kind {
      case .layerNorm, .batchNorm: true
      case .recurrent, .embedding, .linear, .conv, .rmsNorm, .prelu: false
      }
    }
    guard !norms.isEmpty else { return [] }
    return [
      "which eps have \(excerpt(norms.map(\.name), limit: 6))? 1e-5 here, as by default; another is \"epsilon\" of the node"
    ]
  }

  /// Layers that may score the steps: their names say so, or they end a head with one number.
  private var attention: [String] {
    guard let recurrent = chain.firstIndex(where: { $0.layer.isRecurrent }) else { return [] }
    let names = ["att", "score", "align", "energy", "alpha"]
    return chain.indices.dropFirst(recurrent + 1).filter { place in
      let (node, before) = (chain[place], chain[place - 1])
      return node.layer.kind == .linear
        && (node.layer.output == 1 && before.layer.kind == .linear
          || names.contains { node.name.lowercased().contains($0) })
    }.map { place in
      let (name, before) = (chain[place].name, chain[place - 1].name)
      let reader = chain.dropFirst(place + 1).first?.name
      return
        "does \(name) score the steps of \(before), as attention does? no here, it stands in the chain; where their softmax over the steps weighs what \(before) answers, and \(name) has one number a step, add a node { \"name\": \"attended\", \"op\": \"softmax_sum\", \"inputs\": [\"\(name)\", \"\(before)\"] }, and \(Self.reading("attended", reader)); of other attention: \(Remedy.exportedProgram)"
    }
  }

  /// Layers, and layers one behind the other, that keep the number of elements: there may be a sum around them.
  private var skips: [String] {
    var found: [(first: Int, last: Int)] = []
    for first in chain.indices where chain[first].layer.kind != .embedding {
      for last in chain.indices[first...]
      where chain[first].layer.input == chain[last].layer.output
        && chain[first...last].contains(where: { Self.isMap($0.layer) })
        && !found.contains(where: { $0.last == last })
      {
        found.append((first, last))
      }
    }
    guard let place = found.min(by: { $0.last < $1.last }) else { return [] }
    let name = chain[place.last].name
    let before = place.first > 0 ? chain[place.first - 1].name : input
    let reader = place.last + 1 < chain.count ? chain[place.last + 1].name : nil
    let names = found.map(\.last).sorted().map { chain[$0].name }
    return [
      "is anything added to what \(excerpt(names, limit: 6)) answers, or multiplied with it (x + f(x), a gate, a mask)? nothing here, each layer reads the one before; a sum is a node { \"name\": \"sum\", \"op\": \"add\", \"inputs\": [\"\(name)\", \"\(before)\"] }, and \(Self.reading("sum", reader)); a product the same with \"multiply\""
    ]
  }

  private static func isMap(_ layer: WeightLayer) -> Bool {
    switch layer.kind {
    case .linear, .conv, .recurrent: true
    case .embedding, .layerNorm, .batchNorm, .rmsNorm, .prelu: false
    }
  }

  /// Layers without weights elsewhere.
  private var others: [String] {
    let known = Set(activations.map(\.before))
    let bare = zip(chain, chain.dropFirst()).filter { !known.contains($0.0.name) }
      .map { "\($0.name) and \($1.name)" }
    guard let last = chain.last?.name else { return [] }
    let between =
      bare.isEmpty
      ? "" : "between \(bare.joined(separator: ", between ")), or "
    let example = chain.dropLast().last { !known.contains($0.name) }
    let pair = example.flatMap { before in
      chain.firstIndex { $0.name == before.name }.map { (before.name, chain[$0 + 1].name) }
    }
    let inside =
      pair.map { before, after in
        "; a ReLU is a node \(Self.node("act", "relu", before)), or of what \(after) reads by then, and \(Self.reading("act", after))"
      } ?? ""
    return [
      "is there a layer without weights \(between)behind \(last)? none here (dropout is none)\(inside); a softmax at the end is a node \(Self.node("softmax", "softmax", last)), and \(Self.reading("softmax", nil)); a log_softmax the same with \"log_softmax\""
    ]
  }

  private static func node(_ name: String, _ op: String, _ input: String) -> String {
    "{ \"name\": \"\(name)\", \"op\": \"\(op)\", \"inputs\": [\"\(input)\"] }"
  }

  /// How the node `reader`, or else the output, reads the value `name`.
  private static func reading(_ name: String, _ reader: String?) -> String {
    reader.map { "\"inputs\": [\"\(name)\"] of \($0)" }
      ?? "\"name\": \"\(name)\" of the output"
  }
}
