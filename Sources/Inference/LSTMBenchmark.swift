import CKernels
import ModelFormat

/// Measures one layer's pass over a batch, beside what this machine can do at best.
package struct LSTMBenchmark: Sendable {
  /// What to measure.
  package struct Shape: Sendable, Equatable {
    package let hiddenSize, inputSize, batchSize, stepCount, threads: Int
    package let precision: Precision

    package init(
      hiddenSize: Int, inputSize: Int, batchSize: Int, stepCount: Int, threads: Int,
      precision: Precision
    ) {
      self.hiddenSize = hiddenSize
      self.inputSize = inputSize
      self.batchSize = batchSize
      self.stepCount = stepCount
      self.threads = threads
      self.precision = precision
    }

    /// In W and R.
    package var weightCount: Int { 4 * hiddenSize * (inputSize + hiddenSize) }

    /// Floating-point (or integer) operations of a pass: two a weight, a row and a step.
    var operations: Double {
      2 * Double(weightCount) * Double(batchSize) * Double(stepCount)
    }
  }

  /// How threads divide the work.
  package enum Division: String, Sendable {
    case none
    /// Each has some of the rows, and all of the weights.
    case rows
    /// Each has some of the hidden units, and meets the others at every step.
    case units
  }

  package struct Result: Sendable {
    package let shape: Shape
    package let instructionSet: String
    package let division: Division
    /// One pass: all steps of all rows. Median and 99th percentile.
    package let milliseconds, p99Milliseconds: Double
    package let gflops: Double
    /// The multiply-add units' peak, in f32, of as many threads.
    package let peakGflops: Double
    /// Gigabytes a second that as many threads read of the recurrent weights, each its share again and again.
    package let readGBps: Double
    /// Gigabytes a second of weights that the pass read: R once a step, W once a window of steps.
    package let weightsGBps: Double
  }

  /// An answer that is not the scalar routines'.
  package struct WrongAnswer: Error, CustomStringConvertible {
    package let description: String
  }

  private let shape: Shape
  private let kernels: Kernels
  private let layer: LSTMLayer
  private let input: Matrix

  /// Makes a layer with weights as PyTorch draws them, uniform within 1/√H, and standard normal inputs.
  package init(_ shape: Shape, kernels: Kernels = .shared) {
    var noise = Noise()
    let (hidden, depth) = (shape.hiddenSize, shape.inputSize)
    let bound = 1 / Float(hidden).squareRoot()
    func uniform(_ count: Int) -> [Float] {
      (0..<count).map { _ in Float.random(in: -bound...bound, using: &noise) }
    }
    self.shape = shape
    self.kernels = kernels
    layer = LSTMLayer(
      LSTMCell(), precision: shape.precision, inputSize: depth, hiddenSize: hidden,
      isReverse: false,
      inputWeights: uniform(4 * hidden * depth), recurrentWeights: uniform(4 * hidden * hidden),
      bias: uniform(4 * hidden), projection: nil)
    var input = Matrix(rows: shape.stepCount * shape.batchSize, columns: depth)
    input.values = (0..<input.values.count).map { _ in noise.normal() }
    self.input = input
  }

  /// Checks the answer, then measures for about `seconds`.
  package func run(seconds: Double) throws(WrongAnswer) -> Result {
    let crew = Crew(size: shape.threads)
    let whole = Batch(layer, rows: 0..<shape.batchSize, of: shape, input)
    whole.run(kernels, crew: nil)
    try check(whole)
    let division = try fastestDivision(crew, expected: whole)
    let batches = batches(for: division)

    var peak = 0.0
    var read = 0.0
    var times: [Double] = []
    // The machine's limits are measured around and between the passes: its speed wanders.
    let rounds = 4
    // For a few milliseconds each time, less where all is to be over sooner.
    let effort = min(1, seconds / Double(rounds) * 10)
    for _ in 0..<rounds {
      peak = max(peak, peakGflops(crew, effort: effort))
      read = max(read, readGBps(crew, effort: effort))
      let end = ContinuousClock.now + .seconds(seconds / Double(rounds))
      repeat {
        times.append(time { Self.run(batches, division, kernels, crew) })
      } while ContinuousClock.now < end
    }
    times.sort()
    let median = times[times.count / 2]
    let windowSteps = max(
      1, RecurrentScratch.windowRows(layer, layout: whole.layout) / shape.batchSize)
    let windows = (shape.stepCount + windowSteps - 1) / windowSteps
    let weightBytes =
      shape.stepCount * layer.recurrentWeights.panelBytes
      + windows * layer.inputWeights.panelBytes
    return Result(
      shape: shape, instructionSet: kernels.instructionSet.rawValue, division: division,
      milliseconds: median * 1e3, p99Milliseconds: times[times.count * 99 / 100] * 1e3,
      gflops: shape.operations / median * 1e-9, peakGflops: peak, readGBps: read,
      weightsGBps: Double(weightBytes) / median * 1e-9)
  }

  // MARK: - Dividing

  private func batches(for division: Division) -> [Batch] {
    let shares = division == .rows ? shape.threads : 1
    return (0..<shares).map {
      let rows = Share(index: $0, count: shares).of(shape.batchSize)
      return Batch(layer, rows: rows, of: shape, input)
    }
  }

  private static func run(
    _ batches: [Batch], _ division: Division, _ kernels: Kernels, _ crew: Crew
  ) {
    switch division {
    case .none: batches[0].run(kernels, crew: nil)
    case .units: batches[0].run(kernels, crew: crew)
    case .rows:
      crew.run { share, _ in
        for index in share.of(batches.count) { batches[index].run(kernels, crew: nil) }
      }
    }
  }

  /// Tries the ways to divide the work, whose answers must be those of one thread, and takes the fastest.
  private func fastestDivision(
    _ crew: Crew, expected: Batch
  ) throws(WrongAnswer) -> Division {
    guard shape.threads > 1 else { return .none }
    var best = (division: Division.none, seconds: Double.infinity)
    for division in [Division.rows, .units] {
      if division == .rows, shape.batchSize < shape.threads { continue }
      let batches = batches(for: division)
      Self.run(batches, division, kernels, crew)
      guard batches.allSatisfy({ $0.output(matches: expected) }) else {
        throw WrongAnswer(description: "\(shape): divided by \(division), the answer is another")
      }
      let seconds = (0..<5).map { _ in
        time { Self.run(batches, division, kernels, crew) }
      }.min()!
      if seconds < best.seconds { best = (division, seconds) }
    }
    return best.division
  }

  // MARK: - Checking

  /// Compares the first steps of the first and the last row with the scalar routines', bit by bit.
  private func check(_ whole: Batch) throws(WrongAnswer) {
    guard let scalar = Kernels(.scalar) else { preconditionFailure("no scalar routines") }
    let steps = min(2, shape.stepCount)
    for row in Set([0, shape.batchSize - 1]) {
      let few = Shape(
        hiddenSize: shape.hiddenSize, inputSize: shape.inputSize, batchSize: shape.batchSize,
        stepCount: steps, threads: 1, precision: shape.precision)
      let alone = Batch(layer, rows: row..<row + 1, of: few, input)
      alone.run(scalar, crew: nil)
      guard alone.output(matches: whole) else {
        throw WrongAnswer(
          description: "\(shape): row \(row) differs from the scalar routines' answer")
      }
    }
  }

  // MARK: - The machine's limits

  private func peakGflops(_ crew: Crew, effort: Double) -> Double {
    let count = max(1000, Int(200_000 * effort))
    let flops = Double(unsafe kernels.routines.fma_flops * count * shape.threads)
    let seconds = (0..<3).map { _ in
      time {
        crew.run { share, _ in
          for _ in share.of(shape.threads) { _ = unsafe kernels.routines.fma_f32(count) }
        }
      }
    }.min()!
    return flops / seconds * 1e-9
  }

  private func readGBps(_ crew: Crew, effort: Double) -> Double {
    let weights = layer.recurrentWeights
    let times = max(1, Int(200_000_000 * effort) / weights.panelBytes)
    let seconds = (0..<3).map { _ in
      time {
        crew.run { share, _ in
          for part in share.of(shape.threads) {
            let part = Share(index: part, count: shape.threads)
            for _ in 0..<times { weights.read(part, kernels: kernels) }
          }
        }
      }
    }.min()!
    return Double(weights.panelBytes * times) / seconds * 1e-9
  }

  private func time(_ work: () -> Void) -> Double {
    let start = ContinuousClock.now
    work()
    let elapsed = start.duration(to: .now).components
    return Double(elapsed.seconds) + Double(elapsed.attoseconds) * 1e-18
  }
}

/// Some rows of a benchmark's batch, and what their pass writes.
///
/// Unchecked: one thread at a time runs it.
private final class Batch: @unchecked Sendable {
  let layer: LSTMLayer
  let layout: PackedLayout
  let rows: Range<Int>
  private let input: Matrix
  private var output: Matrix
  private var state = RecurrentState()
  private let scratch = RecurrentScratch()

  /// - Parameter whole: steps × rows of all the shape's rows.
  init(_ layer: LSTMLayer, rows: Range<Int>, of shape: LSTMBenchmark.Shape, _ whole: Matrix) {
    self.layer = layer
    self.rows = rows
    layout = PackedLayout(steps: Array(repeating: shape.stepCount, count: rows.count))
    var input = Matrix(rows: layout.rows, columns: whole.columns)
    for step in 0..<shape.stepCount {
      for (index, row) in rows.enumerated() {
        input.set(
          row: step * rows.count + index, from: whole.values,
          at: (step * shape.batchSize + row) * whole.columns, count: whole.columns)
      }
    }
    self.input = input
    output = Matrix(rows: layout.rows, columns: layer.outputSize)
  }

  /// One pass, from states of zero.
  func run(_ kernels: Kernels, crew: Crew?) {
    state = RecurrentState()
    state.hidden.resize(rows: rows.count, columns: layer.outputSize)
    state.cell.resize(rows: rows.count, columns: layer.hiddenSize)
    layer.forward(
      input, layout: layout, state: &state, output: &output, column: 0, scratch: scratch,
      kernels: kernels, crew: crew)
  }

  /// Whether every row and step that both have is the same, to the bit.
  func output(matches other: Batch) -> Bool {
    let columns = output.columns
    return (0..<min(layout.active.count, other.layout.active.count)).allSatisfy { step in
      rows.allSatisfy { row in
        guard other.rows.contains(row) else { return true }
        let mine = (step * rows.count + row - rows.lowerBound) * columns
        let theirs = (step * other.rows.count + row - other.rows.lowerBound) * columns
        return (0..<columns).allSatisfy {
          output.values[mine + $0].bitPattern == other.output.values[theirs + $0].bitPattern
        }
      }
    }
  }
}
