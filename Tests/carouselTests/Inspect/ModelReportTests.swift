import FoundationEssentials
import Inference
import JSON
import ModelFormat
import Testing

@testable import carousel

@Suite struct ModelReportTests {
  private let report: ModelReport

  init() throws { report = ModelReport(try BundledModel.graph()) }

  @Test func sizesAreTheFiles() {
    // Two layers of 4·32 rows: 1 + 32 and 32 + 32 columns, two biases each; two heads of 12.
    let lstm = 128 * (1 + 32 + 2) + 128 * (32 + 32 + 2)
    #expect(report.parameters == lstm + 12 * (32 + 1) + 12 * (1 + 1))
    #expect(report.bytes == 4 * report.parameters)
    #expect(report.packedBytes > 0)
    #expect(report.nodes.reduce(0) { $0 + $1.parameters } == report.parameters)
  }

  @Test func graph() {
    #expect(report.nodes.first?.inputs == ["x"])
    #expect(report.nodes.first?.kind == "features")
    #expect(report.nodes.first?.size == 32)
    #expect(report.outputs.map(\.kind) == ["vector"])
    #expect(report.outputs.map(\.size) == [12])
    #expect(report.nodes.first?.shape == "1→32, 2 layers")
    #expect(report.outputs.map(\.forecasts) == ["x"])
    #expect(report.forecastSteps == 12)
    #expect(report.streamable)
    #expect(report.defaultOutputs == "last")
  }

  @Test func text() {
    let text = report.text
    for part in ["co2 1", "lstm(x)", "32 a step", "12 a sequence", "1→32, 2 layers", "foretells x"]
    {
      #expect(text.contains(part))
    }
    #expect(text.contains("\(report.parameters)"))
    #expect(text.contains("  precision   f32\n"))
    #expect(!text.contains("Differences"))
    #expect(!text.split(separator: "\n").contains { $0.hasSuffix(" ") })
  }

  /// What a model's files say shows in a terminal, and does nothing there.
  @Test func textAndJSONShowNoControlCharacters() throws {
    var report = report
    report.summary = "a\u{1B}[2J\nb\u{9B}"
    report.unusedTensors = ["c\u{202E}"]
    let json = try prettyJSON(report)
    for text in [report.text, json] {
      #expect(
        text.split(separator: "\n").allSatisfy { $0.unicodeScalars.allSatisfy { $0.isPrintable } })
      for part in [#"a\u001b[2J\nb\u009b"#, #"c\u202e"#] {
        #expect(text.replacing(#"\u001B"#, with: #"\u001b"#).contains(part))
      }
    }
    let read = try JSONDecoder().decode(Summary.self, from: Data(json.utf8))
    #expect(read.summary == report.summary)
  }

  private struct Summary: Decodable {
    let summary: String
  }

  private func report(differing otherClass: Int?) throws -> ModelReport {
    let output = Deviation.Output(
      name: "next", largestDifference: 0.59512, rmsDifference: 0.0123456, f32Range: [-32.08, 0],
      answers: 20, otherClass: otherClass)
    return ModelReport(
      try ModelGraph(Model(folder: BundledModel.folder), precision: .int8),
      deviation: Deviation(sample: "a.json", sequences: 1, steps: 20, outputs: [output]))
  }

  @Test func textOfADeviation() throws {
    let expected = """
      \n
      Differences from f32, on a.json: 1 sequence, 20 steps
        next  at most 0.595  root mean square 0.0123  of values from -32.1 to 0
      """
    #expect(try report(differing: nil).text.hasSuffix(expected))
    let classes = try report(differing: 3).text
    #expect(classes.hasSuffix(expected + "  another class first in 3 of 20 answers"))
    #expect(classes.contains("  precision   int8\n"))
  }

  @Test(arguments: [
    (0, "0"), (1, "1.0"), (-12.345, "-12.3"), (0.00123456, "0.00123"), (366.6, "367.0"),
    (9.999, "10.0"), (3.4028235e38, "3.4e+38"), (1e-45, "1e-45"),
  ])
  func threeDigits(number: Double, text: String) {
    #expect(ModelReport.brief(number) == text)
  }

  @Test func jsonOfADeviation() throws {
    struct Facts: Decodable {
      let precision: String
      let deviation: Deviation

      struct Deviation: Decodable {
        let sample: String
        let sequences: Int
        let steps: Int
        let outputs: [Output]
      }

      struct Output: Decodable, Equatable {
        let name: String
        let largestDifference: Double
        let rmsDifference: Double
        let f32Range: [Float]
        let answers: Int
        let otherClass: Int?
      }
    }
    let json = try prettyJSON(try report(differing: nil))
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    let facts = try decoder.decode(Facts.self, from: Data(json.utf8))
    #expect(facts.precision == "int8")
    #expect(facts.deviation.sample == "a.json")
    #expect(facts.deviation.sequences == 1 && facts.deviation.steps == 20)
    #expect(
      facts.deviation.outputs == [
        .init(
          name: "next", largestDifference: 0.59512, rmsDifference: 0.0123456,
          f32Range: [-32.08, 0], answers: 20, otherClass: nil)
      ])
  }

  @Test func json() throws {
    struct Facts: Decodable {
      let name: String
      let parameters: Int
      let packedBytes: Int
      let forecastSteps: Int
    }
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    let facts = try decoder.decode(Facts.self, from: Data(try prettyJSON(report).utf8))
    #expect(facts.name == "co2")
    #expect(facts.parameters == report.parameters)
    #expect(facts.packedBytes == report.packedBytes)
    #expect(facts.forecastSteps == 12)
  }
}
