/// A text to which tokens are added one by one: which part can be sent, and whether the text has ended.
package struct GeneratedText: Sendable {
  /// Why a text ended.
  package enum End: String, Sendable {
    /// It has as many tokens as the request asked for.
    case length
    /// A stop was found, behind the text.
    case stop
    /// The model's scores are not finite.
    case notFinite
  }

  /// The part that was added since the last piece.
  package enum Piece: Sendable, Equatable {
    /// For a model with a vocabulary.
    case text(String)
    /// For a model without one.
    case tokens([Int32])
  }

  /// The number of tokens so far.
  package private(set) var steps = 0
  /// Why the text has ended; nil while it goes on.
  package private(set) var end: End?
  private let maxSteps: Int
  /// The text of each token; nil for a model without a vocabulary.
  private let vocabulary: [String]?
  /// The text before each token but the first.
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

  /// Adds the next token; nil if the scores were not finite.
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
    // No text follows that could complete a stop.
    if end == .length { text += matcher.finish() }
  }

  /// Ends the text, unless it has ended. Returns whether this added text that was held back in case a stop follows.
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

  /// Adds the text that was held back in case a stop follows, as no token does; returns false if there was none.
  package mutating func releaseHeld() -> Bool {
    let held = matcher.finish()
    text += held
    return !held.isEmpty
  }
}
