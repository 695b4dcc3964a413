import Inference
import JSON
import ModelFormat
import Serving

extension GenerationQuestion {
  private static let members = [
    "prompt", "model", "max_steps", "temperature", "top_k", "top_p", "seed", "stop", "stream",
    "timeout_ms", "beam", "length_penalty",
  ]

  /// Decodes the body of `POST /generate`; `name` is the model in the path, if the path names one.
  init(
    _ document: JSONDocument, name: String?, models: ModelSnapshot, limits: QuestionLimits
  ) throws(Fault) {
    let members = try BodyMembers(Self.members, others: .refused, of: document)
    let model = try members.model(path: name, models: models)
    if let decoder = model.graph.decoder {
      try self.init(document, members, to: model, decoder: decoder, limits: limits)
      return
    }
    for name in ["beam", "length_penalty"] where members[name] != nil {
      throw Fault(ModelChoiceError.noDecoder(model: model.name, member: name))
    }
    guard let (_, input, _) = model.graph.generation else {
      throw Fault(
        ModelChoiceError.notGenerator(
          model: model.name, ForecastGap(in: model, ofTokens: true),
          known: models.models.filter {
            $0.graph.generation != nil || $0.graph.decoder != nil
          }.map(\.name)))
    }
    let size = model.inputs[input].kind.size
    let limit = limits.maxGenerationSteps
    let maxSteps =
      try members["max_steps"].map { (node) throws(Fault) in
        try document.stepCount(
          node, path: "max_steps", limit: limit, setting: "max_generation_steps")
      } ?? Swift.min(Self.defaultSteps, limit)
    let sampling = try members.sampling(tokens: size, temperature: 1)
    let streams = try members.boolean("stream") ?? false
    let timeout = try members.timeout()
    let prompt = try InputDecoder(document: document, model: model, limits: limits)
      .decodeOne(try members.node("prompt"), called: "prompt")
    do { try prompt.checkLength(with: maxSteps, for: model.graph.model) } catch {
      throw Fault(InputsError.input(path: "max_steps", error))
    }
    let stop = try members.stop(of: model.vocabularies[input] != nil, size: size)
    self.init(
      model: model, prompt: prompt, maxSteps: maxSteps, choice: .sampling(sampling), stop: stop,
      streams: streams, timeout: timeout)
  }

  /// Decodes a request to a model with a decoder, whose `prompt` is the encoder's input.
  private init(
    _ document: JSONDocument, _ members: BodyMembers, to model: ServedModel, decoder: DecoderGraph,
    limits: QuestionLimits
  ) throws(Fault) {
    let decoding = try members.decoding(
      of: model, names: Self.members, limits: limits, returnsSteps: false)?.0
    guard let decoding else { preconditionFailure("a decoder without a decoding") }
    let streams = try members.boolean("stream") ?? false
    let timeout = try members.timeout()
    let prompt = try InputDecoder(document: document, model: model, limits: limits)
      .decodeOne(try members.node("prompt"), called: "prompt")
    let stop = try members.stop(
      of: decoder.decoder.vocabulary != nil, size: decoder.scoreCount)
    self.init(
      model: model, prompt: prompt, maxSteps: decoding.maxSteps, choice: decoding.choice,
      stop: stop, streams: streams, timeout: timeout)
  }
}

extension BodyMembers {
  /// The value of `stop`: texts for a model that writes text, else token ids.
  fileprivate func stop(
    of writesText: Bool, size: Int
  ) throws(Fault) -> GenerationQuestion.Stop {
    guard let node = self["stop"],
      document.kind(node) != .array || document.count(node) > 0
    else {
      return writesText ? .texts([]) : .tokens([])
    }
    guard writesText else {
      guard document.kind(node) == .numbers else {
        throw Fault(
          BodyError.unexpected(
            path: "stop", found: document.found(node), expected: .tokens(orText: false)))
      }
      var ids: Set<Int32> = []
      for (index, value) in document.numbers[document.range(node)].enumerated() {
        guard value >= 0, value < Float(size), let id = Int32(exactly: value) else {
          throw Fault(InputsError.tokenRange(path: "stop[\(index)]", found: value, size: size))
        }
        ids.insert(id)
      }
      try document.checkTokens(node, InputPath("stop"), size: size)
      return .tokens(ids)
    }
    switch document.kind(node) {
    case .string: return .texts([try stopText(node, "stop")])
    case .array where (1...GenerationQuestion.maxStops).contains(document.count(node)):
      var texts: [String] = []
      var element = node + 1
      for index in 0..<document.count(node) {
        texts.append(try stopText(element, "stop[\(index)]"))
        element = document.next(element)
      }
      return .texts(texts)
    case .null, .false, .true, .number, .numbers, .array, .object:
      throw Fault(BodyError.unexpected(path: "stop", found: document.found(node), expected: .stops))
    }
  }

  private func stopText(_ node: Int, _ path: String) throws(Fault) -> String {
    guard document.kind(node) == .string,
      (1...GenerationQuestion.maxStopBytes).contains(document.count(node))
    else {
      throw Fault(BodyError.unexpected(path: path, found: document.found(node), expected: .stops))
    }
    return document.string(node)
  }
}
