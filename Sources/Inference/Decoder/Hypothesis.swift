/// A sequence of tokens under way.
struct Hypothesis: Sendable {
  /// Those after the first, which the model gives.
  private(set) var tokens: [Int32] = []
  /// The logarithm of their probability.
  private(set) var logarithm = 0.0
  /// The scores of each step, where they were asked for.
  private(set) var rows: [[Float]] = []
  /// What the next step reads.
  private(set) var input: InputSequence
  /// The state that it goes on from; nil before the first step.
  private(set) var state: SequenceState?

  init(_ input: InputSequence) { self.input = input }

  /// One token longer.
  ///
  /// - Parameters:
  ///   - row: the scores of the step, where they are kept.
  ///   - input: what the step behind that token reads; nil where the token ends the sequence.
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

  /// A rider's part of the turn that computes its next step.
  ///
  /// - Parameter memory: what attention goes over.
  func rider(seat: Int, memory: AttentionMemory?) -> TurnRider {
    TurnRider(
      input: input, steps: 0..<1, position: state?.position ?? 0, finishes: true, selection: .last,
      seat: seat, resumed: state, memory: memory)
  }
}
