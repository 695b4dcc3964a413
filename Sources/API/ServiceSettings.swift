import Scheduling
import Serving

/// The limits and constants of the service, named as in the configuration.
package struct ServiceSettings: Sendable {
  /// How much one request may ask for.
  package var questions = QuestionLimits()
  /// `max_inline_bytes`: larger bodies are decoded, and larger answers encoded, away from the event loop and the
  /// engine's thread. Decoding takes 2 ns a byte, or 20 ns where each number has an array of its own; a hop to another
  /// thread takes about 5 µs.
  package var maxInlineBytes = 8 << 10
  /// The number of threads that read bodies of more than 128 KiB.
  package var largeBodyThreads = 1
  /// `max_answer_bytes`: the longest text of one answer; a request for more is refused before anything is computed.
  package var maxAnswerBytes = 256 << 20
  /// `max_decoding_operations`: the most operations for finding the labels of one answer, by
  /// `OutputDecoder.operationCount` (for a CRF steps × labels²). The default allows 262,144 steps of 512 labels.
  package var maxDecodingOperations = 1 << 36
  /// `state_key`, which signs the states that clients take along: at least 16 bytes, and the same in every process that
  /// is to accept these states; nil for a random key.
  package var stateKey: [UInt8]?
  /// How many sessions are kept, and for how long.
  package var sessions = SessionLimits()
  /// `operator_key`: a request that carries it may list sessions; nil if no request may.
  package var operatorKey: [UInt8]?
  /// The tokens of `tokens_file`, one of which every request needs, except to routes that are open to all; nil if none
  /// is required.
  package var tokens: TokenTable?
  /// `metrics_access`: whether `/metrics` is for operators only.
  package var metricsAreForOperators = false
  /// How much each client may ask for, unless its token has limits of its own.
  package var clients = RequestLimits()
  /// `cors_origins`: the origins whose pages may read answers.
  package var origins = CrossOrigins.none
  /// The server's version, as `GET /` reports it.
  package var version = "dev"

  package init() {}

  /// The least number of bytes in `stateKey`.
  package static let minStateKeyBytes = StateSealer.minKeyByteCount

  /// The least number of bytes in `operatorKey`.
  package static let minOperatorKeyBytes = 16

  /// The deepest nesting of arrays and objects in a body: `{"inputs": {"x": [[[0]]]}}` has depth 5.
  static let maxJSONDepth = 8
  /// The longest body, in bytes, that is accepted where no route reads it: some clients send an empty object.
  static let maxUnreadBodyBytes = 4 << 10
  /// The bounds of `timeout_ms` in milliseconds: up to a day.
  static let timeoutMilliseconds = 1...86_400_000
  /// The bounds and the default of `?limit=` in a list of sessions.
  static let sessionListLimits = 1...100_000
  static let sessionListLimit = 100
  /// An answer that may be longer than `maxWholeAnswerBytes` is streamed, in parts of `answerPartBytes`.
  static let maxWholeAnswerBytes = 1 << 20
  static let answerPartBytes = 32 << 10
}
