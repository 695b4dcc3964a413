@testable import Inference

extension ModelGraph {
  /// The outputs of one sequence alone in one turn, without the carousel.
  func outputs(of sequence: InputSequence, _ selection: Selection) -> [[Float]] {
    var (states, workspace) = (SeatStates(graph: self), Workspace(graph: self))
    forward(
      [
        TurnRider(
          input: sequence, steps: 0..<sequence.stepCount, position: 0, finishes: true,
          selection: selection, seat: 0)
      ], states: &states, workspace: &workspace)
    return model.outputs.indices.map { Array(workspace.values(ofOutput: $0, rider: 0)) }
  }
}
