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
    package var maxSteps = 12
    package var seed: UInt64 = 1

    package init() {}

    package init(_ change: (inout Translator) -> Void) { change(&self) }

    package var description: String {
      "\(size) \(scores) of \(cell.rawValue), \(isBidirectional) \(hasFeedback) \(seed)"
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
    let read = 5 + encoded + (kind.hasFeedback ? hidden : 0)
    let decoder = kind.cell.network(inputSize: read, hiddenSize: hidden, directions: 1)
    for (name, shape) in decoder.tensors { add("decoder.\(name)", shape) }
    add("head.weight", [size, hidden], scale: 3)
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
        inputs: ["words", "context"] + (kind.hasFeedback ? ["before"] : [])),
      .init(name: "decoder", op: kind.cell.op, inputs: ["read", "start"]),
      .init(name: "head", op: .linear, inputs: ["decoder"]),
    ]
    switch kind.scores {
    case .logits: break
    case .logarithms: nodes.append(.init(name: "next", op: .logSoftmax, inputs: ["head"]))
    case .probabilities: nodes.append(.init(name: "next", op: .softmax, inputs: ["head"]))
    }
    return try Model(
      description: ModelDescription(
        name: name, version: "1",
        inputs: [.init(name: "letter", kind: .tokens(size: 7, vocabulary: nil))],
        nodes: [
          .init(name: "letters", op: .embedding, inputs: ["letter"]),
          .init(name: "encoder", op: kind.cell.op, inputs: ["letters"]),
          .init(name: "bridge", op: .linear, inputs: ["encoder.hidden"]),
        ], outputs: [],
        decoder: Decoder(
          inputs: inputs, nodes: nodes, outputs: [.init(name: nodes.last!.name)],
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
    var (states, workspace) = (
      SeatStates(graph: decoder!.graph), Workspace(graph: decoder!.graph)
    )
    var tokens: [Int32] = []
    while !search.isDone {
      decoder!.graph.forward(search.riders(seat: 0), states: &states, workspace: &workspace)
      search.advance(rider: 0, seat: 0, from: workspace, states: states)
      tokens += search.takeTokens()
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
