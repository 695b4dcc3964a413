import ModelFormat

struct PadForward: OpForward {
  private let op: PadOp

  init(_ op: PadOp, _ weights: NodeWeights) { self.op = op }

  func forward(
    _ node: NodeTurn, states: inout SeatStates, workspace: inout Workspace,
    into output: inout Matrix
  ) {
    let input = node.operand(0, workspace)
    output.resize(rows: input.rows, columns: node.node.size)
    let length = input.columns / op.channels
    for row in 0..<input.rows {
      var target = output.row(row).lowerBound
      for channel in 0..<op.channels {
        let first = input.row(row).lowerBound + channel * length
        for place in -op.before..<length + op.after {
          output.values[target] =
            (op.mode ?? .constant).source(of: place, length: length).map {
              input.values[first + $0]
            } ?? op.value
          target += 1
        }
      }
    }
  }
}

extension PadOp.Mode {
  /// The index of the element that is copied to position `place` (below 0 in the padding before the first element); nil
  /// for the number that pads.
  func source(of place: Int, length: Int) -> Int? {
    if (0..<length).contains(place) { return place }
    return switch self {
    case .constant: nil
    case .edge: place < 0 ? 0 : length - 1
    case .reflect: place < 0 ? -place : 2 * (length - 1) - place
    }
  }
}
