import ModelFormat

/// A convolution over the elements of steps, and over some steps each time: a GEMM with a row for each position of the
/// kernel within a step.
struct FrameConvolution {
  private let frame: Frame
  private let window: Frame.Window
  /// A map for each group, over the kernel's channels, then its steps, then its elements.
  private let maps: [Linear]
  private let places: Int

  init(
    over frame: Frame, by window: Frame.Window, groups: Int, _ weights: NodeWeights
  ) throws(ModelError) {
    (self.frame, self.window) = (frame, window)
    places = frame.places(of: window)
    maps = Linear.groups(
      groups, outputSize: weights.node.size / places, weight: try weights.required("weight"),
      bias: try weights.optional("bias"), kernels: weights.kernels)
  }

  var byteCount: Int { maps.reduce(0) { $0 + $1.byteCount } }

  /// Storage that one call after another uses.
  struct Scratch {
    fileprivate var patches = Matrix()
    fileprivate var results = Matrix()
  }

  /// Computes so many steps.
  ///
  /// - Parameters:
  ///   - taps: the rows under the kernel at step `index`: `first(index)` and those behind it, `dilation` apart.
  ///   - row: the row of `output` for step `index`.
  func forward(
    _ steps: Int, of rows: Matrix, taps: (count: Int, dilation: Int), first: (_ index: Int) -> Int,
    into output: inout Matrix, row: (_ index: Int) -> Int, _ scratch: inout Scratch,
    kernels: Kernels
  ) {
    // Few enough steps at a time that the patches stay in a core's cache.
    let stepsAtOnce = Swift.max(1, (1 << 16) / (places * maps[0].inputSize))
    for start in stride(from: 0, to: steps, by: stepsAtOnce) {
      let batch = start..<Swift.min(start + stepsAtOnce, steps)
      for (group, map) in maps.enumerated() {
        scratch.patches.resize(rows: batch.count * places, columns: map.inputSize)
        for index in batch {
          gather(
            rows, first: first(index), taps, group: group, into: &scratch.patches,
            at: (index - start) * places)
        }
        map.forward(scratch.patches, into: &scratch.results, kernels: kernels)
        for index in batch {
          scatter(
            scratch.results, from: (index - start) * places, group: group, into: &output,
            row: row(index))
        }
      }
    }
  }

  /// Copies the elements under the kernel, at a step and each position within it, to a row of `patches` each.
  private func gather(
    _ rows: Matrix, first: Int, _ taps: (count: Int, dilation: Int), group: Int,
    into patches: inout Matrix, at target: Int
  ) {
    let channels = frame.channels / maps.count
    var column = 0
    for channel in group * channels..<(group + 1) * channels {
      for tap in 0..<taps.count {
        let source = (first + tap * taps.dilation) * rows.columns + channel * frame.length
        for element in 0..<window.kernel {
          for place in 0..<places {
            let at = place * window.stride + element * window.dilation - window.before
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
    _ results: Matrix, from source: Int, group: Int, into output: inout Matrix, row: Int
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
