import JSON

// What is wrong with a body that is not read, and with a model that is asked for what it does not do, as parts of sentences.

extension APIError.JSONFlaw {
  var phrase: String {
    switch self {
    case .invalidUTF8: "it is not valid UTF-8"
    case .controlCharacter: "a string holds a control character that is not escaped"
    case .incomplete(let offset): "it ends early, at byte \(offset)"
    case .syntax(let offset, let path, let found):
      "unexpected \(name(ofSyntax: found)) at byte \(offset)"
        + (path.isEmpty ? "" : ", in \(shortened(path))") + python(found)
    case .trailing(let offset, let found):
      "\(name(ofSyntax: found)) follows its end, at byte \(offset)"
    case .notObject(let found):
      "it starts with \(name(ofSyntax: found)), expected \(bodyExample)"
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

/// The bodies of predictions and of texts.
let bodyExample =
  #"{"inputs": …} or, to continue a text, {"prompt": …}"#

/// What JSON has in the place of what Python writes.
private func python(_ found: String) -> String {
  switch found {
  case "True", "False": ", expected \(found.lowercased())"
  case "None": ", expected null"
  case _ where found.hasPrefix("'"): ", expected double quotes"
  default: ""
  }
}

extension ForecastGap {
  var phrase: String {
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
