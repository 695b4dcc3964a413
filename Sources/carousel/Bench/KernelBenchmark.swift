import Inference
import ModelFormat
import Scheduling

/// Measures a pass of one layer over a batch, and the machine's own limits for comparison.
struct KernelBenchmark: Sendable {
  /// The kind of cell, in the variant that PyTorch has.
  enum Cell: String, Sendable, CaseIterable {
    case lstm, gru, rnn, mlstm

    /// The number of rows of W and R per hidden unit.
    var gates: Int {
      switch self {
      case .lstm: 4
      case .gru: 3
      case .rnn: 1
      // Four gates and the product.
      case .mlstm: 5
      }
    }

    fileprivate var op: ModelDescription.Op {
      switch self {
      case .lstm: .lstm
      case .gru: .gru
      case .rnn: .rnn
      case .mlstm: .mlstm
      }
    }
  }

  /// What to measure.
  struct Shape: Sendable, Equatable {
    let cell: Cell
    let hiddenSize, inputSize, batchSize, stepCount, threads: Int
    let precision: Precision

    init(
      cell: Cell = .lstm, hiddenSize: Int, inputSize: Int, batchSize: Int, stepCount: Int,
      threads: Int, precision: Precision
    ) {
      self.cell = cell
      self.hiddenSize = hiddenSize
      self.inputSize = inputSize
      self.batchSize = batchSize
      self.stepCount = stepCount
      self.threads = threads
      self.precision = precision
    }

    /// The number of weights in W and R.
    var weightCount: Int { cell.gates * hiddenSize * (inputSize + hiddenSize) }

    /// The floating-point (or integer) operations of a pass: two for each weight, row and step.
    var operations: Double { operations(weightCount) }

    /// The operations of a pass that R takes part in.
    fileprivate var recurrentOperations: Double { operations(cell.gates * hiddenSize * hiddenSize) }

    private func operations(_ weights: Int) -> Double {
      2 * Double(weights) * Double(batchSize) * Double(stepCount)
    }
  }

  /// How threads divide the work.
  enum Division: String, Sendable {
    case none
    /// Each thread has some of the rows, and all of the weights.
    case rows
    /// Each thread has some of the hidden units, and waits for the others at every step.
    case units
  }

  struct Result: Sendable {
    let shape: Shape
    let instructionSet: String
    let division: Division
    /// The time of a pass, all steps of all rows: median and 99th percentile.
    let milliseconds, p99Milliseconds: Double
    let gflops: Double
    /// The f32 peak of the multiply-add units, with the same number of threads.
    let peakGflops: Double
    /// The gigabytes a second at which the same number of threads read the recurrent weights, each its own share again
    /// and again.
    let readGBps: Double
    /// The gigabytes of weights a second that the pass read: R once a step, W once a window of steps.
    let weightsGBps: Double
    /// The bound on a pass: it multiplies at the peak or, if that takes longer, reads R at each step. W is read for many steps
    /// at once. Nil for int8, whose products have another peak.
    let boundGflops: Double?
  }

  /// The error of a result that differs from the scalar routines'.
  struct WrongAnswer: Error, CustomStringConvertible {
    let description: String
  }

  private let shape: Shape
  private let kernels: Kernels
  private let layer: TrialLayer
  /// steps × rows × inputSize.
  private let input: [Float]

  /// Makes a layer with weights drawn as PyTorch draws them, and standard normal inputs.
  init(_ shape: Shape, kernels: Kernels = .shared) {
    self.shape = shape
    self.kernels = kernels
    layer = Self.layer(shape, for: kernels)
    var noise = Noise(from: 2)
    input = (0..<shape.stepCount * shape.batchSize * shape.inputSize).map { _ in noise.normal() }
  }

  /// The layer; its weights are the same each time.
  private static func layer(_ shape: Shape, for kernels: Kernels) -> TrialLayer {
    var noise = Noise()
    return TrialLayer(
      shape.cell.op, inputSize: shape.inputSize, hiddenSize: shape.hiddenSize,
      precision: shape.precision,
      noise: &noise, kernels: kernels)
  }

  /// Checks the result, then measures for about `seconds`.
  func run(seconds: Double) throws(WrongAnswer) -> Result {
    let crew = Crew(size: shape.threads)
    let whole = Batch(layer, rows: 0..<shape.batchSize, of: shape, input)
    whole.run(kernels, crew: nil)
    try check(whole)
    let division = try fastestDivision(crew, expected: whole)
    let batches = batches(for: division)

    var peak = 0.0
    var read = 0.0
    var times: [Double] = []
    // The machine's limits are measured before, between and after the passes, as its speed varies.
    let rounds = 4
    // A few milliseconds each time, less for a short benchmark.
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
    let weightBytes =
      shape.stepCount * layer.recurrentWeightBytes + whole.windows * layer.inputWeightBytes
    return Result(
      shape: shape, instructionSet: kernels.instructionSet.rawValue, division: division,
      milliseconds: median * 1e3, p99Milliseconds: times[times.count * 99 / 100] * 1e3,
      gflops: shape.operations / median * 1e-9, peakGflops: peak, readGBps: read,
      weightsGBps: Double(weightBytes) / median * 1e-9,
      boundGflops: boundGflops(peak: peak, read: read))
  }

  private func boundGflops(peak: Double, read: Double) -> Double? {
    guard shape.precision != .int8 else { return nil }
    let recurrent = shape.recurrentOperations
    let bytes = Double(shape.stepCount * layer.recurrentWeightBytes)
    let nanoseconds = (shape.operations - recurrent) / peak + max(recurrent / peak, bytes / read)
    return shape.operations / nanoseconds
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

  /// Measures each way to divide the work, checks its result against one thread's, and returns the fastest.
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

  /// Compares the first steps of the first and the last row with the scalar routines', to the bit.
  private func check(_ whole: Batch) throws(WrongAnswer) {
    guard let scalar = Kernels(.scalar) else { preconditionFailure("no scalar routines") }
    let layer = Self.layer(shape, for: scalar)
    let steps = min(2, shape.stepCount)
    for row in Set([0, shape.batchSize - 1]) {
      let alone = Batch(layer, rows: row..<row + 1, steps: steps, of: shape, input)
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
    let flops = Double(kernels.multiplyAddOperations * count * shape.threads)
    let seconds = (0..<3).map { _ in
      time {
        crew.run { share, _ in
          for _ in share.of(shape.threads) { kernels.multiplyAdd(rounds: count) }
        }
      }
    }.min()!
    return flops / seconds * 1e-9
  }

  private func readGBps(_ crew: Crew, effort: Double) -> Double {
    let bytes = layer.recurrentWeightBytes
    let times = max(1, Int(200_000_000 * effort) / bytes)
    let seconds = (0..<3).map { _ in
      time {
        crew.run { share, _ in
          for part in share.of(shape.threads) {
            let part = Share(index: part, count: shape.threads)
            for _ in 0..<times { layer.readRecurrentWeights(part, kernels: kernels) }
          }
        }
      }
    }.min()!
    return Double(bytes * times) / seconds * 1e-9
  }

  private func time(_ work: () -> Void) -> Double {
    let start = ContinuousClock.now
    work()
    return start.duration(to: .now).seconds
  }
}

/// Some rows of a benchmark's batch, and the output of their pass.
private struct Batch: Sendable {
  let rows: Range<Int>
  private let steps: Int
  private let trial: TrialBatch

  /// - Parameters:
  ///   - steps: how many of the shape's steps; nil for all.
  ///   - input: steps × rows, with all rows of the shape.
  init(
    _ layer: TrialLayer, rows: Range<Int>, steps: Int? = nil, of shape: KernelBenchmark.Shape,
    _ input: [Float]
  ) {
    self.rows = rows
    self.steps = steps ?? shape.stepCount
    let own = (0..<self.steps).flatMap { step in
      let row = step * shape.batchSize
      return input[
        (row + rows.lowerBound) * shape.inputSize..<(row + rows.upperBound) * shape.inputSize]
    }
    trial = TrialBatch(layer, rows: rows.count, steps: self.steps, input: own)
  }

  var windows: Int { trial.windows }

  func run(_ kernels: Kernels, crew: Crew?) {
    trial.run(kernels, crew: crew)
  }

  /// Whether the outputs of the rows and steps that both batches have are the same, to the bit.
  func output(matches other: Batch) -> Bool {
    (0..<min(steps, other.steps)).allSatisfy { step in
      rows.clamped(to: other.rows).allSatisfy { row in
        zip(hidden(row, step), other.hidden(row, step)).allSatisfy {
          $0.bitPattern == $1.bitPattern
        }
      }
    }
  }

  private func hidden(_ row: Int, _ step: Int) -> ArraySlice<Float> {
    trial.hidden(row: row - rows.lowerBound, step: step)
  }
}
