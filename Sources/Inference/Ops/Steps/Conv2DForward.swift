import ModelFormat

/// A convolution over steps and elements: a GEMM with a row for each position of the kernel. Steps that a mask excludes
/// count as zeros, like those beyond the ends.
struct Conv2DForward: OpForward {
  private let window: KernelWindow
  private let frame: Frame
  private let frameWindow: Frame.Window
  /// A map for each group, over the kernel's channels, then its steps, then its elements.
  private let maps: [Linear]

  init(_ op: Conv2DOp, _ weights: NodeWeights) throws(ModelError) {
    (frame, frameWindow) = (op.frame, op.frameWindow)
    window = KernelWindow(op.window, size: frame.channels * frame.length)
    maps = Linear.groups(
      op.groups, outputSize: weights.node.size / frame.places(of: frameWindow),
      weight: try weights.required("weight"), bias: try weights.optional("bias"),
      kernels: weights.kernels)
  }

  var byteCount: Int { maps.reduce(0) { $0 + $1.byteCount } }

  var needsWholeSequence: Bool { window.needsWholeSequence }

  func domain(of inputs: [RowDomain]) -> RowDomain { .steps }

  func initialState(size: Int) -> [Float] { window.initialState }

  func forward(
    _ node: NodeTurn, states: inout SeatStates, workspace: inout Workspace,
    into output: inout Matrix
  ) {
    var input = node.operand(0, workspace)
    StepMask(node, workspace)?.clear(&input)
    let layout = node.layout
    output.resize(rows: layout.rows, columns: node.node.size)
    let places = frame.places(of: frameWindow)
    // Few enough steps at a time that the patches stay in a core's cache.
    let stepsAtOnce = Swift.max(1, (1 << 16) / (places * maps[0].inputSize))
    var (rows, patches, results) = (Matrix(), Matrix(), Matrix())
    for rider in layout.steps.indices {
      window.extend(rider, node, input, states: &states, range: node.node.state, into: &rows)
      let first = window.firstRow(rider, node)
      for start in stride(from: 0, to: layout.steps[rider], by: stepsAtOnce) {
        let steps = start..<Swift.min(start + stepsAtOnce, layout.steps[rider])
        for (group, map) in maps.enumerated() {
          patches.resize(rows: steps.count * places, columns: map.inputSize)
          for (index, step) in steps.enumerated() {
            gather(
              rows, from: first + step * window.kernel.stride, group: group, into: &patches,
              at: index * places)
          }
          map.forward(patches, into: &results, kernels: node.graph.kernels)
          for (index, step) in steps.enumerated() {
            scatter(
              results, from: index * places, places: places, group: group, into: &output,
              row: layout.row(rider: rider, step: step))
          }
        }
      }
    }
  }

  /// Copies the elements under the kernel, at a step and each position within it, to a row of `patches` each.
  private func gather(
    _ rows: Matrix, from first: Int, group: Int, into patches: inout Matrix, at target: Int
  ) {
    let channels = frame.channels / maps.count
    let places = frame.places(of: frameWindow)
    var column = 0
    for channel in group * channels..<(group + 1) * channels {
      for tap in 0..<window.kernel.kernel {
        let source = (first + tap * window.kernel.dilation) * rows.columns + channel * frame.length
        for element in 0..<frameWindow.kernel {
          for place in 0..<places {
            let at =
              place * frameWindow.stride + element * frameWindow.dilation - frameWindow.before
            patches.values[(target + place) * patches.columns + column] =
              (0..<frame.length).contains(at) ? rows.values[source + at] : 0
          }
          column += 1
        }
      }
    }
  }

  /// Copies a step's results, with a row for each position, to its row of the output, channels one after another.
  private func scatter(
    _ results: Matrix, from source: Int, places: Int, group: Int, into output: inout Matrix,
    row: Int
  ) {
    let size = results.columns
    let target = output.row(row).lowerBound + group * size * places
    for place in 0..<places {
      for k in 0..<size {
        output.values[target + k * places + place] = results.values[(source + place) * size + k]
      }
    }
  }
}
