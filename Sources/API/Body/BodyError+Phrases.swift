import JSON
import Serving

// The parts of error sentences that say what a body or member is, and what was expected.

extension BodyError.OtherFormat {
  var phrase: String {
    switch self {
    case .otherUnicode: "it looks like UTF-16, expected UTF-8"
    case .byteOrderMark: "it starts with a byte order mark, expected {"
    case .gzip: "it is compressed with gzip, expected that to stand in content-encoding"
    case .form:
      "it is a form of several parts, as curl -F sends, expected the JSON alone, as curl -d @FILE sends"
    case .foreign(let file): "it is \(file.bodyDescription)"
    case .binary(let head):
      "it is no text but starts with the bytes \(head.hexadecimal(separator: " ", uppercase: true)), expected {"
    }
  }
}

/// Example bodies of a prediction and of a text, for error sentences.
let bodyExample =
  #"{"inputs": …} or, to continue a text, {"prompt": …}"#

extension BodyError.Expectation {
  var phrase: String {
    switch self {
    case .number: "a number"
    case .numbers(let count): arrayOfNumbers(count)
    case .integer(let range): "a whole number from \(range.lowerBound) to \(range.upperBound)"
    case .range(let range): "a number from \(plain(range.lowerBound)) to \(plain(range.upperBound))"
    case .probability: "a number above 0 and up to 1"
    case .string: "a string"
    case .oneOf(let values): list(values.map { "\"\($0)\"" }, "or")
    case .members(let values):
      "an array of one or more of \(list(values.map { "\"\($0)\"" }, "and"))"
    case .steps(let names):
      "\"last\", \"all\" or an object with one of these by the output's name (\(list(names, "and")))"
    case .vectors(let size): "an array of steps of \(size) numbers each"
    case .flat: "an array of numbers, one a step"
    case .tokens(orText: true): "text, or an array of token ids"
    case .tokens(orText: false): "an array of token ids"
    case .character: "at least one character"
    case .object(let names): "an object with the members \(list(names, "and"))"
    case .objects(let names): "an array of objects with the members \(list(names, "and"))"
    case .seriesType(let type, 1): "\(quoted(type)), as a step of the model is one number"
    case .seriesType(let type, let size):
      "\(quoted(type)), as a step of the model is \(size) numbers"
    case .timestamp:
      "a date and time of ISO 8601 such as \"2025-06-05T13:10:00Z\", \"2025-06-05T13:10:00\" or \"2025-06-05\""
    case .levels: "an array of numbers or null"
    case .emptyOrNull: "an empty array or null"
    case .element: "at least one element"
    case .states(nil): "a state (a string) or null"
    case .states(let count?):
      "an array of \(count) \(count == 1 ? "state" : "states") (each a string or null), one a sequence"
    case .returnState: "true, false, \"f32\" or \"f16\""
    case .boolean: "true or false"
    case .sessions(nil): #"a session (its id, or {"id": …}) or null"#
    case .sessions(let count?):
      "an array of \(count) \(count == 1 ? "session" : "sessions") (each an id, {\"id\": …} or null), one a sequence"
    case .stops:
      "a text of 1 to \(GenerationQuestion.maxStopBytes) bytes, or an array of 1 to \(GenerationQuestion.maxStops) of them"
    case .sessionID:
      "an id of 1 to \(SessionUse.maxIDLength) letters, digits and -._~:"
    }
  }
}

extension JSONDocument.Found {
  var phrase: String {
    switch self {
    case .null: "null"
    case .boolean(let value): "\(value)"
    case .number(let value): "the number \(plain(value))"
    case .largeNumber(let digits): "the number \(digits)"
    case .string(let value): "the string \(quoted(value))"
    case .numbers(let count): arrayOfNumbers(count)
    case .array(0): "an empty array"
    case .array: "an array"
    case .object: "an object"
    }
  }
}

func arrayOfNumbers(_ count: Int) -> String {
  count == 1 ? "an array of 1 number" : "an array of \(count) numbers"
}
