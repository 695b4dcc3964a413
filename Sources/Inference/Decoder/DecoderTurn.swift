/// The decoder's part of a turn: for each rider whose own steps are done, a row for each hypothesis.
///
/// A hypothesis keeps its own state; the states here are valid for one turn.
package struct DecoderTurn {
  private let decoder: DecoderGraph
  private var states: SeatStates
  private var workspace: Workspace
  private var riders: [TurnRider] = []
  /// For each seat of the worker whose rider has hypotheses here, the first row of that rider.
  private var places: [Int: Int] = [:]
  /// The rows of each output.
  private var outputs: [[Float]]

  /// Bounds memory: the most floats of encoder sequences in one pass, unless a single hypothesis has more. Other hypotheses
  /// run in the next pass.
  static let maxFloatsAtOnce = 1 << 21

  package init(_ decoder: DecoderGraph) {
    self.decoder = decoder
    states = SeatStates(graph: decoder.graph)
    workspace = Workspace(graph: decoder.graph)
    outputs = decoder.graph.model.outputs.map { _ in [] }
  }

  /// Adds the next step of the hypotheses of the rider in `seat`.
  package mutating func add(_ search: TokenSearch, seat: Int) {
    places[seat] = riders.count
    riders += search.riders(seat: riders.count)
  }

  /// Computes all rows, in passes that read at most `maxFloatsAtOnce` floats of the encoder's sequences.
  package mutating func compute(crew: Crew? = nil) {
    var start = 0
    while start < riders.count {
      var (end, floats) = (start, 0)
      while end < riders.count {
        floats += riders[end].featureCount
        if end > start, floats > Self.maxFloatsAtOnce { break }
        end += 1
      }
      decoder.graph.forward(
        Array(riders[start..<end]), states: &states, workspace: &workspace, crew: crew)
      for index in start..<end {
        for output in outputs.indices {
          outputs[output] += workspace.values(ofOutput: output, rider: index - start)
        }
      }
      start = end
    }
  }

  /// The first row of the rider in a seat of the worker; nil for a rider whose own steps are in the turn.
  package func place(ofSeat seat: Int) -> Int? { places[seat] }

  /// The values of an output for a row: the scores (output 0), or values that are fed back to the next step.
  func values(ofOutput output: Int, row: Int) -> ArraySlice<Float> {
    let size = decoder.graph.model.outputs[output].size
    return outputs[output][row * size..<(row + 1) * size]
  }

  /// The state of a row, whose hypothesis has done `position` steps.
  func state(row: Int, position: Int) -> SequenceState {
    states.state(ofSeat: row, position: position)
  }

  /// Removes all rows, as the turn is over.
  package mutating func clear() {
    riders.removeAll(keepingCapacity: true)
    places.removeAll(keepingCapacity: true)
    for output in outputs.indices { outputs[output].removeAll(keepingCapacity: true) }
  }

  /// Frees the states, the rows and large matrices; called when the worker has nothing to do.
  package mutating func trim() {
    workspace.trim()
    states = SeatStates(graph: decoder.graph)
    outputs = outputs.map { _ in [] }
  }
}

extension TurnRider {
  /// The number of floats of the encoder's sequences that the rider's step reads.
  fileprivate var featureCount: Int {
    if hasSources { return 0 }
    return input.values.reduce(0) { sum, value in
      if case .features(let floats) = value { sum + floats.count } else { sum }
    }
  }
}
