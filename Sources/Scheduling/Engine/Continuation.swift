import Inference

/// How a sequence goes on when its own steps are done.
enum Continuation: Sendable {
  case ends
  /// Its forecast is fed back until there are as many steps of it.
  case forecast(horizon: Int)
  /// Tokens are drawn and fed back for as long as its reader asks for more.
  case generation(Generation)
  /// The graph's decoder makes a sequence of tokens of what the graph found out.
  case decoding(Decoding, onToken: Engine.TokenReader?)

  /// The steps that follow a sequence's own `steps`, at the most: those fed back to a streamable graph. Another graph runs
  /// again from the beginning with one forecast or token more, and all steps of each run count.
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

  /// More steps than any queue holds, and so few that a million such riders can be added up.
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
  let output, input: Int
  /// Tokens yet to come, at the most.
  var remainingSteps: Int
  let onToken: Engine.TokenReader
}

/// What the reader of a token asks for.
package enum TokenReply: Sendable, Equatable {
  /// The next one.
  case goOn
  /// The next one when it calls `Engine.resume`; others may have the seat until then.
  case wait
  /// No more.
  case stop
}
