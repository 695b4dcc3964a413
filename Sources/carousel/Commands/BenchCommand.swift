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
    abstract: "Measures the routines of recurrent cells beside what the machine can do at best.",
    discussion: """
      One layer, random weights, every combination of the lists. Each answer is first checked against the \
      scalar routines', bit by bit. Then passes are timed, and between them the peak of the multiply-add \
      units and the bandwidth at which the recurrent weights can be read, which the shares refer to. The bound of f32 \
      and f16 is a pass that multiplies at the peak and, where that takes longer, reads R at each step.

      With more than one thread, both ways to divide the work are tried, by rows and by hidden units, and \
      the faster is measured.
      """)

  @Option(help: "Cells, separated by commas: lstm, gru, rnn, mlstm.")
  var cell = CommaSeparated<KernelBenchmark.Cell>([.lstm])

  @Option(help: "Hidden sizes.")
  var hidden = CommaSeparated<Size>([128, 256, 512, 1024])

  @Option(help: "Input sizes; the hidden size where left out.")
  var input: CommaSeparated<Size>?

  @Option(help: "Batch sizes.")
  var batch = CommaSeparated<Size>([1, 4, 16, 64])

  @Option(help: "Steps.")
  var steps = CommaSeparated<Size>([32])

  @Option(help: "Threads.")
  var threads = CommaSeparated<Size>([1])

  @Option(help: "Precisions of the weights: f32, f16, int8.")
  var precision = CommaSeparated<Precision>([.f32])

  @Option(help: "Seconds to measure each shape for.")
  var seconds = 0.5

  @Flag(help: "Print a JSON object a line, a line a shape, instead of a table.")
  var json = false

  func validate() throws {
    guard seconds > 0, seconds <= 600 else {
      throw ValidationError("--seconds: found \(seconds), expected more than 0 and at most 600")
    }
    for shape in shapes {
      let rows = shape.batchSize * shape.stepCount
      for (what, found, limit) in [
        ("weights", shape.weightCount, Self.maxFloats),
        ("inputs and outputs", rows * (shape.inputSize + shape.hiddenSize), Self.maxFloats),
        ("threads", shape.threads, Self.maxThreads),
      ] where found > limit {
        throw ValidationError(
          "a shape has \(found) \(what), expected at most \(limit) (hidden \(shape.hiddenSize), "
            + "input \(shape.inputSize), batch \(shape.batchSize), steps \(shape.stepCount))")
      }
    }
  }

  func run() throws {
    try checkInstructionSet()
    if !json { print(Self.heading) }
    for shape in shapes {
      let result = try KernelBenchmark(shape).run(seconds: seconds)
      print(try Self.line(result, json: json))
    }
  }

  /// The most floats that a benchmark may hold, 1 GiB.
  private static let maxFloats = 1 << 28
  private static let maxThreads = 256

  private var shapes: [KernelBenchmark.Shape] {
    var shapes: [KernelBenchmark.Shape] = []
    for cell in cell.values {
      for precision in precision.values {
        for threads in threads.values {
          for hidden in hidden.values {
            for input in input?.values ?? [hidden] {
              for batch in batch.values {
                for steps in steps.values {
                  shapes.append(
                    KernelBenchmark.Shape(
                      cell: cell, hiddenSize: hidden.value, inputSize: input.value,
                      batchSize: batch.value, stepCount: steps.value, threads: threads.value,
                      precision: precision))
                }
              }
            }
          }
        }
      }
    }
    return shapes
  }

  private static let heading = """
    cell precision threads hidden  input batch steps       ms    p99 ms  GFLOP/s  of peak  of bound  GB/s of weights  of read  isa
    """

  static func line(_ result: KernelBenchmark.Result, json: Bool) throws -> String {
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
      right(shape.cell.rawValue, 4), right(shape.precision.rawValue, 9),
      right("\(shape.threads)", 7),
      right("\(shape.hiddenSize)", 6), right("\(shape.inputSize)", 6),
      right("\(shape.batchSize)", 5), right("\(shape.stepCount)", 5),
      right(fixed(result.milliseconds, 3), 8), right(fixed(result.p99Milliseconds, 3), 9),
      right(fixed(result.gflops, 1), 8), right(share(result.gflops, result.peakGflops), 8),
      right(result.boundGflops.map { share(result.gflops, $0) } ?? "", 9),
      right(fixed(result.weightsGBps, 1), 16),
      right(share(result.weightsGBps, result.readGBps), 8),
      " \(result.instructionSet)\(shape.threads > 1 ? ", by \(result.division.rawValue)" : "")",
    ].joined(separator: " ")
  }

  private struct Row: Encodable {
    let cell, precision: String
    let threads, hidden, input, batch, steps: Int
    let isa: String
    let division: String
    let milliseconds, p99Milliseconds: Double
    let gflops, peakGflops: Double
    let weightsGBps, readGBps: Double
    let boundGflops: Double?

    enum CodingKeys: String, CodingKey {
      case cell, precision, threads, hidden, input, batch, steps, isa, division, milliseconds,
        gflops
      case p99Milliseconds = "p99_milliseconds"
      case peakGflops = "peak_gflops"
      case weightsGBps = "weights_gbps"
      case readGBps = "read_gbps"
      case boundGflops = "bound_gflops"
    }

    init(_ result: KernelBenchmark.Result) {
      let shape = result.shape
      (cell, precision) = (shape.cell.rawValue, shape.precision.rawValue)
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
      boundGflops = result.boundGflops
    }
  }
}

/// Values separated by commas.
struct CommaSeparated<Value: ExpressibleByArgument>: ExpressibleByArgument {
  let values: [Value]

  init(_ values: [Value]) {
    self.values = values
  }

  init?(argument: String) {
    let parts = argument.split(separator: ",", omittingEmptySubsequences: false)
    values = parts.compactMap { Value(argument: String($0)) }
    guard values.count == parts.count else { return nil }
  }

  var defaultValueDescription: String {
    values.map(\.defaultValueDescription).joined(separator: ",")
  }
}

extension KernelBenchmark.Cell: ExpressibleByArgument {}

/// A size of a layer or a batch: a whole number from 1 to about a million.
struct Size: ExpressibleByArgument, ExpressibleByIntegerLiteral {
  let value: Int

  init(integerLiteral value: Int) {
    self.value = value
  }

  init?(argument: String) {
    guard let value = Int(argument), (1...1 << 20).contains(value) else { return nil }
    self.value = value
  }

  var defaultValueDescription: String { "\(value)" }
}
