/// A sequence of tokens that is still growing.
struct Hypothesis: Sendable {
  /// The tokens after the start token.
  private(set) var tokens: [Int32] = []
  /// The logarithm of the tokens' probability.
  private(set) var logarithm = 0.0
  /// The scores of each step; empty if not asked for.
  private(set) var rows: [[Float]] = []
  /// The input of the next step.
  private(set) var input: InputSequence
  /// The state before the next step; nil before the first.
  private(set) var state: SequenceState?

  init(_ input: InputSequence) { self.input = input }

  /// The hypothesis with one more token.
  ///
  /// - Parameters:
  ///   - row: the scores of the step, if they are kept.
  ///   - input: the input of the step after the token; nil if the token ends the sequence.
  func appending(
    _ token: Int32, logarithm: Double, row: [Float]?,
    next: (input: InputSequence, state: SequenceState)?
  ) -> Hypothesis {
    var longer = self
    longer.tokens.append(token)
    longer.logarithm += logarithm
    if let row { longer.rows.append(row) }
    if let next {
      longer.input = next.input
      longer.state = next.state
    } else {
      longer.state = nil
    }
    return longer
  }

  /// The hypothesis as a rider of the turn that computes its next step.
  ///
  /// - Parameter memory: the packed keys and values of attention; nil if the decoder packs none.
  func rider(seat: Int, memory: AttentionCache?) -> TurnRider {
    TurnRider(
      input: input, steps: 0..<1, position: state?.position ?? 0, finishes: true, selection: .last,
      seat: seat, resumed: state, memory: memory)
  }
}
