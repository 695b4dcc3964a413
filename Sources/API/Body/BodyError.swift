import JSON
import ModelFormat
import Serving

/// Why a body is no object of JSON with the members that it should have. Cases carry facts; `sentence` words them.
enum BodyError: Error, Equatable, Sendable {
  case empty
  case notJSON(JSONFlaw)
  case tooDeep(path: String, limit: Int)
  /// NaN, an infinity, or a number beyond the range of a float.
  case notFinite(path: String, found: String)
  /// Something else among the numbers of an array.
  case mixed(path: String, found: String)
  case outOfMemory
  /// A member that has to be there; `others` are some that are beside where it should be and that nothing reads.
  case missing(path: String, others: [String] = [])
  /// A member of `path` (of the body where that is nil) that nothing is called.
  case unknown(String, path: String?, known: [String])
  case duplicate(path: String)
  case unexpected(path: String, found: JSONDocument.Found, expected: Expectation)

  /// What keeps a body from being a JSON object.
  enum JSONFlaw: Equatable, Sendable {
    case invalidUTF8
    case controlCharacter
    /// The text ends inside a string, an array or an object.
    case incomplete(offset: Int)
    case syntax(offset: Int, path: String, found: String)
    case trailing(offset: Int, found: String)
    case notObject(found: String)
    /// The body starts as UTF-16 or UTF-32 does.
    case otherUnicode
    case byteOrderMark
    /// Compressed, though the request does not say so.
    case gzip
    /// A form of several parts, as browsers and `curl -F` send files.
    case form
    /// A file of another format.
    case foreign(ForeignFile)
    /// No text: control characters are among the first bytes.
    case binary(head: [UInt8])
  }

  /// What would have been right.
  enum Expectation: Equatable, Sendable {
    case number
    case numbers(Int)
    /// A whole number within bounds.
    case integer(ClosedRange<UInt64>)
    /// A number within bounds.
    case range(ClosedRange<Double>)
    /// A number above 0 and up to 1.
    case probability
    case string
    case oneOf([String])
    /// What `outputs` may be: steps of all outputs, or of each by name.
    case steps([String])
    /// One sequence for an input of vectors of that size.
    case vectors(Int)
    /// One sequence for an input of single numbers.
    case flat
    /// One sequence for an input of ids, which the model may take as text too.
    case tokens(orText: Bool)
    /// Text of at least one character.
    case character
    /// An object with these members.
    case object([String])
    /// An array of objects with these members.
    case objects([String])
    /// The type of time series that a model takes whose steps are of that size.
    case seriesType(String, size: Int)
    case timestamp
    /// An array without elements, or null.
    case emptyOrNull
    /// At least one element.
    case element
    /// A state or null, or an array of so many.
    case states(Int?)
    /// What `return_state` may be.
    case returnState
    case boolean
    /// A session or null, or an array of so many.
    case sessions(Int?)
    case sessionID
    /// What `stop` may be, of a model that writes text.
    case stops
  }
}

extension Fault {
  static func body(_ error: BodyError) -> Fault {
    Fault(error.kind, error.sentence, parameter: error.parameter)
  }
}

extension BodyError {
  fileprivate var kind: Fault.Kind {
    switch self {
    case .outOfMemory: .internalError
    case .empty, .notJSON, .tooDeep, .notFinite, .mixed, .missing, .unknown, .duplicate,
      .unexpected:
      .badRequest
    }
  }

  /// The member of the body that is at fault, where there is one.
  fileprivate var parameter: String? {
    switch self {
    case .tooDeep(let path, _), .notFinite(let path, _), .mixed(let path, _), .missing(let path, _),
      .duplicate(let path), .unexpected(let path, _, _):
      path
    case .unknown(let name, let path, _):
      (path.map { "\($0)." } ?? "") + name.prefix(maxQuotedCharacters)
    case .empty, .notJSON, .outOfMemory: nil
    }
  }

  /// One sentence that names the field, what was found and what was expected.
  fileprivate var sentence: String {
    switch self {
    case .empty: "the body is empty, expected a JSON object: \(bodyExample)"
    case .notJSON(let flaw): "the body is not a JSON object: \(flaw.phrase)"
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
    case .missing(let path, let others):
      "\(shortened(path)) is missing"
        + (["inputs", "prompt"].contains(path) ? ", expected {\"\(path)\": …}" : "")
        + (others.isEmpty ? "" : "; found \(list(others.map(quoted), "and")), which nothing reads")
    case .unknown(let name, let path, let known):
      (path.map { "\(shortened($0)): " } ?? "")
        + "\(quoted(name)) is not known, expected \(list(known, "or"))"
    case .duplicate(let path): "\(shortened(path)) is given twice"
    case .unexpected(let path, let found, let expected):
      "\(shortened(path)): found \(found.phrase), expected \(expected.phrase)"
    }
  }
}

/// What a token that is well formed begins.
private func name(ofToken token: String) -> String {
  switch token.first {
  case "[": "an array"
  case "{": "an object"
  case "\"": "the string \(name(ofSyntax: token))"
  default: shortened(token)
  }
}

/// A token in quotes, which a string has already, though perhaps not at its end.
func name(ofSyntax token: String) -> String {
  token.hasPrefix("\"") ? shortened(token) : quoted(token)
}
