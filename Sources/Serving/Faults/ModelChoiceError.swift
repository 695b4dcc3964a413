/// Why no model, or not the one named, can answer a request. Cases carry facts; `sentence` words them.
package enum ModelChoiceError: Error, Equatable, Sendable {
  case noSuchModel(name: String, known: [String])
  /// The path and the body name different models.
  case otherModel(inPath: String, inBody: String)
  case noModels
  /// A model that the client's access token does not allow.
  case notAllowed(name: String, token: String)
  /// A horizon for a model that does not forecast its own input.
  case notForecaster(model: String, ForecastGap)
  /// A text to continue, for a model that continues none; `known` are the models that do.
  case notGenerator(model: String, ForecastGap, known: [String])
  /// A prediction with a number that is not finite.
  case outputNotFinite(model: String, output: String)
  /// A member of the body that is only of use for models with a decoder.
  case noDecoder(model: String, member: String)
}

extension ModelChoiceError: FaultSource {
  package var kind: Fault.Kind {
    switch self {
    case .noSuchModel, .noModels: .notFound
    case .notAllowed: .forbidden
    case .otherModel, .notForecaster, .notGenerator, .noDecoder: .badRequest
    case .outputNotFinite: .unprocessable
    }
  }

  package var parameter: String? {
    switch self {
    case .noSuchModel, .notAllowed: "model"
    case .noDecoder(_, let member): member
    case .otherModel, .noModels, .notForecaster, .notGenerator, .outputNotFinite: nil
    }
  }

  package var sentence: String {
    switch self {
    case .noSuchModel(let name, let known):
      "there is no model \(quoted(name)), expected \(list(known, "or"))"
    case .otherModel(let inPath, let inBody):
      "the body asks for model \(quoted(inBody)), the path for \(quoted(inPath))"
    case .notAllowed(let name, let token):
      "the token \(quoted(token)) is not for the model \(quoted(name))"
    case .noModels: "the server holds no models"
    case .notForecaster(let model, let gap):
      "horizon: model \(quoted(model)) does not forecast its own input, so it has no horizon: \(gap.phrase)"
    case .notGenerator(let model, let gap, let known):
      "model \(quoted(model)) does not continue text, "
        + (known.isEmpty ? "and no model here does" : "expected \(list(known, "or"))")
        + ": \(gap.phrase)"
    case .noDecoder(let model, let member):
      "\(member): model \(quoted(model)) has no decoder, whose tokens this would be about"
    case .outputNotFinite(let model, let output):
      "model \(quoted(model)) has no finite answer to these inputs: a number in its output \(quoted(output)) is NaN or beyond the range of a 32-bit float"
    }
  }
}

extension ForecastGap {
  package var phrase: String {
    switch self {
    case .undeclared(let output, let input):
      "no output in its model.json has \"forecasts\"; if \(quoted(output)) is what follows \(quoted(input)), in its units, say {\"name\": \(quoted(output)), \"forecasts\": \(quoted(input))}"
    case .noOutput(let size):
      "no output has a multiple of the input's \(counted(size, "element"))"
    case .inputs(let names):
      "it has \(counted(names.count, "input")), \(list(names, "and")), expected one, which is the one that it foretells"
    case .otherKind(let input, isTokens: true):
      "its input \(quoted(input)) is tokens, expected features; POST /generate continues tokens"
    case .otherKind(let input, isTokens: false):
      "its input \(quoted(input)) is features, expected tokens; \"horizon\" of POST /predict forecasts features"
    }
  }
}
