import Inference

/// Runs sequences through a graph without an engine.
package enum Runner {
  /// All sequences in one pass; an array of floats an output for each.
  package static func run(
    _ graph: ModelGraph, _ sequences: [InputSequence], selections: [Selection], crew: Crew? = nil
  ) -> [[[Float]]] {
    run(graph, sequences, selections: selections, crew: crew) { _, remaining in remaining }
  }

  /// All sequences side by side, turn by turn: `chunk` says how many of a rider's remaining steps it
  /// advances by; 0 lets it sit out the turn.
  package static func run(
    _ graph: ModelGraph, _ sequences: [InputSequence], selections: [Selection], crew: Crew? = nil,
    chunk: (_ rider: Int, _ remaining: Int) -> Int
  ) -> [[[Float]]] {
    var states = SeatStates(graph: graph)
    var workspace = Workspace(graph: graph)
    var positions = Array(repeating: 0, count: sequences.count)
    var results = sequences.map { _ in graph.model.outputs.map { _ in [Float]() } }
    while positions != sequences.map(\.stepCount) {
      var riders: [Int] = []
      var turn: [TurnRider] = []
      for (rider, sequence) in sequences.enumerated() {
        let remaining = sequence.stepCount - positions[rider]
        let steps = remaining == 0 ? 0 : chunk(rider, remaining)
        guard steps > 0 else { continue }
        riders.append(rider)
        turn.append(
          TurnRider(
            input: sequence, steps: positions[rider]..<positions[rider] + steps,
            position: positions[rider], finishes: steps == remaining,
            selection: selections[rider], seat: rider))
      }
      guard !turn.isEmpty else { continue }
      graph.forward(turn, states: &states, workspace: &workspace, crew: crew)
      for (index, rider) in riders.enumerated() {
        positions[rider] += turn[index].steps.count
        for output in results[rider].indices {
          results[rider][output] += workspace.values(ofOutput: output, rider: index)
        }
      }
    }
    return results
  }
}
