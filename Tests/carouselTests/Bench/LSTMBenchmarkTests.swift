import ModelFormat
import Testing

@testable import carousel

@Suite struct LSTMBenchmarkTests {
  /// Any shape, however it is divided: the benchmark itself compares the answer with the scalar routines'.
  @Test(arguments: Precision.allCases, [1, 2, 3])
  func measuresEveryPrecision(precision: Precision, threads: Int) throws {
    for (hidden, input, batch, steps) in [(1, 1, 1, 1), (33, 65, 2, 3), (64, 16, 7, 5)] {
      let shape = LSTMBenchmark.Shape(
        hiddenSize: hidden, inputSize: input, batchSize: batch, stepCount: steps,
        threads: threads, precision: precision)
      let result = try LSTMBenchmark(shape).run(seconds: 0.001)
      #expect(result.shape == shape)
      #expect(result.milliseconds > 0 && result.p99Milliseconds >= result.milliseconds)
      #expect((threads == 1) == (result.division == .none))
    }
  }
}
