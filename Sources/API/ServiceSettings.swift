import Scheduling
import Serving

/// The limits and constants of the service, named as in the configuration.
package struct ServiceSettings: Sendable {
  /// How much one request may ask for.
  package var questions = QuestionLimits()
  /// `max_inline_bytes`: a larger body is decoded, and a larger answer encoded, away from the event loop and the
  /// engine's thread. Decoding takes 2 ns a byte, 20 ns where each number has an array of its own; a hop to another thread
  /// some 5 µs.
  package var maxInlineBytes = 8 << 10
  /// The threads on which bodies of more than 128 KiB are read.
  package var largeBodyThreads = 1
  /// `max_answer_bytes`: the text of one answer; what asks for more is refused before it is computed.
  package var maxAnswerBytes = 256 << 20
  /// `max_decoding_operations`: what it takes to find the labels of one answer, by `OutputDecoder.operationCount`: of a CRF
  /// steps × labels²; the default is 262,144 steps of 512 labels.
  package var maxDecodingOperations = 1 << 36
  /// `state_key`, which signs the states that clients take along: 16 bytes or more, the same in every process
  /// that is to go on from them; nil: a random one.
  package var stateKey: [UInt8]?
  /// How many sessions are kept, and for how long.
  package var sessions = SessionLimits()
  /// `operator_key`, by which a request shows that it may list sessions; nil: nobody may.
  package var operatorKey: [UInt8]?
  /// The tokens of `tokens_file`, one of which every request needs but those that are open to all; nil: none is asked for.
  package var tokens: TokenTable?
  /// `metrics_access`: whether `/metrics` is for operators only.
  package var metricsAreForOperators = false
  /// How much each client may ask for, but for tokens that say otherwise.
  package var clients = RequestLimits()
  /// `cors_origins`: the origins whose pages may read answers.
  package var origins = CrossOrigins.none
  /// What `GET /` calls the version of the server.
  package var version = "dev"

  package init() {}

  /// The bytes of a `stateKey` at least.
  package static let minStateKeyBytes = StateSealer.minKeyByteCount

  /// The bytes of an `operatorKey` at least.
  package static let minOperatorKeyBytes = 16

  /// How deep a body's arrays and objects nest at most: `{"inputs": {"x": [[[0]]]}}` is 5.
  static let maxJSONDepth = 8
  /// The most bytes of a body that no route reads: some clients send an empty object.
  static let maxUnreadBodyBytes = 4 << 10
  /// The bounds of `timeout_ms`: up to a day.
  static let timeoutMilliseconds = 1...86_400_000
  /// The bounds of `?limit=` of a list of sessions, and its default.
  static let sessionListLimits = 1...100_000
  static let sessionListLimit = 100
  /// An answer that may be longer than this is sent as it is written, in parts of `answerPartBytes`.
  static let maxWholeAnswerBytes = 1 << 20
  static let answerPartBytes = 32 << 10
}
