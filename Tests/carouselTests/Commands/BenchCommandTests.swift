import ArgumentParser
import FoundationEssentials
import Inference
import ModelFormat
import Testing

@testable import carousel

@Suite struct BenchCommandTests {
  @Test(arguments: [("1", [1]), ("128,256", [128, 256])])
  func readsNumbers(text: String, numbers: [Int]) {
    #expect(CommaSeparated<Size>(argument: text)?.values.map(\.value) == numbers)
  }

  @Test(arguments: ["", ",", "1,", "0", "-1", "1.5", "x", "1048577", "1 2"])
  func refusesOtherText(text: String) {
    #expect(CommaSeparated<Size>(argument: text) == nil)
  }

  @Test func readsPrecisions() {
    #expect(CommaSeparated<Precision>(argument: "f32,int8")?.values == [.f32, .int8])
    #expect(CommaSeparated<Precision>(argument: "f32,bf16") == nil)
  }

  @Test(arguments: [
    "--seconds=0", "--cell=gated", "--hidden=1048576", "--batch=none", "--batch=1048576",
    "--threads=257",
  ])
  func refuses(option: String) {
    #expect(throws: (any Error).self) { try BenchKernelCommand.parse([option]) }
  }

  /// A line a shape, with the names that scripts read.
  @Test func writesALineOfJSON() throws {
    let shape = KernelBenchmark.Shape(
      cell: .gru, hiddenSize: 20, inputSize: 3, batchSize: 5, stepCount: 4, threads: 2,
      precision: .int8)
    let result = try KernelBenchmark(shape).run(seconds: 0.01)
    let line = try BenchKernelCommand.line(result, json: true)
    #expect(!line.contains("\n"))
    let names = try JSONDecoder().decode([String: Field].self, from: Data(line.utf8))
    for (name, value) in [("hidden", 20), ("input", 3), ("batch", 5), ("steps", 4), ("threads", 2)]
    {
      #expect(names[name] == .number(Double(value)))
    }
    #expect(names["cell"] == .text("gru") && names["precision"] == .text("int8"))
    for name in ["gflops", "milliseconds", "peak_gflops", "read_gbps"] {
      guard case .number(let value) = names[name] else {
        Issue.record("\(name) is no number")
        continue
      }
      #expect(value > 0 && value.isFinite)
    }
    #expect(names["isa"] == .text(result.instructionSet))
  }

  private enum Field: Decodable, Equatable {
    case number(Double)
    case text(String)

    init(from decoder: any Decoder) throws {
      let container = try decoder.singleValueContainer()
      if let number = try? container.decode(Double.self) {
        self = .number(number)
      } else {
        self = .text(try container.decode(String.self))
      }
    }
  }
}
