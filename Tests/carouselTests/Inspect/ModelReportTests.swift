import FoundationEssentials
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
    #expect(!text.split(separator: "\n").contains { $0.hasSuffix(" ") })
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
