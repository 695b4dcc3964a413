import ModelFormat
import Testing

@testable import carousel

@Suite struct KernelBenchmarkTests {
  /// Any shape, however it is divided: the benchmark itself compares the answer with the scalar routines'.
  @Test(arguments: Precision.allCases, [1, 2, 3])
  func measuresEveryPrecision(precision: Precision, threads: Int) throws {
    let shapes: [(KernelBenchmark.Cell, Int, Int, Int, Int)] = [
      (.lstm, 1, 1, 1, 1), (.rnn, 33, 65, 2, 3), (.gru, 64, 16, 7, 5), (.lstm, 64, 16, 7, 5),
    ]
    for (cell, hidden, input, batch, steps) in shapes {
      let shape = KernelBenchmark.Shape(
        cell: cell, hiddenSize: hidden, inputSize: input, batchSize: batch, stepCount: steps,
        threads: threads, precision: precision)
      let result = try KernelBenchmark(shape).run(seconds: 0.001)
      #expect(result.shape == shape)
      #expect(result.milliseconds > 0 && result.p99Milliseconds >= result.milliseconds)
      #expect((threads == 1) == (result.division == .none))
    }
  }
}
