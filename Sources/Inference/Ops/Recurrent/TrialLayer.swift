import ModelFormat

/// A layer with random weights, for measurements: uniform within ±1/√H, as PyTorch draws them.
package final class TrialLayer: Sendable {
  fileprivate let layer: RecurrentLayer

  /// - Parameters:
  ///   - op: the op of a recurrent network.
  ///   - kernels: the kernels to run.
  package init(
    _ op: ModelDescription.Op = .lstm, inputSize: Int, hiddenSize: Int, precision: Precision,
    noise: inout Noise, kernels: Kernels
  ) {
    guard let cell = OpTable.cell(of: op) else {
      preconditionFailure("\(op.name) is no recurrent network")
    }
    let (bound, rows) = (1 / Float(hiddenSize).squareRoot(), cell.gates * hiddenSize)
    func uniform(_ count: Int, _ noise: inout Noise) -> [Float] {
      (0..<count).map { _ in Float.random(in: -bound...bound, using: &noise) }
    }
    layer = RecurrentLayer(
      cell, precision: precision, inputSize: inputSize, hiddenSize: hiddenSize,
      isReverse: false, inputWeights: uniform(rows * inputSize, &noise),
      recurrentWeights: uniform(rows * hiddenSize, &noise), bias: uniform(rows, &noise),
      recurrentBias: cell.separateBiases.isEmpty ? nil : uniform(rows, &noise),
      multiplier: cell.multiplies
        ? (uniform(hiddenSize * inputSize, &noise), uniform(hiddenSize * hiddenSize, &noise)) : nil,
      projection: nil,
      kernels: kernels)
  }

  /// The bytes of packed weights, without biases.
  package var inputWeightBytes: Int { layer.inputWeights.panelBytes }
  package var recurrentWeightBytes: Int { layer.recurrentWeights.panelBytes }

  /// Reads a share of the recurrent weights once, at full speed.
  package func readRecurrentWeights(_ share: Share, kernels: Kernels) {
    layer.recurrentWeights.read(share, kernels: kernels)
  }
}

/// Sequences of one length for a trial layer, and the output of a pass over them.
///
/// Unchecked: one thread uses it at a time.
package final class TrialBatch: @unchecked Sendable {
  package let rows: Int
  private let trial: TrialLayer
  private let layout: PackedLayout
  private var input: Matrix
  private var output: Matrix
  private var state = RecurrentState()
  private let scratch = RecurrentScratch()

  /// - Parameter input: steps × rows × inputSize.
  package init(_ trial: TrialLayer, rows: Int, steps: Int, input: [Float]) {
    precondition(input.count == steps * rows * trial.layer.inputSize)
    self.rows = rows
    self.trial = trial
    layout = PackedLayout(steps: Array(repeating: steps, count: rows))
    self.input = Matrix(rows: layout.rows, columns: trial.layer.inputSize)
    self.input.values = input
    output = Matrix(rows: layout.rows, columns: trial.layer.outputSize)
  }

  /// The number of windows, in each of which a pass reads the input weights once.
  package var windows: Int {
    let steps = Swift.max(1, RecurrentScratch.windowRows(trial.layer, layout: layout) / rows)
    return (layout.active.count + steps - 1) / steps
  }

  /// One pass, from states of zero.
  package func run(_ kernels: Kernels, crew: Crew?) {
    state = RecurrentState()
    state.hidden.resize(rows: rows, columns: trial.layer.outputSize)
    state.cell.resize(rows: rows, columns: trial.layer.cellSize)
    trial.layer.forward(
      input, layout: layout, state: &state, output: &output, column: 0, scratch: scratch,
      kernels: kernels, crew: crew)
  }

  /// h of a row at a step, of the last pass.
  package func hidden(row: Int, step: Int) -> ArraySlice<Float> {
    output.values[output.row(layout.row(rider: row, step: step))]
  }
}
