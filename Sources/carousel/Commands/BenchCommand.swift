import ArgumentParser
import Inference
import ModelFormat

/// `carousel bench`.
struct BenchCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench", abstract: "Measures this machine.",
    subcommands: [BenchKernelCommand.self])
}

/// `carousel bench kernel`.
struct BenchKernelCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "kernel",
    abstract: "Measures the LSTM's routines beside what the machine can do at best.",
    discussion: """
      One layer, random weights, every combination of the lists. Each answer is first checked against the \
      scalar routines', bit by bit. Then passes are timed, and between them the peak of the multiply-add \
      units and the bandwidth at which the recurrent weights can be read, which the shares refer to.

      With more than one thread, both ways to divide the work are tried, by rows and by hidden units, and \
      the faster is measured.
      """)

  @Option(help: "Hidden sizes, separated by commas.")
  var hidden = NumberList([128, 256, 512, 1024])

  @Option(help: "Input sizes; the hidden size where left out.")
  var input: NumberList?

  @Option(help: "Batch sizes.")
  var batch = NumberList([1, 4, 16, 64])

  @Option(help: "Steps.")
  var steps = NumberList([32])

  @Option(help: "Threads.")
  var threads = NumberList([1])

  @Option(help: "Precisions of the weights: f32, f16, int8.")
  var precision = PrecisionList([.f32])

  @Option(help: "Seconds to measure each shape for.")
  var seconds = 0.5

  @Flag(help: "Print a JSON object a line, a line a shape, instead of a table.")
  var json = false

  func validate() throws {
    guard seconds > 0, seconds <= 600 else {
      throw ValidationError("--seconds: found \(seconds), expected more than 0 and at most 600")
    }
    for shape in shapes where shape.weightCount > Self.maxWeights {
      throw ValidationError(
        "--hidden \(shape.hiddenSize) --input \(shape.inputSize): found \(shape.weightCount) weights, "
          + "expected at most \(Self.maxWeights)")
    }
  }

  func run() throws {
    try checkInstructionSet()
    if !json { print(Self.heading) }
    for shape in shapes {
      let result = try LSTMBenchmark(shape).run(seconds: seconds)
      print(try Self.line(result, json: json))
    }
  }

  /// A gigabyte of them in f32.
  private static let maxWeights = 1 << 28

  private var shapes: [LSTMBenchmark.Shape] {
    var shapes: [LSTMBenchmark.Shape] = []
    for precision in precision.values {
      for threads in threads.values {
        for hidden in hidden.values {
          for input in input?.values ?? [hidden] {
            for batch in batch.values {
              for steps in steps.values {
                shapes.append(
                  LSTMBenchmark.Shape(
                    hiddenSize: hidden, inputSize: input, batchSize: batch, stepCount: steps,
                    threads: threads, precision: precision))
              }
            }
          }
        }
      }
    }
    return shapes
  }

  private static let heading = """
    precision threads hidden  input batch steps       ms    p99 ms  GFLOP/s  of peak  GB/s of weights  of read  isa
    """

  static func line(_ result: LSTMBenchmark.Result, json: Bool) throws -> String {
    if json { return try lineJSON(Row(result)) }
    let shape = result.shape
    func right(_ text: String, _ width: Int) -> String {
      String(repeating: " ", count: Swift.max(0, width - text.count)) + text
    }
    func fixed(_ value: Double, _ places: Int) -> String {
      let unit = (0..<places).reduce(1) { unit, _ in unit * 10 }
      let count = Int((value * Double(unit)).rounded())
      let fraction = String(count % unit)
      let zeros = String(repeating: "0", count: places - fraction.count)
      return "\(count / unit).\(zeros)\(fraction)"
    }
    func share(_ part: Double, _ whole: Double) -> String {
      "\(Int((100 * part / whole).rounded())) %"
    }
    return [
      right(shape.precision.rawValue, 9), right("\(shape.threads)", 7),
      right("\(shape.hiddenSize)", 6), right("\(shape.inputSize)", 6),
      right("\(shape.batchSize)", 5), right("\(shape.stepCount)", 5),
      right(fixed(result.milliseconds, 3), 8), right(fixed(result.p99Milliseconds, 3), 9),
      right(fixed(result.gflops, 1), 8), right(share(result.gflops, result.peakGflops), 8),
      right(fixed(result.weightsGBps, 1), 16),
      right(share(result.weightsGBps, result.readGBps), 8),
      " \(result.instructionSet)\(shape.threads > 1 ? ", by \(result.division.rawValue)" : "")",
    ].joined(separator: " ")
  }

  private struct Row: Encodable {
    let precision: String
    let threads, hidden, input, batch, steps: Int
    let isa: String
    let division: String
    let milliseconds, p99Milliseconds: Double
    let gflops, peakGflops: Double
    let weightsGBps, readGBps: Double

    enum CodingKeys: String, CodingKey {
      case precision, threads, hidden, input, batch, steps, isa, division, milliseconds, gflops
      case p99Milliseconds = "p99_milliseconds"
      case peakGflops = "peak_gflops"
      case weightsGBps = "weights_gbps"
      case readGBps = "read_gbps"
    }

    init(_ result: LSTMBenchmark.Result) {
      let shape = result.shape
      precision = shape.precision.rawValue
      (threads, hidden, input) = (shape.threads, shape.hiddenSize, shape.inputSize)
      (batch, steps) = (shape.batchSize, shape.stepCount)
      isa = result.instructionSet
      division = result.division.rawValue
      milliseconds = result.milliseconds
      p99Milliseconds = result.p99Milliseconds
      gflops = result.gflops
      peakGflops = result.peakGflops
      weightsGBps = result.weightsGBps
      readGBps = result.readGBps
    }
  }
}

/// Whole numbers of 1 and more, separated by commas.
struct NumberList: ExpressibleByArgument {
  let values: [Int]

  init(_ values: [Int]) {
    self.values = values
  }

  init?(argument: String) {
    let parts = argument.split(separator: ",", omittingEmptySubsequences: false)
    values = parts.compactMap { Int($0) }.filter { $0 > 0 && $0 <= 1 << 20 }
    guard values.count == parts.count else { return nil }
  }

  var defaultValueDescription: String { values.map { "\($0)" }.joined(separator: ",") }
}

/// Precisions, separated by commas.
struct PrecisionList: ExpressibleByArgument {
  let values: [Precision]

  init(_ values: [Precision]) {
    self.values = values
  }

  init?(argument: String) {
    let parts = argument.split(separator: ",", omittingEmptySubsequences: false)
    values = parts.compactMap { Precision(rawValue: String($0)) }
    guard values.count == parts.count else { return nil }
  }

  var defaultValueDescription: String { values.map(\.rawValue).joined(separator: ",") }
}
