import Inference

/// Why the inputs or options of a request do not fit its model. Cases carry facts; `sentence` words them.
package enum InputsError: Error, Equatable, Sendable {
  /// More than a limit allows; `setting` is the limit's name in the settings.
  case tooMany(Countable, path: String, found: Int, limit: Int, setting: String)
  /// A number that is not a token id, a whole number from 0 to `size` - 1.
  case tokenRange(path: String, found: Float, size: Int)
  /// A number that is whole only when rounded to a float.
  case roundedToken(path: String, near: Float, size: Int)
  /// A place in a text, the character's, at which no entry of the model's vocabulary matches.
  case unknownCharacter(path: String, character: String, position: Int)
  /// Text for a model that has no vocabulary.
  case noVocabulary(path: String)
  /// More tokens than the model's decoder makes.
  case tooManyTokens(path: String, found: Int, limit: Int, model: String)
  /// An input with another number of sequences than the inputs before it; nil is one sequence outside an array.
  case sequenceCounts(path: String, found: Int?, expected: Int?)
  /// A sequence of an input with another number of steps than the same sequence of another input.
  case stepCounts(path: String, found: Int, other: String, expected: Int)
  /// A sequence that does not fit the model's inputs.
  case input(path: String, InputError)
  /// `horizon` with "all" at `path`, which is `outputs` or one of its members.
  case allWithHorizon(path: String)
  /// "all" of a model that answers only once a sequence or, with a name, of an output that does.
  case notEveryStep(model: String, output: String?)

  /// Less than a whole sequence for an output that is decoded over all its steps: "last" at `outputs`, or a sequence that
  /// continues a state.
  case decodedWhole(path: String, output: String, decoder: String)
  /// "last" of an output that is compared with its input over all steps.
  case erredWhole(output: String)
  /// "last" of a model with a decoder, which answers all tokens.
  case wholeAnswer(path: String, model: String)
  /// A member of the answer that this model never has.
  case notAnswered(path: String, member: String, model: String)

  /// What a limit counts.
  package enum Countable: String, Sendable {
    case sequences, steps
  }
}

extension InputsError: FaultSource {
  package var kind: Fault.Kind { .badRequest }

  package var parameter: String? {
    switch self {
    case .tooMany(_, let path, _, _, _), .input(let path, _), .notAnswered(let path, _, _),
      .tooManyTokens(let path, _, _, _), .wholeAnswer(let path, _):
      path
    case .tokenRange, .roundedToken, .unknownCharacter, .noVocabulary, .sequenceCounts, .stepCounts,
      .allWithHorizon, .notEveryStep, .decodedWhole, .erredWhole:
      nil
    }
  }

  package var sentence: String {
    switch self {
    case .tooMany(let what, let path, let found, let limit, let setting):
      "\(shortened(path)) has \(found) \(what.rawValue), at most \(limit) are allowed (\(setting))"
    case .tokenRange(let path, let found, let size):
      "\(shortened(path)): found \(plain(found.decimal)), expected a token id, a whole number from 0 to \(size - 1)"
    case .roundedToken(let path, let near, let size):
      "\(shortened(path)): found a number near \(plain(near.decimal)), expected a token id, a whole number from 0 to \(size - 1)"
    case .unknownCharacter(let path, let character, let position):
      "\(shortened(path)): no entry of the model's vocabulary matches at character \(position), \(quoted(character))"
    case .noVocabulary(let path):
      "\(shortened(path)): found text, expected token ids, as the model has no vocabulary"
    case .tooManyTokens(let path, let found, let limit, let model):
      "\(path): found \(found), at most \(limit) are what the decoder of model \(quoted(model)) comes to (max_steps in its model.json)"
    case .sequenceCounts(let path, let found, let expected):
      "\(shortened(path)) holds \(count(found)), expected \(count(expected)) like the inputs before it"
    case .stepCounts(let path, let found, let other, let expected):
      "\(shortened(path)): found \(found) \(found == 1 ? "step" : "steps"), expected \(expected) like \(shortened(other))"
    case .input(let path, let error): "\(shortened(path)): \(error)"
    case .allWithHorizon(let path):
      "\(path): found \"all\" beside horizon, expected \"last\" or nothing"
    case .notEveryStep(let model, nil):
      "outputs: model \(quoted(model)) answers once a sequence, expected \"last\""
    case .notEveryStep(let model, let output?):
      "outputs.\(output): model \(quoted(model)) answers this output once a sequence, expected \"last\""
    case .decodedWhole(let path, let output, let decoder):
      "\(path): the labels of output \(quoted(output)) depend on all steps of a sequence (\(decoder)), expected "
        + (path == "outputs" ? "\"all\"" : "whole sequences")
        + ", or \"answer\": [\"outputs\"], which leaves labels and scores out"
    case .erredWhole(let output):
      "outputs: the errors of output \(quoted(output)) depend on all steps of a sequence, expected \"all\", or \"answer\": [\"outputs\"], which leaves them out"
    case .wholeAnswer(let path, let model):
      "\(path): found \"last\", expected \"all\", which adds the scores of each step, or nothing: model \(quoted(model)) answers all tokens of its decoder"
    case .notAnswered(let path, let member, let model):
      "\(path): found \(quoted(member)), which answers of model \(quoted(model)) do not have"
    }
  }
}

private func count(_ sequences: Int?) -> String {
  switch sequences {
  case nil: "one sequence"
  case 1: "an array of 1 sequence"
  case let count?: "an array of \(count) sequences"
  }
}
