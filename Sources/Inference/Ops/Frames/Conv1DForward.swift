import ModelFormat

/// A convolution within each step, as a GEMM with a row for each position of the kernel.
struct Conv1DForward: OpForward {
  private let frame: Frame
  private let window: Frame.Window
  /// A map for each group.
  private let maps: [Linear]

  init(_ op: Conv1DOp, _ weights: NodeWeights) throws(ModelError) {
    frame = op.frame
    window = op.window
    maps = Linear.groups(
      op.groups, outputSize: weights.node.size / frame.places(of: window),
      weight: try weights.required("weight"), bias: try weights.optional("bias"),
      kernels: weights.kernels)
  }

  var byteCount: Int { maps.reduce(0) { $0 + $1.byteCount } }

  func forward(
    _ node: NodeTurn, states: inout SeatStates, workspace: inout Workspace,
    into output: inout Matrix
  ) {
    let input = node.operand(0, workspace)
    let places = frame.places(of: window)
    let channels = frame.channels / maps.count
    output.resize(rows: input.rows, columns: node.node.size)
    var (patches, results) = (Matrix(), Matrix())
    // Few enough rows at a time that the patches stay in a core's cache.
    let rowsAtOnce = Swift.max(1, (1 << 16) / (places * channels * window.kernel))
    for (group, map) in maps.enumerated() {
      for start in stride(from: 0, to: input.rows, by: rowsAtOnce) {
        let rows = start..<Swift.min(start + rowsAtOnce, input.rows)
        patches.resize(rows: rows.count * places, columns: map.inputSize)
        for row in rows {
          for place in 0..<places {
            gather(
              input, row: row, place: place, channels: group * channels..<(group + 1) * channels,
              into: &patches, at: (row - rows.lowerBound) * places + place)
          }
        }
        map.forward(patches, into: &results, kernels: node.graph.kernels)
        for row in rows {
          for place in 0..<places {
            let source = results.row((row - rows.lowerBound) * places + place).lowerBound
            let target = output.row(row).lowerBound + group * map.outputSize * places + place
            for k in 0..<map.outputSize {
              output.values[target + k * places] = results.values[source + k]
            }
          }
        }
      }
    }
  }

  /// Copies the elements under the kernel at a position, channel by channel.
  private func gather(
    _ input: Matrix, row: Int, place: Int, channels: Range<Int>, into patches: inout Matrix,
    at index: Int
  ) {
    let source = input.row(row).lowerBound
    var target = patches.row(index).lowerBound
    for channel in channels {
      for tap in 0..<window.kernel {
        let at = place * window.stride + tap * window.dilation - window.before
        patches.values[target] =
          (0..<frame.length).contains(at)
          ? input.values[source + channel * frame.length + at] : 0
        target += 1
      }
    }
  }
}
