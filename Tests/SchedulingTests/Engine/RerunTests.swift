import Inference
import TestSupport
import Testing

@testable import Scheduling

/// Graphs that need whole sequences run again for each step that is fed back: what that costs is known at admission.
@Suite struct RerunTests {
  private static func generation(_ steps: Int) -> Continuation {
    Continuation.generation(
      Generation(
        sampler: TokenSampler(Sampling(seed: 1), scale: .logarithm), output: 0, input: 0,
        remainingSteps: steps, onToken: { _ in .stop }))
  }

  /// Two steps a forecast: 10 + 12 + 14 … for as long as there are fewer than the horizon.
  @Test(arguments: [(1, 0), (2, 0), (3, 12), (4, 12), (5, 26), (1024, 511 * 10 + 511 * 512)])
  func forecastsRunAgain(horizon: Int, following: Int) throws {
    let whole = try ModelGraph(SmallModels.forecaster(.bidirectional))
    let continuation = Continuation.forecast(horizon: horizon)
    #expect(continuation.followingSteps(of: whole, after: 10) == following)
    let streamable = try ModelGraph(SmallModels.forecaster(.streamable))
    #expect(continuation.followingSteps(of: streamable, after: 10) == max(0, horizon - 2))
  }

  @Test(arguments: [(1, 0), (2, 11), (4, 11 + 12 + 13)])
  func textsRunAgain(steps: Int, following: Int) throws {
    let whole = try ModelGraph(SmallModels.writer(isBidirectional: true))
    #expect(Self.generation(steps).followingSteps(of: whole, after: 10) == following)
    let streamable = try ModelGraph(SmallModels.writer())
    #expect(Self.generation(steps).followingSteps(of: streamable, after: 10) == steps)
  }

  /// More than any queue holds, and no overflow.
  @Test func hugeCostsAreBounded() throws {
    let whole = try ModelGraph(SmallModels.writer(isBidirectional: true))
    #expect(Self.generation(1 << 40).followingSteps(of: whole, after: 1 << 40) == 1 << 40)
  }

  /// A prompt of 3 and 4 tokens: 3 + 4 + 5 + 6 steps.
  @Test(arguments: [17, 18, 19]) func anEngineRefusesWhatCostsTooMuch(limit: Int) async throws {
    let graph = try ModelGraph(SmallModels.writer(isBidirectional: true))
    let engine = Engine(graph: graph, limits: EngineLimits(maxQueuedSteps: limit))
    let prompt = try InputSequence([.tokens([1, 2, 3])], for: graph.model)
    let result = await withCheckedContinuation { continuation in
      _ = engine.generate(
        prompt, sampling: Sampling(seed: 1), maxSteps: 4, terms: RideTerms(),
        reader: { _ in .stop }, completion: { continuation.resume(returning: $0) })
    }
    switch result {
    case .success: #expect(limit >= 18)
    case .failure(let refusal):
      #expect(
        refusal
          == .tooLarge(sequences: 1, sequenceLimit: 1024, steps: 18, stepLimit: limit))
      #expect(limit == 17)
    }
  }
}
