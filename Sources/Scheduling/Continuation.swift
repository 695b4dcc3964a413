import Inference

/// What becomes of a sequence when its own steps are done.
enum Continuation: Sendable {
  case ends
  /// Its forecast is fed back until there are as many steps of it.
  case forecast(horizon: Int)
  /// Tokens are drawn and fed back for as long as its reader asks for more.
  case generation(Generation)

  /// Steps that will be fed back, as far as can be told.
  func followingSteps(of graph: ModelGraph) -> Int {
    switch self {
    case .ends: 0
    case .forecast(let horizon): Swift.max(0, horizon - (graph.forecastSteps ?? horizon))
    case .generation(let generation): generation.remainingSteps
    }
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

/// What the reader of a token wants next.
package enum TokenReply: Sendable, Equatable {
  /// The next one.
  case goOn
  /// The next one when it calls `Engine.resume`; the seat is others' until then.
  case wait
  /// No more.
  case stop
}
