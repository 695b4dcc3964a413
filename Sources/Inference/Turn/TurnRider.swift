/// A rider's part in one turn: the steps of its inputs that it advances by.
package struct TurnRider: Sendable {
  package let input: InputSequence
  /// Steps of `input` to run; not empty.
  package let steps: Range<Int>
  /// Steps that the sequence has run before; 0 makes it start from its initial state.
  package let position: Int
  /// Whether these are the last steps, so that what exists at the end of a sequence is computed.
  package let finishes: Bool
  package let selection: Selection
  /// The row of the state matrix that holds the rider's state.
  package let seat: Int
  /// The state to go on from, of that position; nil for what the seat holds.
  package let resumed: SequenceState?
  /// What attention of a decoder goes over, kept from step to step; nil of other graphs.
  let memory: AttentionMemory?

  package init(
    input: InputSequence, steps: Range<Int>, position: Int, finishes: Bool, selection: Selection,
    seat: Int, resumed: SequenceState? = nil
  ) {
    self.init(
      input: input, steps: steps, position: position, finishes: finishes, selection: selection,
      seat: seat, resumed: resumed, memory: nil)
  }

  init(
    input: InputSequence, steps: Range<Int>, position: Int, finishes: Bool, selection: Selection,
    seat: Int, resumed: SequenceState?, memory: AttentionMemory?
  ) {
    precondition(resumed.map { $0.position == position && position > 0 } ?? true)
    self.input = input
    self.steps = steps
    self.position = position
    self.finishes = finishes
    self.selection = selection
    self.seat = seat
    self.resumed = resumed
    self.memory = memory
  }

  /// Whether the steps of other axes than the first have been taken into the memory, so that they are none of this turn's.
  var hasSources: Bool { memory?.replacesSteps ?? false }
}
