import Inference
import ModelFormat
import TestSupport
import Testing

@testable import Scheduling

/// Whatever the decoder, and whoever else rides: a sequence's tokens and scores are those that it gets alone, with the scalar
/// kernels, to the bit.
@Suite(.endsHangs) struct RandomTranslatorTests {
  static let seeds: ClosedRange<UInt64> = 1...24

  private func decoding(_ noise: inout TestSupport.Noise) -> Decoding {
    let choice: Decoding.Choice =
      switch Int.random(in: 0...2, using: &noise) {
      case 0: .greedy
      case 1:
        .beam(
          width: .random(in: 1...8, using: &noise),
          lengthPenalty: .random(in: 0...2, using: &noise))
      default: .sampling(Sampling(temperature: 1.5, seed: noise.next()))
      }
    var decoding = Decoding(
      choice: choice, maxSteps: .random(in: 1...10, using: &noise), returnsSteps: true)
    decoding.alternatives = .random(in: 1...decoding.width, using: &noise)
    return decoding
  }

  @Test(arguments: seeds)
  func answersDoNotDependOnTheCompany(seed: UInt64) async throws {
    var random = try RandomTranslator(seed: seed)
    var noise = TestSupport.Noise(seed: seed &+ 500)
    let precision = Precision.allCases[Int(seed) % Precision.allCases.count]
    let graph = try ModelGraph(random.model, precision: precision)
    let scalar = try ModelGraph(
      random.model, precision: precision, kernels: #require(Kernels(.scalar)))
    let engine = Engine(
      graph: graph,
      limits: EngineLimits(
        workers: .random(in: 1...2, using: &noise), maxSeats: .random(in: 1...16, using: &noise)))
    let requests = try (0..<10).map { _ in
      // Some take several turns before their decoder begins.
      let isLong = Int.random(in: 0...6, using: &noise) == 0
      return (
        try random.sequence(steps: .random(in: 1...(isLong ? 700 : 12), using: &noise)),
        decoding(&noise)
      )
    }
    try await withThrowingTaskGroup(of: Void.self) { group in
      for (sequence, decoding) in requests {
        group.addTask {
          let found = try await withCheckedContinuation { continuation in
            engine.predict([sequence], selection: .last, decoding: decoding) {
              continuation.resume(returning: $0)
            }
          }.get()
          let alone = try scalar.decode(sequence, decoding)
          #expect(alone.answer != nil && found.map(\.decoded) == [alone.answer])
        }
      }
      try await group.waitForAll()
    }
    #expect(engine.snapshot().seated == 0 && engine.snapshot().queuedSequences == 0)
  }

  @Test(arguments: Kernels.InstructionSet.allCases.filter { Kernels($0) != nil })
  func instructionSetsDoNotMatter(set: Kernels.InstructionSet) throws {
    for seed in Self.seeds {
      var random = try RandomTranslator(seed: seed)
      var noise = TestSupport.Noise(seed: seed)
      let scalar = try ModelGraph(random.model, kernels: #require(Kernels(.scalar)))
      let variant = try ModelGraph(random.model, kernels: #require(Kernels(set)))
      let sequence = try random.sequence(steps: .random(in: 1...20, using: &noise))
      let decoding = decoding(&noise)
      let (expected, found) = (
        try scalar.decode(sequence, decoding), try variant.decode(sequence, decoding)
      )
      #expect(expected.answer != nil && found.answer == expected.answer)
      #expect(found.tokens == expected.tokens)
    }
  }

  /// What the tests above would miss if it were drawn no more.
  @Test func drawsAttentionOfEveryKind() throws {
    var (kept, anew, masked, scores) = (0, 0, 0, Set<String>())
    for seed in Self.seeds {
      let decoder = try #require(try ModelGraph(RandomTranslator(seed: seed).model).decoder)
      let nodes = decoder.decoder.model.nodes.filter { $0.op.name == AttentionOp.name }
      guard !nodes.isEmpty else { continue }
      if decoder.keepsAllSources { kept += 1 } else { anew += 1 }
      masked += nodes.count { $0.mask != nil }
      for node in nodes {
        scores.insert((node.op.definition as? AttentionOp)?.score?.rawValue ?? "dot")
      }
    }
    #expect(kept >= 2 && anew >= 2 && masked >= 2 && scores.count == 3)
  }
}
