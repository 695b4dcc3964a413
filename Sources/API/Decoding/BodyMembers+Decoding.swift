import Inference
import JSON
import Serving

/// Reads how a request to a model with a decoder wants its tokens chosen.
extension BodyMembers {
  /// The members that only such a request has.
  static let decodingNames = [
    "max_steps", "beam", "length_penalty", "alternatives", "temperature", "top_k", "top_p", "seed",
  ]

  /// The decoding that the members ask for; nil for a model without a decoder, for which none of them is allowed.
  ///
  /// - Parameter names: the members allowed in this body.
  func decoding(
    of model: ServedModel, names: [String], limits: QuestionLimits, returnsSteps: Bool
  ) throws(Fault) -> (Decoding, answersAlternatives: Bool)? {
    guard let decoder = model.graph.decoder else {
      // By index, as copying the names would change reference counts.
      for index in names.indices where self[names[index]] != nil {
        throw Fault(ModelChoiceError.noDecoder(model: model.name, member: names[index]))
      }
      return nil
    }
    let most = decoder.decoder.maxSteps
    let setting = limits.maxGenerationSteps
    let maxSteps =
      try self["max_steps"].map { (node) throws(Fault) in
        let steps = try document.stepCount(
          node, path: "max_steps", limit: setting, setting: "max_generation_steps")
        guard steps <= most else {
          throw Fault(
            InputsError.tooManyTokens(
              path: "max_steps", found: steps, limit: most, model: model.name)
          )
        }
        return steps
      } ?? Swift.min(most, setting)
    guard let beam = try integer("beam", in: Decoding.widths.unsigned) else {
      for name in ["length_penalty", "alternatives"] where names.contains(name) && self[name] != nil
      {
        throw Fault(BodyError.needs(path: name, other: "beam"))
      }
      return (
        Decoding(
          choice: .sampling(try sampling(tokens: decoder.scoreCount, temperature: 0)),
          maxSteps: maxSteps, returnsSteps: returnsSteps), false
      )
    }
    for name in ["temperature", "top_k", "top_p", "seed"] where self[name] != nil {
      throw Fault(BodyError.excludes(path: name, other: "beam"))
    }
    let penalty = try number("length_penalty", expected: .range(Decoding.lengthPenalties)) {
      Decoding.lengthPenalties.contains($0)
    }
    let alternatives =
      names.contains("alternatives") ? try integer("alternatives", in: 1...beam) : nil
    return (
      Decoding(
        choice: .beam(width: Int(beam), lengthPenalty: penalty ?? 0), maxSteps: maxSteps,
        alternatives: Int(alternatives ?? 1), returnsSteps: returnsSteps), alternatives != nil
    )
  }

  /// Whether `outputs` asks a model with a decoder for the scores of all tokens at each step.
  func stepScores(of model: ServedModel) throws(Fault) -> Bool {
    guard let node = self["outputs"] else { return false }
    let name = model.decoderOutputName
    let found: JSONDocument.Found
    let path: String
    if document.kind(node) == .object {
      let members = try BodyMembers(
        [name], others: .refused, at: node, of: document, path: "outputs")
      guard let node = members[name] else { return false }
      (found, path) = (document.found(node), members.path(of: name))
    } else {
      (found, path) = (document.found(node), "outputs")
    }
    if case .string(Selection.Steps.last.rawValue) = found {
      throw Fault(InputsError.wholeAnswer(path: path, model: model.name))
    }
    guard case .string(Selection.Steps.all.rawValue) = found else {
      throw Fault(
        BodyError.unexpected(
          path: path, found: found, expected: .oneOf([Selection.Steps.all.rawValue])))
    }
    return true
  }

  /// The sampling that `temperature`, `top_k`, `top_p` and `seed` ask for.
  ///
  /// - Parameters:
  ///   - tokens: the number of tokens to draw from.
  ///   - temperature: the temperature if the body gives none.
  func sampling(tokens: Int, temperature fallback: Double) throws(Fault) -> Sampling {
    let temperatures = GenerationQuestion.temperatures
    let temperature = try number("temperature", expected: .range(temperatures)) {
      temperatures.contains($0)
    }
    let topP = try number("top_p", expected: .probability) { $0 > 0 && $0 <= 1 }
    let seed = try integer("seed", in: 0...UInt64.max)
    let topK = try integer("top_k", in: 1...UInt64.max)
    return Sampling(
      temperature: Float(temperature ?? fallback),
      // `top_k` may exceed the number of tokens: all of them may then be drawn.
      topK: topK.map { Int(Swift.min($0, UInt64(tokens))) },
      // A `top_p` that rounds to 0 still allows the likeliest token.
      topP: Swift.max(.leastNormalMagnitude, Float(topP ?? 1)),
      seed: seed ?? UInt64.random(in: GenerationQuestion.drawnSeeds))
  }
}

extension ClosedRange<Int> {
  fileprivate var unsigned: ClosedRange<UInt64> { UInt64(lowerBound)...UInt64(upperBound) }
}
