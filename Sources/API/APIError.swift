import Inference
import JSON
import ModelFormat
import Scheduling

/// Why a request gets no answer of its endpoint. Cases carry facts; `APIError+Response.swift` words them.
enum APIError: Error, Equatable, Sendable {
  // The body.
  case emptyBody
  case notJSON(JSONFlaw)
  case tooDeep(path: String, limit: Int)
  /// NaN, an infinity, or a number beyond the range of a float.
  case notFinite(path: String, found: String)
  /// Something else among the numbers of an array.
  case mixed(path: String, found: String)
  case outOfMemory

  // Its members.
  /// A member that has to be there; `others` are some that are beside where it should be and that nothing reads.
  case missing(path: String, others: [String] = [])
  /// A member of `path` (of the body where that is nil) that nothing is called.
  case unknown(String, path: String?, known: [String])
  case duplicate(path: String)
  case unexpected(path: String, found: JSONDocument.Found, expected: Expectation)
  /// More than a limit allows, which is given by its name in the settings.
  case tooMany(Countable, path: String, found: Int, limit: Int, setting: String)

  // The inputs, against the model.
  case tokenRange(path: String, found: Float, size: Int)
  /// A number that a float rounds to a whole one, which it is not.
  case roundedToken(path: String, near: Float, size: Int)
  case unknownCharacter(path: String, character: String, position: Int)
  case noVocabulary(path: String)
  case sequenceCounts(path: String, found: Int?, expected: Int?)
  case stepCounts(path: String, found: Int, other: String, expected: Int)
  case input(path: String, InputError)

  // The model.
  case noSuchModel(name: String, known: [String])
  case otherModel(inPath: String, inBody: String)
  case noModels
  case notForecaster(model: String, ForecastGap)
  /// A time series for a model that forecasts none, unlike those known.
  case noTimeSeries(model: String, ForecastGap, known: [String])
  case noQuantiles(path: String, model: String, found: Int)
  /// A forecast that starts later than a timestamp can say.
  case afterLastYear(path: String)
  /// `horizon` with "all" at `path`, which is `outputs` or one of its members.
  case allWithHorizon(path: String)
  /// "all" of a model none of whose outputs has an answer a step, or by name of an output that has none.
  case notEveryStep(model: String, output: String?)
  case notGenerator(model: String, ForecastGap, known: [String])
  case outputNotFinite(model: String, output: String)

  // States to take along.
  /// A text that is no state of the model.
  case state(path: String, model: String, StateFlaw)
  /// `state` or `return_state` of a model that needs the whole sequence at once.
  case notStreamable(option: String, model: String)
  /// A state holds a number beyond the range of what it is to be written as.
  case stateNotFinite(model: String, StateElement)

  // Sessions.
  /// One id for two sequences of a request.
  case sessionTwice(id: String, path: String, other: String)
  /// `fork` with `begin`.
  case forkThatBegins(path: String)
  /// `at` with `begin`.
  case atThatBegins(path: String)
  /// `replace` with neither `begin` nor `fork`.
  case replaceWithoutBegin(path: String)
  /// A state beside a session that has one.
  case stateOfSession(path: String)
  case session(SessionRefusal, model: String)
  /// None of that id, which a page of it or its end was asked for.
  case noSuchSession(id: String, model: String)
  /// What only operators may do, by a request that does not show the key, or where there is none.
  case notOperator(hasKey: Bool)
  /// A part of a query that is not what it should be.
  case query(name: String, found: String, expected: Expectation)

  // Memory.
  /// An answer that would be longer than `max_answer_bytes`.
  case answerTooLarge(bytes: Int, limit: Int)
  /// What a request takes does not fit beside what others take now.
  case memoryFull(bytes: Int, limit: Int)
  /// It would not fit if nobody else were there; `limit` is what one request may take.
  case memoryTooSmall(bytes: Int, limit: Int)

  // The service.
  case noSuchPath(String)
  /// A `%` in a path that two hexadecimal digits do not follow.
  case pathEscape(found: String)
  case method(String, allowed: [String])
  case notReady(Readiness)
  case refused(Refusal)

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

  /// What a limit counts.
  enum Countable: String, Sendable {
    case sequences, steps
  }
}
