import JSON
import ModelFormat
import Serving

/// Why a body is not the JSON object that was expected. Cases carry facts; `sentence` words them.
enum BodyError: Error, Equatable, Sendable {
  /// The JSON reader could not read the body.
  case unreadable(JSONReadError)
  /// The body is in another format than JSON.
  case otherFormat(OtherFormat)
  /// A required member is missing; `others` are members in its object that nothing reads.
  case missing(path: String, others: [String] = [])
  /// A member of `path` (of the body where that is nil) has an unknown name.
  case unknown(String, path: String?, known: [String])
  case duplicate(path: String)
  case unexpected(path: String, found: JSONDocument.Found, expected: Expectation)
  /// A member is useless without another.
  case needs(path: String, other: String)
  /// A member excludes another that is present.
  case excludes(path: String, other: String)

  /// The format of a body that is not JSON, by its first bytes.
  enum OtherFormat: Equatable, Sendable {
    /// Text in UTF-16 or UTF-32.
    case otherUnicode
    /// Text after a byte order mark.
    case byteOrderMark
    /// Compressed, though the request does not say so.
    case gzip
    /// A multipart form, as browsers and `curl -F` send files.
    case form
    /// A file of another format.
    case foreign(ForeignFile)
    /// Not text: there are control characters among the first bytes.
    case binary(head: [UInt8])
  }

  /// The value that was expected.
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
    /// An array of some of these strings.
    case members([String])
    /// The values of `outputs`: steps of all outputs, or of each output by name.
    case steps([String])
    /// One sequence for an input of vectors of that size.
    case vectors(Int)
    /// One sequence for an input of single numbers.
    case flat
    /// One sequence for an input of ids, which the model may also accept as text.
    case tokens(orText: Bool)
    /// Text of at least one character.
    case character
    /// An object with these members.
    case object([String])
    /// An array of objects with these members.
    case objects([String])
    /// The type of time series of a model whose steps have `size` numbers.
    case seriesType(String, size: Int)
    case timestamp
    /// An array of quantiles, or null.
    case levels
    /// An array without elements, or null.
    case emptyOrNull
    /// At least one element.
    case element
    /// A state or null; or, if a number is given, an array of that many.
    case states(Int?)
    /// The values of `return_state`.
    case returnState
    case boolean
    /// A session or null; or, if a number is given, an array of that many.
    case sessions(Int?)
    case sessionID
    /// The values of `stop` for a model that writes text.
    case stops
  }
}

extension BodyError: FaultSource {
  var kind: Fault.Kind {
    switch self {
    case .unreadable(.outOfMemory): .internalError
    case .unreadable, .otherFormat, .missing, .unknown, .duplicate, .unexpected, .needs, .excludes:
      .badRequest
    }
  }

  var parameter: String? {
    switch self {
    case .unreadable(let error): error.path
    case .missing(let path, _), .duplicate(let path), .unexpected(let path, _, _),
      .needs(let path, _), .excludes(let path, _):
      path
    case .unknown(let name, let path, _):
      (path.map { "\($0)." } ?? "") + name.prefix(maxQuotedCharacters)
    case .otherFormat: nil
    }
  }

  var sentence: String {
    switch self {
    case .unreadable(let error): error.sentence
    case .otherFormat(let format): notAnObject(format.phrase)
    case .missing(let path, let others):
      "\(shortened(path)) is missing"
        + (["inputs", "prompt"].contains(path) ? ", expected {\"\(path)\": …}" : "")
        + (others.isEmpty ? "" : "; found \(list(others.map(quoted), "and")), which nothing reads")
    case .unknown(let name, let path, let known):
      (path.map { "\(shortened($0)): " } ?? "")
        + "\(quoted(name)) is not known, expected \(list(known, "or"))"
    case .duplicate(let path): "\(shortened(path)) is given twice"
    case .needs(let path, let other): "\(path) is given without \(other), expected both"
    case .excludes(let path, let other): "\(path) is given beside \(other), expected one of them"
    case .unexpected(let path, let found, let expected):
      "\(shortened(path)): found \(found.phrase), expected \(expected.phrase)"
    }
  }
}
