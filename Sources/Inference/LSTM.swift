import CKernels
import ModelFormat

/// The final states of one layer in one direction, a row a rider: read at the start of a turn, written at its end.
struct LSTMState {
  /// riders × outputSize.
  var hidden = Matrix()
  /// riders × hiddenSize: the constant error carousel.
  var cell = Matrix()
}

/// One layer of an LSTM in one direction.
///
/// Hochreiter and Schmidhuber, "Long Short-Term Memory", Neural Computation 9 (1997), with the forget gate
/// of Gers, Schmidhuber and Cummins (2000) and, where there is one, the projection of Sak, Senior and
/// Beaufays (2014).
struct LSTMLayer: Sendable {
  let inputSize: Int
  let hiddenSize: Int
  let isReverse: Bool
  let inputWeights: PackedWeights
  let recurrentWeights: PackedWeights
  let bias: PackedWeights
  let projection: Linear?

  /// The size of h.
  var outputSize: Int { projection?.outputSize ?? hiddenSize }

  /// Bytes of packed weights.
  var byteCount: Int {
    inputWeights.byteCount + recurrentWeights.byteCount + bias.byteCount
      + (projection.map { $0.weights.byteCount + $0.bias.byteCount } ?? 0)
  }

  /// - Parameters:
  ///   - inputWeights: W, 4·hiddenSize × inputSize, gates in the order i f g o.
  ///   - recurrentWeights: R, 4·hiddenSize × outputSize.
  ///   - bias: 4·hiddenSize.
  ///   - projection: P, outputSize × hiddenSize, or nil where h is not projected.
  init(
    inputSize: Int, hiddenSize: Int, isReverse: Bool, inputWeights: [Float],
    recurrentWeights: [Float], bias: [Float], projection: [Float]?
  ) {
    self.inputSize = inputSize
    self.hiddenSize = hiddenSize
    self.isReverse = isReverse
    self.projection = projection.map {
      Linear(
        inputSize: hiddenSize, outputSize: $0.count / hiddenSize, weight: $0, bias: nil)
    }
    self.inputWeights = PackedWeights(gatesOf: hiddenSize, depth: inputSize, matrix: inputWeights)
    self.recurrentWeights = PackedWeights(
      gatesOf: hiddenSize, depth: recurrentWeights.count / (4 * hiddenSize),
      matrix: recurrentWeights)
    self.bias = PackedWeights(gatesOf: hiddenSize, depth: 1, matrix: bias)
  }

  /// Floats of projected input kept at a time: what a core's own cache holds beside the weights.
  static let projectedWindow = 1 << 18

  /// Runs every rider over its steps.
  ///
  /// - Parameters:
  ///   - input: layout.rows × inputSize.
  ///   - output: layout.rows × at least `column` + outputSize; h of each step is written from `column` on.
  ///   - state: the riders' states before their first step; after their last when the call returns.
  func forward(
    _ input: Matrix, layout: PackedLayout, state: inout LSTMState, output: inout Matrix,
    column: Int, scratch: inout LSTMScratch, kernels: Kernels
  ) {
    let stepCount = layout.active.count
    scratch.window.resize(
      rows: Swift.max(layout.active.first ?? 0, Self.projectedWindow / bias.packedColumns),
      columns: bias.packedColumns)
    scratch.raw.resize(rows: layout.active.first ?? 0, columns: hiddenSize)

    var done = 0
    while done < stepCount {
      // A window of steps in the direction of travel; its rows lie together in the layout.
      var rows = 0
      var end = done
      while end < stepCount {
        let next = layout.active[time(end, of: stepCount)]
        if end > done && rows + next > scratch.window.rows { break }
        rows += next
        end += 1
      }
      let firstStep = Swift.min(time(done, of: stepCount), time(end - 1, of: stepCount))
      let firstRow = layout.starts[firstStep]
      project(input, rows: firstRow..<firstRow + rows, into: &scratch.window, kernels: kernels)
      for index in done..<end {
        let t = time(index, of: stepCount)
        step(
          t, layout: layout, projectedRow: layout.starts[t] - firstRow, state: &state,
          output: &output, column: column, scratch: &scratch, kernels: kernels)
      }
      done = end
    }
    for rider in layout.steps.indices {
      let row = isReverse ? rider : layout.lastRow(rider: rider)
      state.hidden.set(
        row: rider, from: output.values, at: row * output.columns + column, count: outputSize)
    }
  }

  /// The step that comes `index`-th in this layer's direction.
  private func time(_ index: Int, of stepCount: Int) -> Int {
    isReverse ? stepCount - 1 - index : index
  }

  /// b + W x for a window of rows.
  private func project(
    _ input: Matrix, rows: Range<Int>, into projected: inout Matrix, kernels: Kernels
  ) {
    let (depth, columns) = (inputSize, bias.packedColumns)
    precondition(input.columns == depth && rows.upperBound <= input.rows)
    precondition(rows.count <= projected.rows && projected.columns == columns)
    // SAFETY: `rows` lies within `input`, and `projected` holds that many rows of `columns` floats.
    unsafe input.values.withUnsafeBufferPointer { input in
      unsafe projected.values.withUnsafeMutableBufferPointer { output in
        var call = unsafe ck_gemm(
          rows: rows.count, depth: depth, columns: columns,
          input: input.baseAddress! + rows.lowerBound * depth, input_stride: depth,
          weights: inputWeights.pointer, bias: bias.pointer, output: output.baseAddress!,
          output_stride: columns)
        unsafe kernels.routines.gemm_f32(&call)
      }
    }
  }

  /// One step of all riders active at `t`.
  private func step(
    _ t: Int, layout: PackedLayout, projectedRow: Int, state: inout LSTMState,
    output: inout Matrix, column: Int, scratch: inout LSTMScratch, kernels: Kernels
  ) {
    // Riders that have come this far hold h in the previous step's rows of the output; the others start
    // here, from their state. Forward, all have or none has; in reverse, short ones join as t falls.
    let previous = isReverse ? t + 1 : t - 1
    let joined = layout.active.indices.contains(previous) ? layout.active[previous] : 0
    let active = layout.active[t]
    let continuing = Swift.min(joined, active)
    let (width, hiddenSize, outputSize) = (output.columns, self.hiddenSize, self.outputSize)
    precondition(column + outputSize <= width && layout.rows <= output.rows)
    precondition(state.cell.columns == hiddenSize && state.hidden.columns == outputSize)
    precondition(state.cell.rows >= active && state.hidden.rows >= active)

    // SAFETY: the preconditions bound every row below; h is read from the rows of one step, or from the
    // state, and written to those of another, or to scratch, so nothing overlaps.
    unsafe scratch.window.values.withUnsafeBufferPointer { projected in
      unsafe scratch.raw.values.withUnsafeMutableBufferPointer { raw in
        unsafe state.hidden.values.withUnsafeBufferPointer { initial in
          unsafe state.cell.values.withUnsafeMutableBufferPointer { cell in
            unsafe output.values.withUnsafeMutableBufferPointer { output in
              let base = unsafe output.baseAddress! + column
              func run(
                _ riders: Range<Int>, hidden: UnsafePointer<Float>, hiddenStride: Int
              ) {
                guard !riders.isEmpty else { return }
                let target = unsafe base + (layout.starts[t] + riders.lowerBound) * width
                let shown = unsafe projection == nil ? target : raw.baseAddress!
                let shownStride = projection == nil ? width : hiddenSize
                var call = unsafe ck_lstm_step()
                unsafe call.rows = riders.count
                unsafe call.recurrent_size = outputSize
                unsafe call.hidden_size = hiddenSize
                unsafe call.projected =
                  projected.baseAddress! + (projectedRow + riders.lowerBound) * bias.packedColumns
                unsafe call.projected_stride = bias.packedColumns
                unsafe call.hidden = hidden
                unsafe call.hidden_stride = hiddenStride
                unsafe call.recurrent_weights = recurrentWeights.pointer
                unsafe call.cell = cell.baseAddress! + riders.lowerBound * hiddenSize
                unsafe call.cell_stride = hiddenSize
                unsafe call.output = shown
                unsafe call.output_stride = shownStride
                unsafe kernels.routines.lstm_step_f32(&call)
                if let projection {
                  unsafe projection.forward(
                    rows: riders.count, UnsafePointer(shown), stride: hiddenSize, into: target,
                    stride: width, kernels: kernels)
                }
              }
              if continuing > 0 {
                unsafe run(
                  0..<continuing, hidden: UnsafePointer(base + layout.starts[previous] * width),
                  hiddenStride: width)
              }
              unsafe run(
                continuing..<active, hidden: initial.baseAddress! + continuing * outputSize,
                hiddenStride: outputSize)
            }
          }
        }
      }
    }
  }
}

/// Room that layers share within a turn.
struct LSTMScratch {
  /// Projected inputs of a window of steps.
  var window = Matrix()
  /// h of one step before its projection.
  var raw = Matrix()
}

extension LSTMLayer {
  /// The layers of a node, layer by layer, forward then reverse, from PyTorch's tensors under `prefix`.
  static func load(
    prefix: String, shape: Model.LSTMShape, from tensors: TensorFile
  ) throws(ModelError) -> [LSTMLayer] {
    var layers: [LSTMLayer] = []
    for layer in 0..<shape.layers {
      for direction in 0..<shape.directions {
        let suffix = "_l\(layer)" + (direction == 1 ? "_reverse" : "")
        var bias = [Float](repeating: 0, count: 4 * shape.hiddenSize)
        if shape.hasBias {
          let input = try tensors.floats("\(prefix).bias_ih\(suffix)")
          let recurrent = try tensors.floats("\(prefix).bias_hh\(suffix)")
          bias = zip(input, recurrent).map { $0 + $1 }
        }
        var projection: [Float]?
        if shape.projectionSize != nil {
          projection = try tensors.floats("\(prefix).weight_hr\(suffix)")
        }
        layers.append(
          LSTMLayer(
            inputSize: layer == 0 ? shape.inputSize : shape.directions * shape.outputSize,
            hiddenSize: shape.hiddenSize, isReverse: direction == 1,
            inputWeights: try tensors.floats("\(prefix).weight_ih\(suffix)"),
            recurrentWeights: try tensors.floats("\(prefix).weight_hh\(suffix)"),
            bias: bias, projection: projection))
      }
    }
    return layers
  }
}
