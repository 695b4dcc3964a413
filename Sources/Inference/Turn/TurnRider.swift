/// A rider's part in one turn.
package struct TurnRider: Sendable {
  package let input: InputSequence
  /// The steps of `input` to run; not empty.
  package let steps: Range<Int>
  /// The number of steps that the sequence has done before; 0 starts from the initial state.
  package let position: Int
  /// Whether these are the sequence's last steps; then values that exist only at its end are computed.
  package let finishes: Bool
  package let selection: Selection
  /// Whether these are the first steps of its request, which may continue a sequence.
  package let opensRequest: Bool
  /// The rider's row in `SeatStates`.
  package let seat: Int
  /// The state to continue, which has done `position` steps; nil to use the seat's.
  package let resumed: SequenceState?
  /// In a decoder's graph, the packed keys and values of attention, kept from step to step; nil in other graphs.
  let memory: AttentionCache?

  /// - Parameter opensRequest: nil where a request doesn't continue sequences.
  package init(
    input: InputSequence, steps: Range<Int>, position: Int, finishes: Bool, selection: Selection,
    seat: Int, resumed: SequenceState? = nil, opensRequest: Bool? = nil
  ) {
    self.init(
      input: input, steps: steps, position: position, finishes: finishes, selection: selection,
      seat: seat, resumed: resumed, memory: nil, opensRequest: opensRequest)
  }

  init(
    input: InputSequence, steps: Range<Int>, position: Int, finishes: Bool, selection: Selection,
    seat: Int, resumed: SequenceState?, memory: AttentionCache?, opensRequest: Bool? = nil
  ) {
    precondition(resumed.map { $0.position == position && position > 0 } ?? true)
    self.input = input
    self.steps = steps
    self.position = position
    self.finishes = finishes
    self.opensRequest = opensRequest ?? (position == 0)
    self.selection = selection
    self.seat = seat
    self.resumed = resumed
    self.memory = memory
  }

  /// Whether attention has packed the steps of all axes but the first in `memory`, so that the turn runs none of them.
  var hasSources: Bool { memory?.replacesSteps ?? false }
}
