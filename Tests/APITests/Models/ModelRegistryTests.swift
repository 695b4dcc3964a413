import HTTPCore
import Inference
import ModelFormat
import Scheduling
import Synchronization
import TestSupport
import Testing

@testable import API
@testable import Serving

/// Models that come, go and are replaced while a service answers.
@Suite struct ModelRegistryTests {
  /// What several clients were answered.
  private final class Answers: Sendable {
    private let counts = Mutex<[String: Int]>([:])
    private let isOver = Atomic(false)

    var count: Int { counts.withLock { $0.values.reduce(0, +) } }
    var kinds: Set<String> { counts.withLock { Set($0.keys) } }
    var areEnough: Bool { isOver.load(ordering: .acquiring) }

    func count(_ kind: String) { counts.withLock { $0[kind, default: 0] += 1 } }
    func end() { isOver.store(true, ordering: .releasing) }
  }

  private func served(
    _ model: Model, cores: Cores? = nil, onEnd: @escaping @Sendable () -> Void = {}
  ) throws -> ServedModel {
    ServedModel(
      name: model.description.name,
      engine: Engine(graph: try ModelGraph(model), share: cores?.share()), onEnd: onEnd)
  }

  private func names(_ registry: ModelRegistry) -> [String] { registry.snapshot.models.map(\.name) }

  @Test func comingAndGoing() throws {
    let registry = ModelRegistry([try served(TestModels.echo())])
    try registry.serve(served(TestModels.counter()))
    #expect(names(registry) == ["echo", "counter"])
    let before = registry.snapshot
    let other = try served(TestModels.echo(size: 3))
    registry.serve(other)
    #expect(names(registry) == ["echo", "counter"])
    #expect(try registry.snapshot.model("echo") === other)
    // What was seen stays as it was.
    #expect(try before.model("echo").description.inputs[0].kind.size == 2)
    #expect(registry.remove("echo") && !registry.remove("echo"))
    #expect(names(registry) == ["counter"])
    #expect(throws: Fault(ModelChoiceError.noSuchModel(name: "echo", known: ["counter"]))) {
      try registry.snapshot.model("echo")
    }
  }

  @Test func theDefaultModel() throws {
    let first = ModelRegistry([try served(TestModels.echo()), try served(TestModels.counter())])
    #expect(first.snapshot.defaultModelName == "echo")
    first.remove("echo")
    #expect(try first.snapshot.defaultModel().name == "counter")
    first.remove("counter")
    #expect(first.snapshot.defaultModelName == nil)
    #expect(throws: Fault(ModelChoiceError.noModels)) { try first.snapshot.defaultModel() }
    // Where one is named, no other takes its place.
    let named = ModelRegistry(
      [try served(TestModels.echo()), try served(TestModels.counter())], defaultModel: "counter")
    #expect(try named.snapshot.defaultModel().name == "counter")
    named.remove("counter")
    #expect(named.snapshot.defaultModelName == nil)
    #expect(throws: Fault(ModelChoiceError.noSuchModel(name: "counter", known: ["echo"]))) {
      try named.snapshot.defaultModel()
    }
  }

  /// The engine of a model that is not served any more shuts down when its last lease is given back.
  @Test func theLastLeaseEndsTheEngine() async throws {
    let ended = Atomic(false)
    let registry = ModelRegistry([
      try served(TestModels.echo(), onEnd: { ended.store(true, ordering: .releasing) })
    ])
    var lease: ServedModel? = try registry.snapshot.model("echo")
    weak let engine = lease?.engine
    let sequence = try InputSequence([.features([1, 2])], for: lease!.graph.model)
    registry.remove("echo")
    let answer: Result<[Prediction], Refusal> = await withCheckedContinuation { continuation in
      lease!.engine.predict([sequence], selection: .last) { continuation.resume(returning: $0) }
    }
    #expect(try answer.get()[0].outputs[0].values == [1, 2])
    let hasEnded = ended.load(ordering: .acquiring)
    #expect(!hasEnded)
    lease = nil
    try await eventually { ended.load(ordering: .acquiring) }
    try await eventually { engine == nil }
  }

  /// Requests meet models that are added, replaced and removed: each gets one model's answer, and none is dropped.
  @Test(.endsHangs) func modelsChangeUnderLoad() async throws {
    let cores = Cores(count: 2)
    let ended = Counter()
    /// Two models of one name and shape, and a third of another name.
    @Sendable func make(_ seed: UInt64, _ name: String = "small") throws -> ServedModel {
      try served(
        SmallModels.forecaster(name: name, seed: seed), cores: cores, onEnd: { ended.add() })
    }
    let body =
      #"{"inputs":[\#((0..<300).map { "\(Float($0 % 7) / 7)" }.joined(separator: ","))],"horizon":5}"#
    let first = try await Service.make(SmallModels.forecaster(seed: 1)).predict(body).body
    let second = try await Service.make(SmallModels.forecaster(seed: 2)).predict(body).body
    let expected = [first, second]
    try #require(first != second && expected.allSatisfy { $0.contains("outputs") })
    let service = try Service.make(SmallModels.forecaster())
    let registry = service.parts.models
    try registry.serve(make(1))
    let answers = Answers()
    let changes = 60
    try await withThrowingTaskGroup(of: Void.self) { group in
      for client in 0..<8 {
        group.addTask {
          while !answers.areEnough {
            let answer = await service.predict(body, model: client < 6 ? "small" : "other")
            let text = answer.body.replacing("\"other\"", with: "\"small\"")
            let kind =
              switch (answer.status, expected.firstIndex(of: text)) {
              case (200, let index?): "\(index)"
              case (404, _) where client >= 6: "absent"
              default: "wrong: \(answer.status) \(answer.body.prefix(200))"
              }
            answers.count(kind)
            // An answer that is there at once would leave the thread to nobody.
            await Task.yield()
          }
        }
      }
      group.addTask {
        defer { answers.end() }
        for change in 0..<changes {
          try registry.serve(make(change % 2 == 0 ? 2 : 1))
          if change % 3 == 0 {
            try registry.serve(make(1, "other"))
          } else if change % 3 == 2 {
            registry.remove("other")
          }
          // So that requests meet each of them.
          let seen = answers.count
          try await eventually { answers.count >= seen + 4 }
        }
      }
      try await group.waitForAll()
    }
    #expect(answers.kinds == ["0", "1", "absent"])
    // All but the two that are served now; "other" was removed at last.
    registry.remove("other")
    let made = 1 + changes + changes / 3
    try await eventually { ended.value == made - 1 }
    #expect(names(registry) == ["small"])
  }

  /// Sessions are those of the model that computes the same, whatever its name; another one of the same name has none of them.
  @Test func sessionsBelongToTheFingerprint() async throws {
    let service = try Service.make(SmallModels.forecaster())
    let registry = service.parts.models
    func ask(_ session: String, model: String = "small") async -> (status: Int, body: String) {
      await service.predict(#"{"inputs":[1,2],"session":\#(session)}"#, model: model)
    }
    #expect(await ask(#"{"id":"s","begin":true}"#).status == 200)
    try registry.serve(served(SmallModels.forecaster(seed: 2)))
    var refusals = [await ask(#""s""#), await ask(#"{"id":"t","fork":"s"}"#)]
    for method in ["GET", "DELETE"] {
      let answer = await service.answer(method, "/models/small/sessions/s")
      refusals.append((answer.status, answer.body))
    }
    for refusal in refusals {
      #expect(refusal.status == 410)
      #expect(refusal.body.contains("another model is called"), "\(refusal.body)")
    }
    #expect(await ask(#""u""#).status == 404)
    // The other has sessions of its own, under the same ids.
    #expect(await ask(#"{"id":"s","begin":true}"#).status == 200)
    let page = await service.answer("GET", "/models/small/sessions/s")
    #expect(page.body.contains(#""steps":2"#))
    // Back again, and under another name.
    try registry.serve(served(SmallModels.forecaster()))
    #expect(await ask(#""s""#).status == 200)
    try registry.serve(served(SmallModels.forecaster(name: "copy")))
    #expect(await ask(#""s""#, model: "copy").status == 200)
    let copy = await service.answer("GET", "/models/copy/sessions/s")
    #expect(copy.body.contains(#""steps":6"#), "\(copy.body)")
    // What is not served at the end goes on in the next process, where it is.
    let exported = service.exported()
    let next = try Service.make(SmallModels.forecaster(name: "later", seed: 2))
    #expect(try next.imported(exported).restored == 1)
    let later = await next.answer("GET", "/models/later/sessions/s")
    #expect(later.body.contains(#""steps":2"#))
  }
}
