import HTTPCore
import Inference
import JSON
import Scheduling

extension APIError: CustomStringConvertible {
  /// The one place where an error becomes a status, a sentence and fields.
  var response: HTTPResponse {
    var response = HTTPResponse.error(status, description)
    if case .session(let refusal, _) = self, let (id, steps) = refusal.session {
      // For clients that go on from there: `id` and `steps`, as the session's own page has them.
      var writer = JSONWriter()
      writer.raw(Array(response.body.prefix { $0 != UInt8(ascii: "\n") }.dropLast()))
      writer.raw(#","id":"#)
      writer.string(id)
      writer.raw(#","steps":"#)
      writer.integer(steps)
      writer.raw("}\n")
      response.body = writer.bytes
    }
    if case .method(_, let allowed) = self {
      response.fields.append("allow", allowed.joined(separator: ", "))
    }
    // RFC 9110 §15.5.2: a 401 says how to show who one is.
    if case .notOperator(hasKey: true) = self {
      response.fields.append("www-authenticate", "Bearer")
    }
    if let seconds = retryAfterSeconds { response.fields.append("retry-after", String(seconds)) }
    return response
  }

  var status: HTTPStatus {
    switch self {
    case .emptyBody, .notJSON, .tooDeep, .notFinite, .mixed, .missing, .unknown, .duplicate,
      .unexpected, .tooMany, .tokenRange, .roundedToken, .unknownCharacter, .noVocabulary,
      .sequenceCounts, .stepCounts, .input, .otherModel, .notForecaster, .noTimeSeries,
      .noQuantiles, .afterLastYear, .allWithHorizon, .notEveryStep, .state, .notStreamable,
      .pathEscape, .sessionTwice, .forkThatBegins, .atThatBegins,
      .replaceWithoutBegin, .stateOfSession, .query, .notGenerator:
      .badRequest
    case .notOperator(hasKey: true): .unauthorized
    // No key that a client could show would do.
    case .notOperator(hasKey: false): .forbidden
    case .noSuchModel, .noSuchPath, .noModels, .session(.unknown, _), .session(.unknownSource, _),
      .noSuchSession:
      .notFound
    case .session(.gone, _): .gone
    case .session(.busy, _), .session(.tooManyWait, _), .session(.exists, _),
      .session(.otherSteps, _):
      .conflict
    case .method: .methodNotAllowed
    case .outputNotFinite, .stateNotFinite: .unprocessableContent
    case .outOfMemory: .internalServerError
    case .notReady, .refused(.draining), .refused(.cancelled), .session(.frozen, _):
      .serviceUnavailable
    case .refused(.queueFull), .refused(.stepsFull), .refused(.deadlineOutOfReach),
      .session(.full, _), .memoryFull:
      .tooManyRequests
    case .refused(.deadlinePassed), .session(.deadlinePassed, _): .gatewayTimeout
    case .session(.tooLarge(_, limit: 0), _): .badRequest
    case .refused(.tooLarge), .session(.tooLarge, _), .answerTooLarge, .memoryTooSmall:
      .contentTooLarge
    }
  }

  /// Told only where there is a promise behind it, or another process that comes: nobody knows when other clients will
  /// have read the answers, or ended the sessions, whose memory a request waits for.
  private var retryAfterSeconds: Int? {
    switch self {
    case .refused(let refusal) where refusal.secondsUntilRoom != nil:
      refusal.secondsUntilRoom.map { Swift.max(1, Int($0.rounded(.up))) }
    case .notReady, .refused(.draining), .session(.frozen, _):
      ServiceSettings.retryAfterSeconds
    default: nil
    }
  }

  /// One sentence that names the field, what was found and what was expected.
  var description: String {
    switch self {
    case .emptyBody: "the body is empty, expected a JSON object: \(bodyExample)"
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
    case .tooMany(let what, let path, let found, let limit, let setting):
      "\(shortened(path)) has \(found) \(what.rawValue), at most \(limit) are allowed (\(setting))"
    case .tokenRange(let path, let found, let size):
      "\(shortened(path)): found \(plain(found.decimal)), expected a token id, a whole number from 0 to \(size - 1)"
    case .roundedToken(let path, let near, let size):
      "\(shortened(path)): found a number near \(plain(near.decimal)), expected a token id, a whole number from 0 to \(size - 1)"
    case .unknownCharacter(let path, let character, let position):
      "\(shortened(path)): character \(position), \(quoted(character)), is not in the model's vocabulary"
    case .noVocabulary(let path):
      "\(shortened(path)): found text, expected token ids, as the model has no vocabulary"
    case .sequenceCounts(let path, let found, let expected):
      "\(shortened(path)) holds \(count(found)), expected \(count(expected)) like the inputs before it"
    case .stepCounts(let path, let found, let other, let expected):
      "\(shortened(path)): found \(found) \(found == 1 ? "step" : "steps"), expected \(expected) like \(shortened(other))"
    case .input(let path, let error): "\(shortened(path)): \(error)"
    case .noSuchModel(let name, let known):
      "there is no model \(quoted(name)), expected \(list(known, "or"))"
    case .otherModel(let inPath, let inBody):
      "the body asks for model \(quoted(inBody)), the path for \(quoted(inPath))"
    case .noModels: "the server holds no models"
    case .notForecaster(let model, let gap):
      "horizon: model \(quoted(model)) does not forecast its own input, so it has no horizon: \(gap.phrase)"
    case .noTimeSeries(let model, let gap, let known):
      "model: \(quoted(model)) does not forecast its own input, "
        + (known.isEmpty ? "and no model here does" : "expected \(list(known, "or"))")
        + ": \(gap.phrase)"
    case .noQuantiles(let path, let model, let found):
      "\(path): found \(arrayOfNumbers(found)), expected none, as model \(quoted(model)) forecasts one value a step and no quantiles"
    case .afterLastYear(let path):
      "\(path): the forecast would start after the year 9999, expected an earlier time"
    case .allWithHorizon(let path):
      "\(path): found \"all\" beside horizon, expected \"last\" or nothing"
    case .notEveryStep(let model, nil):
      "outputs: model \(quoted(model)) answers once a sequence, expected \"last\""
    case .notEveryStep(let model, let output?):
      "outputs.\(output): model \(quoted(model)) answers this output once a sequence, expected \"last\""
    case .notGenerator(let model, let gap, let known):
      "model \(quoted(model)) does not continue text, "
        + (known.isEmpty ? "and no model here does" : "expected \(list(known, "or"))")
        + ": \(gap.phrase)"
    case .outputNotFinite(let model, let output):
      "the inputs are too large for model \(quoted(model)): a number in its output \(quoted(output)) is beyond the range of a 32-bit float"
    case .state(let path, let model, let flaw): "\(shortened(path)): \(flaw.phrase(model: model))"
    case .notStreamable(let option, let model):
      "\(option): model \(quoted(model)) needs the whole of a sequence at once, so it has no state to go on from"
    case .stateNotFinite(let model, .f32):
      "the inputs are too large for model \(quoted(model)): a number in its state is beyond the range of a 32-bit float"
    case .stateNotFinite(let model, .f16):
      "return_state: found \"f16\", expected \"f32\": a number in the state of model \(quoted(model)) is beyond the range of a 16-bit float"
    case .sessionTwice(let id, let path, let other):
      "\(path): found session \(quoted(id)) again, which \(other) has already"
    case .forkThatBegins(let path):
      "\(path): found fork beside begin, expected one of them: a fork begins with the state of another session"
    case .atThatBegins(let path):
      "\(path): found at beside begin, expected one of them: a session that begins goes on from nothing"
    case .replaceWithoutBegin(let path):
      "\(path): found replace without begin or fork, expected one of them: to go on with a session replaces nothing"
    case .stateOfSession(let path):
      "\(path): found beside a session that has a state already, expected one that begins (\"begin\": true)"
    case .session(let refusal, let model): refusal.phrase(model: model)
    case .noSuchSession(let id, let model):
      "there is no session \(quoted(id)) of model \(quoted(model))"
    case .notOperator(hasKey: true):
      "sessions are listed for operators only, expected authorization: Bearer and the server's operator_key"
    case .notOperator(hasKey: false):
      "sessions are listed for operators only, and the server has no operator_key by which to know them"
    case .query(let name, let found, let expected):
      "?\(name)=: found \(quoted(found)), expected \(expected.phrase)"
    case .answerTooLarge(let bytes, let limit):
      "the answer would take up to \(bytes) bytes, at most \(limit) are allowed (max_answer_bytes)"
    case .memoryFull(let bytes, let limit):
      "the request would take up to \(bytes) bytes of memory, more than others leave of \(limit) now (max_memory_bytes)"
    case .memoryTooSmall(let bytes, let limit):
      "the request would take up to \(bytes) bytes of memory beside its body, at most \(limit) are there for that (max_memory_bytes)"
    case .noSuchPath(let path): "there is nothing at \(quoted(path)); GET / lists what there is"
    case .pathEscape(let found):
      "the path: found \(quoted(found)), expected % and two hexadecimal digits"
    case .method(let method, let allowed):
      "the method \(quoted(method)) is not allowed here, expected \(list(allowed, "or"))"
    case .notReady(.draining), .refused(.draining): "the server is about to stop"
    case .notReady: "the server is starting"
    case .refused(.queueFull(let queued, let arriving, let limit, _)):
      "the queue is full: \(queued) sequences wait, \(arriving) more would exceed \(limit), with the places promised to others (max_queued_sequences)"
    case .refused(.stepsFull(let queued, let arriving, let limit, _)):
      "the queue is full: \(queued) steps wait, \(arriving) more would exceed \(limit), with the places promised to others (max_queued_steps)"
    case .refused(.tooLarge(let sequences, let sequenceLimit, let steps, let stepLimit)):
      sequences > sequenceLimit
        ? "the request has \(sequences) sequences, the queue holds \(sequenceLimit) (max_queued_sequences)"
        : "the request has \(steps) steps, with those that are run again for what is fed back, the queue holds \(stepLimit) (max_queued_steps)"
    case .refused(.deadlineOutOfReach(let timeout, let needed, _)):
      "the time-out: found \(timeout.milliseconds) ms, expected at least \(needed.milliseconds) for as many as wait at the moment"
    case .refused(.deadlinePassed(let timeout)): passed(timeout)
    case .refused(.cancelled): "the request was cancelled"
    }
  }
}

extension SessionRefusal {
  /// The session that is otherwise than the request says, and its steps.
  fileprivate var session: (id: String, steps: Int)? {
    switch self {
    case .exists(let id, let steps), .otherSteps(let id, let steps, _): (id, steps)
    case .unknown, .unknownSource, .gone, .busy, .tooManyWait, .tooLarge, .full, .frozen,
      .deadlinePassed:
      nil
    }
  }
}

extension SessionRefusal {
  fileprivate func phrase(model: String) -> String {
    switch self {
    case .unknown(let id):
      "there is no session \(quoted(id)) of model \(quoted(model)); {\"id\": \(quoted(id)), \"begin\": true} begins one"
    case .unknownSource(let id, let fork):
      "session \(quoted(fork)) can't begin as a fork: there is no session \(quoted(id)) of model \(quoted(model))"
    case .gone(let id, .evicted):
      "session \(quoted(id)) is gone: others, used later, needed its room (max_session_bytes)"
    case .gone(let id, .expired):
      "session \(quoted(id)) is gone: nobody used it for as long as session_idle_seconds says"
    case .gone(let id, .ended): "session \(quoted(id)) is gone: a request ended it"
    case .gone(let id, .otherModel):
      "session \(quoted(id)) is gone: another model is called \(quoted(model)) now"
    case .gone(let id, .lost):
      "session \(quoted(id)) is gone: the process that had it did not hand it over, as one does that ends cleanly"
    case .frozen: "the server is about to stop, and its sessions go on in the next process"
    case .exists(let id, let steps):
      "session \(quoted(id)) exists, with \(counted(steps, "step")); \"replace\": true starts it over"
    case .otherSteps(let id, let found, let expected):
      "session \(quoted(id)) has \(counted(found, "step")), the request goes on from \(expected) (\"at\")"
    case .busy(let id):
      "session \(quoted(id)) is busy with another request; one for predictions may wait for it (\"wait\": true)"
    case .tooManyWait(let id, let limit):
      "session \(quoted(id)) is busy, and \(limit) requests wait for it already (max_session_waiters)"
    case .tooLarge(_, limit: 0): "session: this server keeps none (max_session_bytes is 0)"
    case .tooLarge(let needed, let limit):
      "the request's sessions take \(needed) bytes, the server keeps \(limit) of all (max_session_bytes)"
    case .full(let limit):
      "the sessions of requests under way take all that there is, \(limit) bytes (max_session_bytes)"
    case .deadlinePassed(let timeout): passed(timeout)
    }
  }
}

private func passed(_ timeout: Duration) -> String {
  "the answer could not be ready within the time-out of \(timeout.milliseconds) ms"
}

extension Duration {
  /// Whole milliseconds, rounded up.
  fileprivate var milliseconds: Int64 {
    Int64(clamping: (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000)
  }
}

extension APIError.Expectation {
  fileprivate var phrase: String {
    switch self {
    case .number: "a number"
    case .numbers(let count): arrayOfNumbers(count)
    case .integer(let range): "a whole number from \(range.lowerBound) to \(range.upperBound)"
    case .range(let range): "a number from \(plain(range.lowerBound)) to \(plain(range.upperBound))"
    case .probability: "a number above 0 and up to 1"
    case .string: "a string"
    case .oneOf(let values): list(values.map { "\"\($0)\"" }, "or")
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

extension StateFlaw {
  fileprivate func phrase(model: String) -> String {
    switch self {
    case .tooLong(let found, let limit):
      "found \(found) characters, expected at most \(limit), as a state of model \(quoted(model)) has"
    case .character(let position):
      "found no base64url at character \(position), expected a state as an answer gave it"
    case .signature(let found, let expected):
      "found \(found) characters that are not signed with this server's state_key, expected a state of model \(quoted(model)) as an answer gave it, unchanged (\(list(expected.map(String.init), "or")) characters)"
    case .version(let found, let expected):
      "found version \(found.map(String.init) ?? "none") of the layout, expected \(expected)"
    case .otherModel(let found, let expected):
      "found the state of another model (\(found)), expected one of \(quoted(model)) with its present weights, graph, precision and layout of states (\(expected))"
    case .element(let found): "found element type \(found), expected 1 (f32) or 2 (f16)"
    case .size(let found, let expected):
      "found \(found) bytes, expected \(expected), as a state of model \(quoted(model)) has"
    case .position(let found, let limit): "found \(found) steps, expected 1 to \(limit)"
    case .notFinite(let index):
      "found a number that is not finite at index \(index), expected a finite one"
    }
  }
}

extension JSONDocument.Found {
  fileprivate var phrase: String {
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

private func arrayOfNumbers(_ count: Int) -> String {
  count == 1 ? "an array of 1 number" : "an array of \(count) numbers"
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

/// A number as a client may have written it: 3 rather than 3.0.
private func plain(_ number: Double) -> String {
  Int(exactly: number).map { "\($0)" } ?? "\(number)"
}

private func count(_ sequences: Int?) -> String {
  switch sequences {
  case nil: "one sequence"
  case 1: "an array of 1 sequence"
  case let count?: "an array of \(count) sequences"
  }
}

/// Items that an error lists.
private let maxListed = 20

func list(_ items: [String], _ conjunction: String) -> String {
  guard items.count <= maxListed else {
    return items.prefix(maxListed).joined(separator: ", ")
      + " \(conjunction) \(items.count - maxListed) more"
  }
  guard let last = items.last, items.count > 1 else { return items.first ?? "nothing" }
  return items.dropLast().joined(separator: ", ") + " \(conjunction) " + last
}

/// The characters of a client's text that an error repeats.
let maxQuotedCharacters = 60

/// Text that came from outside, cut to what an error should repeat.
func shortened(_ text: String) -> String {
  let end = text.unicodeScalars.index(
    text.startIndex, offsetBy: maxQuotedCharacters, limitedBy: text.endIndex)
  guard let end, end < text.endIndex else { return text }
  return String(text.unicodeScalars[..<end]) + "…"
}

func counted(_ count: Int, _ noun: String) -> String {
  "\(count) \(noun)\(count == 1 ? "" : "s")"
}

func quoted(_ text: String) -> String { "\"\(shortened(text))\"" }
