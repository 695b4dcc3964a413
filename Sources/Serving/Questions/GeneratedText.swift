/// A text as its tokens are drawn: which part of it can be sent, and whether it ends.
package struct GeneratedText: Sendable {
  /// Why a text ended.
  package enum End: String, Sendable {
    /// It came to as many tokens as were asked for.
    case length
    /// A stop follows.
    case stop
    /// The model's scores are beyond numbers.
    case notFinite
  }

  /// The part that was added since the last one.
  package enum Piece: Sendable, Equatable {
    /// Of a model that writes text.
    case text(String)
    /// Of another model.
    case tokens([Int32])
  }

  /// The tokens drawn.
  package private(set) var steps = 0
  /// Nil while it goes on.
  package private(set) var end: End?
  private let maxSteps: Int
  /// What each token stands for; nil for a model without a vocabulary.
  private let vocabulary: [String]?
  /// What stands before the text of each token but the first.
  private let separator: String
  private let stopTokens: Set<Int32>
  private var matcher: StopMatcher
  private var text = ""
  private var tokens: [Int32] = []

  package init(of question: GenerationQuestion) {
    maxSteps = question.maxSteps
    vocabulary = question.vocabulary
    separator = question.separator
    switch question.stop {
    case .texts(let stops):
      stopTokens = []
      matcher = StopMatcher(stops)
    case .tokens(let stops):
      stopTokens = stops
      matcher = StopMatcher([])
    }
  }

  /// Adds the next token; nil where the scores were not finite.
  package mutating func append(_ token: Int32?) {
    guard let token else {
      end = .notFinite
      return
    }
    steps += 1
    if steps == maxSteps { end = .length }
    guard let vocabulary else {
      if stopTokens.contains(token) { end = .stop } else { tokens.append(token) }
      return
    }
    let (piece, stops) = matcher.append(
      (steps > 1 ? separator : "") + vocabulary[Int(token)])
    text += piece
    if stops { end = .stop }
    // Nothing follows that could make a stop of what is held back.
    if end == .length { text += matcher.finish() }
  }

  /// No token follows: the text ends where it did not before. Returns whether that adds to it what was held back for a stop.
  package mutating func finish(_ end: End) -> Bool {
    guard self.end == nil else { return false }
    self.end = end
    return releaseHeld()
  }

  /// Removes and returns the part that was added since the last call.
  package mutating func takePiece() -> Piece {
    defer {
      text = ""
      tokens = []
    }
    return vocabulary == nil ? .tokens(tokens) : .text(text)
  }

  /// Releases the text that was held back for a stop, as no token follows; returns false where there is none.
  package mutating func releaseHeld() -> Bool {
    let held = matcher.finish()
    text += held
    return !held.isEmpty
  }
}
