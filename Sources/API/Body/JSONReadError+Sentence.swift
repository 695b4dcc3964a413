import JSON
import Serving

extension JSONReadError {
  /// One sentence that names the field, what was found and what was expected.
  var sentence: String {
    switch self {
    case .empty: "the body is empty, expected a JSON object: \(bodyExample)"
    case .invalidUTF8: notAnObject("it is not valid UTF-8")
    case .controlCharacter:
      notAnObject("a string holds a control character that is not escaped")
    case .incomplete(let offset): notAnObject("it ends early, at byte \(offset)")
    case .syntax(let offset, let path, let found):
      notAnObject(
        "unexpected \(name(ofSyntax: found)) at byte \(offset)"
          + (path.isEmpty ? "" : ", in \(shortened(path))") + python(found))
    case .trailing(let offset, let found):
      notAnObject("\(name(ofSyntax: found)) follows its end, at byte \(offset)")
    case .notObject(let found):
      notAnObject("it starts with \(name(ofSyntax: found)), expected \(bodyExample)")
    case .tooDeep(let path, let limit):
      "\(shortened(path)): arrays and objects nest deeper than \(limit) levels"
    case .notFinite(let path, let found) where path == "horizon" || path == "options.horizon":
      "\(path): found \(shortened(found)), expected a whole number of steps"
    case .notFinite(let path, let found) where found.lowercased().contains("n"):
      "\(shortened(path)): found \(shortened(found)), expected a finite number, JSON has no \(shortened(found))"
    case .notFinite(let path, let found):
      "\(shortened(path)): found \(shortened(found)), expected a number within the range of a 32-bit float"
    case .mixed(let path, let found):
      "\(shortened(path)): found \(name(ofToken: found)), expected a number like the elements before it"
    case .outOfMemory: "the body is larger than memory allows"
    }
  }

  /// The member at fault; nil where the fault is not in a member.
  var path: String? {
    switch self {
    case .tooDeep(let path, _), .notFinite(let path, _), .mixed(let path, _): path
    case .empty, .outOfMemory, .invalidUTF8, .controlCharacter, .incomplete, .syntax, .trailing,
      .notObject:
      nil
    }
  }
}

func notAnObject(_ reason: String) -> String { "the body is not a JSON object: \(reason)" }

/// The hint for a token that is Python's and not JSON; empty for other tokens.
private func python(_ found: String) -> String {
  switch found {
  case "True", "False": ", expected \(found.lowercased())"
  case "None": ", expected null"
  case _ where found.hasPrefix("'"): ", expected double quotes"
  default: ""
  }
}

/// The kind of value that a well-formed token begins, as a phrase.
private func name(ofToken token: String) -> String {
  switch token.first {
  case "[": "an array"
  case "{": "an object"
  case "\"": "the string \(name(ofSyntax: token))"
  default: shortened(token)
  }
}

/// A token in quotes. A string has quotes already, though the last may be missing.
private func name(ofSyntax token: String) -> String {
  token.hasPrefix("\"") ? shortened(token) : quoted(token)
}
