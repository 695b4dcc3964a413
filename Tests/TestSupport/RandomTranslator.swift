import Inference
import ModelFormat

/// A sequence-to-sequence model of random parts: an encoder, and a decoder that starts from its states, reads what it was at the step
/// before, and attends to some of the encoder's sequences, under masks or not.
package struct RandomTranslator {
  package let model: Model
  private var noise: Noise

  package init(seed: UInt64) throws {
    var maker = Maker(noise: Noise(seed: seed))
    model = try maker.make()
    noise = maker.noise
  }

  /// A sequence of `steps` random steps for the model.
  package mutating func sequence(steps: Int) throws -> InputSequence {
    try noise.sequence(for: model, steps: steps)
  }

  private struct Value {
    let name: String
    let size: Int
    /// Which steps it has; nil of a vector.
    var steps: String?
  }

  private struct Maker {
    var noise: Noise
    var tensors: [(name: String, shape: [Int], floats: [Float])] = []
    var encoder: [ModelDescription.Node] = []
    var inputs: [ModelDescription.Decoder.Input] = []
    var nodes: [ModelDescription.Node] = []
    /// What the encoder offers.
    var sequences: [Value] = []
    var vectors: [Value] = []
    /// Tokens that the decoder chooses from: the first ends a sequence, the last begins it.
    var size = 0

    mutating func number(_ range: ClosedRange<Int>) -> Int { .random(in: range, using: &noise) }
    mutating func chance(_ one: Int) -> Bool { number(1...one) == 1 }
    mutating func tensor(_ name: String, _ shape: [Int], scale: Float = 0.7) {
      tensors.append((name, shape, noise.floats(shape.reduce(1, *), scale: scale)))
    }

    mutating func make() throws -> Model {
      let letters = number(3...8)
      size = number(3...9)
      makeEncoder(letters)
      let output = makeDecoder()
      return try Model(
        description: ModelDescription(
          name: "translator", version: "1",
          inputs: [.init(name: "letter", kind: .tokens(size: letters, vocabulary: nil))],
          nodes: encoder, outputs: [],
          decoder: ModelDescription.Decoder(
            inputs: inputs, nodes: nodes, outputs: [.init(name: output)], start: .id(size - 1),
            end: [.id(0)], maxSteps: 10)),
        tensors: TensorFile(bytes: TensorFile.serialize(tensors)))
    }

    // MARK: - Encoder

    mutating func makeEncoder(_ letters: Int) {
      let width = number(2...6)
      tensor("letters.weight", [letters, width], scale: 2)
      encoder.append(.init(name: "letters", op: .embedding, inputs: ["letter"]))
      let directions = number(1...2)
      let network = RandomNetwork(
        noise.recurrentOp(directions: directions), inputSize: width, hiddenSize: number(3...9),
        directions: directions)
      for (name, shape) in network.tensors { tensor("encoder.\(name)", shape) }
      var mask: String?
      if chance(3) {
        mask = "known"
        encoder.append(.init(name: "known", op: .mask(), inputs: ["letter"]))
      }
      encoder.append(.init(name: "encoder", op: network.op, inputs: ["letters"], mask: mask))
      let states = directions * network.outputSize
      sequences = [
        Value(name: "encoder", size: states, steps: "letter"),
        Value(name: "letters", size: width, steps: "letter"),
      ]
      vectors = [Value(name: "encoder.hidden", size: states)]
    }

    /// A sequence for the decoder to attend to: of the encoder's, or fewer steps made of them.
    mutating func source(_ name: String) -> Value {
      let given = sequences.randomElement(using: &noise)!
      switch number(0...2) {
      case 0: return given
      case 1:
        let size = number(2...6)
        tensor("\(name).weight", [size, given.size])
        encoder.append(.init(name: name, op: .linear, inputs: [given.name]))
        return Value(name: name, size: size, steps: given.steps)
      default:
        let size = number(2...6)
        tensor("\(name).weight", [size, given.size, 3])
        encoder.append(
          .init(name: name, op: .conv(padding: .same, stride: 2), inputs: [given.name]))
        return Value(name: name, size: size, steps: name)
      }
    }

    // MARK: - Decoder

    mutating func read(_ value: Value, as name: String) -> String {
      inputs.append(.init(name: name, source: .encoder(value.name)))
      return name
    }

    mutating func linear(_ name: String, _ given: String, from: Int, to: Int, scale: Float = 0.7) {
      tensor("\(name).weight", [to, from], scale: scale)
      nodes.append(.init(name: name, op: .linear, inputs: [given]))
    }

    /// A context for a query, and its size.
    mutating func attention(_ name: String, _ query: String, size: Int) -> Int {
      let keys = source("\(name)_k")
      let keyName = read(keys, as: "\(name)_keys")
      let score: AttentionOp.Score = [.dot, .additive, .bilinear].randomElement(using: &noise)!
      var query = query
      if score != .bilinear, size != keys.size {
        linear("\(name)_q", query, from: size, to: keys.size)
        query = "\(name)_q"
      }
      switch score {
      case .dot: break
      case .additive: tensor("\(name).weight", [keys.size], scale: 2)
      case .bilinear: tensor("\(name).weight", [size, keys.size])
      }
      var arguments: [String?] = [query, keyName]
      var (valueSize, mask) = (keys.size, String?.none)
      if keys.steps == "letter", chance(2) {
        let values = sequences.randomElement(using: &noise)!
        arguments.append(read(values, as: "\(name)_values"))
        valueSize = values.size
      }
      if keys.steps == "letter", chance(2) {
        encoder.append(.init(name: "\(name)_m", op: .mask(value: 1), inputs: ["letter"]))
        mask = read(Value(name: "\(name)_m", size: 1), as: "\(name)_mask")
      } else if chance(3) {
        // Read at each step anew, and turned round: attention is not all that goes over it.
        nodes.append(.init(name: "\(name)_back", op: .reverse, inputs: [keyName]))
        arguments[1] = "\(name)_back"
      }
      nodes.append(
        .init(
          name: name, op: .attention(score: score, scale: 0.5), inputs: arguments, mask: mask))
      return valueSize
    }

    /// Returns the name of the scores.
    mutating func makeDecoder() -> String {
      let width = number(2...6)
      inputs.append(.init(name: "word", source: .tokens(size: size, vocabulary: nil)))
      tensor("words.weight", [size, width], scale: 2)
      nodes.append(.init(name: "words", op: .embedding, inputs: ["word"]))
      var op = noise.recurrentOp(directions: 1)
      while (op.definition as? any RecurrentOp)?.direction != nil {
        op = noise.recurrentOp(directions: 1)
      }
      let (hidden, layers) = (number(3...9), number(1...2))
      var parts = [Value(name: "words", size: width)]
      if chance(2) { parts.append(context("context")) }
      if chance(2) {
        inputs.append(
          .init(name: "before", source: .feedback(of: "decoder", first: .zeros(size: hidden))))
        parts.append(Value(name: "before", size: hidden))
        if chance(2) {
          let size = attention("earlier", "before", size: hidden)
          parts.append(Value(name: "earlier", size: size))
        }
      }
      if parts.count > 1 {
        nodes.append(.init(name: "read", op: .concat, inputs: parts.map { $0.name }))
      }
      let network = RandomNetwork(
        op, inputSize: parts.reduce(0) { $0 + $1.size }, hiddenSize: hidden, layers: layers)
      for (name, shape) in network.tensors { tensor("decoder.\(name)", shape) }
      // The encoder's last state leads to all that it starts from.
      let start = vectors[0]
      tensor("start.weight", [layers * hidden, start.size])
      encoder.append(.init(name: "start", op: .linear, inputs: [start.name]))
      let from = read(Value(name: "start", size: layers * hidden), as: "h0")
      nodes.append(
        .init(name: "decoder", op: op, inputs: [parts.count > 1 ? "read" : "words", from]))
      var behind = [Value(name: "decoder", size: hidden)]
      for index in 0..<number(0...2) {
        let size = attention("later\(index)", "decoder", size: hidden)
        behind.append(Value(name: "later\(index)", size: size))
      }
      if behind.count > 1 {
        nodes.append(.init(name: "both", op: .concat, inputs: behind.map { $0.name }))
      }
      linear(
        "head", behind.count > 1 ? "both" : "decoder", from: behind.reduce(0) { $0 + $1.size },
        to: size, scale: 3)
      guard
        let last: ModelDescription.Op = [nil, .logSoftmax, .softmax].randomElement(using: &noise)!
      else { return "head" }
      nodes.append(.init(name: "next", op: last, inputs: ["head"]))
      return "next"
    }

    /// A vector that stands at each step.
    mutating func context(_ name: String) -> Value {
      let given = sequences.randomElement(using: &noise)!
      let op: ModelDescription.Op = [.mean, .max, .last].randomElement(using: &noise)!
      encoder.append(.init(name: name, op: op, inputs: [given.name]))
      return Value(
        name: read(Value(name: name, size: given.size), as: "\(name)_in"), size: given.size)
    }
  }
}
