import Inference
import Synchronization
import TestSupport
import Testing

@testable import Scheduling

@Suite struct ScratchTests {
  /// Answers are the same bits whether or not scratch memory was given back before, or while others ride.
  @Test func answersDoNotDependOnScratch() async throws {
    let model = try SmallModels.forecaster()
    let engine = Engine(graph: try ModelGraph(model))
    let sequence = try InputSequence([.features((0..<300).map { Float($0) / 100 })], for: model)
    func ask() async -> [Prediction]? {
      await withCheckedContinuation { continuation in
        engine.predict([sequence], selection: .last) {
          continuation.resume(returning: try? $0.get())
        }
      }
    }
    let expected = await ask()
    #expect(expected != nil)
    for _ in 0..<20 {
      async let first = ask()
      engine.releaseScratch()
      async let second = ask()
      let answers = await [first, second]
      #expect(answers == [expected, expected])
    }
    engine.releaseScratch()
    for worker in engine.workers {
      worker.queue.sync {}
      worker.state.withLock { #expect($0.workspace.reported.allSatisfy { $0.isEmpty }) }
    }
  }
}
