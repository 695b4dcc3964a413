import Inference
import ModelFormat

extension SmallModels {
  /// What a translator is like.
  package struct Translator: Sendable, CustomStringConvertible {
    /// Tokens that its decoder chooses from, the first of which ends a sequence; the last begins it.
    package var size = 6
    package var vocabulary: [String]?
    package var separator: String?
    package var scores = Scores.logits
    package var cell = Cell.gru
    /// Whether the encoder needs the whole sequence.
    package var isBidirectional = false
    /// Whether the decoder reads at each step what it computed at the step before.
    package var hasFeedback = false
    /// How the decoder attends to the encoder's steps; nil for not at all. With feedback, what it computed at the step before is
    /// the query, and what it attends to is read by its network; else it goes into the scores beside the network's output.
    package var attention: AttentionOp.Score?
    package var maxSteps = 12
    package var seed: UInt64 = 1

    package init() {}

    package init(_ change: (inout Translator) -> Void) { change(&self) }

    package var description: String {
      "\(size) \(scores) of \(cell.rawValue), \(isBidirectional) \(hasFeedback) \(seed) "
        + (attention?.rawValue ?? "")
    }
  }

  /// A model of seven tokens and a decoder that starts from its last states, reads them at each step, and whose scores are far
  /// apart.
  package static func translator(
    _ kind: Translator = Translator(), name: String = "translator"
  ) throws -> Model {
    var noise = Noise(seed: kind.seed)
    var tensors: [(name: String, shape: [Int], floats: [Float])] = []
    func add(_ name: String, _ shape: [Int], scale: Float = 1) {
      tensors.append((name, shape, noise.floats(shape.reduce(1, *), scale: scale)))
    }
    let (hidden, directions) = (8, kind.isBidirectional ? 2 : 1)
    let size = kind.vocabulary?.count ?? kind.size
    let encoded = directions * hidden
    add("letters.weight", [7, 5], scale: 2)
    let encoder = kind.cell.network(inputSize: 5, hiddenSize: hidden, directions: directions)
    for (name, shape) in encoder.tensors { add("encoder.\(name)", shape) }
    add("bridge.weight", [2 * hidden, encoded])
    add("words.weight", [size, 5], scale: 2)
    let attendsBefore = kind.attention != nil && kind.hasFeedback
    let attendsBehind = kind.attention != nil && !kind.hasFeedback
    let read =
      5 + encoded + (kind.hasFeedback ? hidden : 0) + (attendsBefore ? encoded : 0)
    let decoder = kind.cell.network(inputSize: read, hiddenSize: hidden, directions: 1)
    for (name, shape) in decoder.tensors { add("decoder.\(name)", shape) }
    add("head.weight", [size, hidden + (attendsBehind ? encoded : 0)], scale: 3)
    add("keys.weight", [hidden, encoded])
    switch kind.attention {
    case .additive: add("attention.weight", [hidden], scale: 3)
    case .bilinear: add("attention.weight", [hidden, hidden], scale: 2)
    case .dot, nil: break
    }
    typealias Decoder = ModelDescription.Decoder
    var inputs: [Decoder.Input] = [
      .init(name: "start", source: .encoder("bridge")),
      .init(name: "word", source: .tokens(size: size, vocabulary: kind.vocabulary)),
      .init(name: "context", source: .encoder("encoder.hidden")),
    ]
    if kind.hasFeedback {
      inputs.append(
        .init(name: "before", source: .feedback(of: "decoder", first: .zeros(size: hidden))))
    }
    var nodes: [ModelDescription.Node] = [
      .init(name: "words", op: .embedding, inputs: ["word"]),
      .init(
        name: "read", op: .concat,
        inputs: ["words", "context"] + (kind.hasFeedback ? ["before"] : [])
          + (attendsBefore ? ["attention"] : [])),
      .init(name: "decoder", op: kind.cell.op, inputs: ["read", "start"]),
      .init(name: "head", op: .linear, inputs: [attendsBehind ? "both" : "decoder"]),
    ]
    if let score = kind.attention {
      inputs += [
        .init(name: "keys", source: .encoder("keys")),
        .init(name: "steps", source: .encoder("encoder")),
      ]
      nodes.append(
        .init(
          name: "attention", op: .attention(score: score),
          inputs: [attendsBefore ? "before" : "decoder", "keys", "steps"]))
      if attendsBehind {
        nodes.append(.init(name: "both", op: .concat, inputs: ["decoder", "attention"]))
      }
    }
    let output: String
    switch kind.scores {
    case .logits: output = "head"
    case .logarithms:
      output = "next"
      nodes.append(.init(name: output, op: .logSoftmax, inputs: ["head"]))
    case .probabilities:
      output = "next"
      nodes.append(.init(name: output, op: .softmax, inputs: ["head"]))
    }
    return try Model(
      description: ModelDescription(
        name: name, version: "1",
        inputs: [.init(name: "letter", kind: .tokens(size: 7, vocabulary: nil))],
        nodes: [
          .init(name: "letters", op: .embedding, inputs: ["letter"]),
          .init(name: "encoder", op: kind.cell.op, inputs: ["letters"]),
          .init(name: "bridge", op: .linear, inputs: ["encoder.hidden"]),
        ]
          + (kind.attention == nil
            ? [] : [.init(name: "keys", op: .linear, inputs: ["encoder"])]),
        outputs: [],
        decoder: Decoder(
          inputs: inputs, nodes: nodes, outputs: [.init(name: output)],
          start: .id(size - 1), end: [.id(0)], maxSteps: kind.maxSteps, separator: kind.separator)),
      tensors: TensorFile(bytes: TensorFile.serialize(tensors)))
  }
}

extension ModelGraph {
  /// What the decoder makes of a sequence, alone and without an engine; and the tokens as they became certain.
  package func decode(
    _ sequence: InputSequence, _ decoding: Decoding
  ) throws -> (answer: [DecodedSequence]?, tokens: [Int32]) {
    var search = TokenSearch(decoder!, decoding, values: decodedValues(of: sequence))
    var turn = DecoderTurn(decoder!)
    var tokens: [Int32] = []
    while !search.isDone {
      turn.add(search, seat: 0)
      turn.compute()
      search.advance(0, of: turn)
      turn.clear()
      tokens += search.reportCertainTokens()
    }
    return (search.isNotFinite ? nil : search.answer, tokens)
  }

  /// What the decoder reads of a sequence.
  package func decodedValues(of sequence: InputSequence) -> [[Float]] {
    var (states, workspace) = (SeatStates(graph: self), Workspace(graph: self))
    forward(
      [
        TurnRider(
          input: sequence, steps: 0..<sequence.stepCount, position: 0, finishes: true,
          selection: .last, seat: 0)
      ], states: &states, workspace: &workspace)
    return model.decoded.indices.map {
      Array(workspace.values(ofOutput: model.outputs.count + $0, rider: 0))
    }
  }
}
