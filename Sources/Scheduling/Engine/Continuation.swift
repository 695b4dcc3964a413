import Inference

/// How a sequence goes on when its own steps are done.
enum Continuation: Sendable {
  case ends
  /// Its forecast is fed back until `horizon` steps are forecast.
  case forecast(horizon: Int)
  /// Tokens are drawn and fed back for as long as its reader asks for more.
  case generation(Generation)
  /// The graph's decoder makes a sequence of tokens from the encoder's results.
  case decoding(Decoding, onToken: Engine.TokenReader?)

  /// The most steps that follow a sequence's own `steps`. For a streamable graph these are the steps fed back. Another
  /// graph runs again from the beginning for each further forecast or token, and all steps of each run count.
  func followingSteps(of graph: ModelGraph, after steps: Int) -> Int {
    switch self {
    case .ends: return 0
    case .forecast(let horizon):
      let each = graph.forecastSteps ?? horizon
      guard !graph.isStreamable else { return Swift.max(0, horizon - each) }
      return Self.steps(runs: (horizon - 1) / each, from: steps, growingBy: each)
    case .decoding(let decoding, _): return decoding.maxSteps * decoding.width
    case .generation(let generation):
      guard !graph.isStreamable else { return generation.remainingSteps }
      return Self.steps(
        runs: Swift.max(0, generation.remainingSteps - 1), from: steps, growingBy: 1)
    }
  }

  /// More steps than any queue holds, yet few enough that the sum over a million such riders does not overflow.
  private static let maxSteps = 1 << 40

  /// Σ (`steps` + k · `growth`) for k from 1 to `runs`.
  private static func steps(runs: Int, from steps: Int, growingBy growth: Int) -> Int {
    let (runs, steps, growth) = (Double(runs), Double(steps), Double(growth))
    let sum = runs * steps + growth * runs * (runs + 1) / 2
    return sum < Double(maxSteps) ? Int(sum) : maxSteps
  }
}

/// Text that is written token by token.
struct Generation: Sendable {
  var sampler: TokenSampler
  /// The index of the output that scores tokens, and of the input to which they are fed back.
  let output, input: Int
  /// Tokens yet to come, at the most.
  var remainingSteps: Int
  let onToken: Engine.TokenReader
}

/// What a reader replies to a token.
package enum TokenReply: Sendable, Equatable {
  /// It wants the next token.
  case goOn
  /// It wants the next token only after it calls `Engine.resume`; other riders may have the seat until then.
  case wait
  /// It wants no more tokens.
  case stop
}
