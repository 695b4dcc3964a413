import Inference
import ModelFormat
import TestSupport
import Testing

/// Decoders against PyTorch, which ran them token by token: see Tests/Fixtures/scripts/decoders.py.
@Suite struct DecoderFrameworkTests {
  static let names = Fixtures.folders("decoders")

  @Test func decodersAreThere() { #expect(Self.names == ["bahdanau", "luong", "states"]) }

  @Test(arguments: names, Kernels.InstructionSet.allCases)
  func tokensAndScores(name: String, set: Kernels.InstructionSet) throws {
    guard let kernels = Kernels(set) else { return }
    let graph = try ModelGraph(
      Model(folder: Fixtures.path("decoders/\(name)")), kernels: kernels)
    let shared = try ModelGraph(Model(folder: Fixtures.path("decoders/\(name)")))
    let decoding = Decoding(maxSteps: 9, returnsSteps: true)
    for given in try Fixtures.cases("decoders/\(name)/io.json") {
      let sequence = try given.sequence(for: graph.model)
      let (found, expected) = (
        try #require(try graph.decode(sequence, decoding).answer?.first),
        try #require(given.decoded?["y"])
      )
      #expect(found.tokens == expected.labels)
      #expect(abs(found.score - Double(expected.score)) < 1e-4)
      let rows = try #require(given.outputs["y"]?.values)
      try #require(found.steps.count == rows.count)
      // The weights are large, so that answers vary: rounding shows beside a step's largest score.
      for step in rows.indices where step.isMultiple(of: 7) {
        let largest = rows[step..<step + 7].reduce(Float(1)) { max($0, abs($1)) }
        for index in step..<step + 7 {
          #expect(abs(found.steps[index] - rows[index]) <= 1e-5 * largest)
        }
      }
      // The same bits by every instruction set, and of a beam too.
      #expect(try shared.decode(sequence, decoding).answer == [found])
      let beam = Decoding(
        choice: .beam(width: 4, lengthPenalty: 0.7), maxSteps: 9, alternatives: 4)
      #expect(
        try graph.decode(sequence, beam).answer == shared.decode(sequence, beam).answer)
    }
  }
}
