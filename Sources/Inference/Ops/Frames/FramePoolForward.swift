import ModelFormat

/// An op that reduces windows of the elements of each step, channel by channel.
protocol FramePoolForward: OpForward where Definition: FramePoolDefinition {
  var op: Definition { get }

  /// Reduces the elements of a window, at least one, to one.
  func reduce(_ values: ArraySlice<Float>) -> Float
}

extension FramePoolForward {
  func forward(
    _ node: NodeTurn, states: inout SeatStates, workspace: inout Workspace,
    into output: inout Matrix
  ) {
    let (frame, window) = (op.pooling.frame, op.pooling.window)
    let input = node.operand(0, workspace)
    let places = frame.places(of: window)
    output.resize(rows: input.rows, columns: node.node.size)
    for row in 0..<input.rows {
      var target = output.row(row).lowerBound
      for channel in 0..<frame.channels {
        let first = input.row(row).lowerBound + channel * frame.length
        for place in 0..<places {
          let start = place * window.stride - window.before
          let covered = Swift.max(0, start)..<Swift.min(frame.length, start + window.kernel)
          output.values[target] = reduce(
            input.values[first + covered.lowerBound..<first + covered.upperBound])
          target += 1
        }
      }
    }
  }
}
