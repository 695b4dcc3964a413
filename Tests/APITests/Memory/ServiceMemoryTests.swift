import HTTPCore
import Inference
import JSON
import ModelFormat
import Scheduling
import Synchronization
import TestSupport
import Testing

@testable import API

/// What a request takes in memory is known, bounded and given back.
@Suite struct ServiceMemoryTests {
  private func service(
    _ models: Model..., memory: MemoryBudget = MemoryBudget(limit: 1 << 30),
    maxAnswerBytes: Int = 256 << 20
  ) throws -> Service {
    var settings = ServiceSettings()
    settings.maxAnswerBytes = maxAnswerBytes
    let service = Service(
      engines: try models.map { ($0.description.name, Engine(graph: try ModelGraph($0))) },
      settings: settings, memory: memory)
    service.setReadiness(.ready)
    return service
  }

  private func isGivenBack(_ memory: MemoryBudget) async -> Bool {
    try? await eventually { memory.heldBytes == 0 }
    return memory.heldBytes == 0
  }

  private static let questions = [
    #"{"inputs":[[1,2]]}"#, #"{"inputs":[[[1,2],[-1.17549435e-38,4]],[[1e-38,3.4028235e38]]]}"#,
    #"{"inputs":[[[1,2],[3,4]],[[5,6]]],"outputs":"last"}"#,
    #"{"inputs":[[[1,2],[3,4]],[[5,6]]],"return_state":true}"#,
    #"{"inputs":[[[1,2]],[[5,6]]],"session":["a",{"id":"b","begin":true}]}"#
      .replacing(#""a""#, with: #"{"id":"a","begin":true}"#),
  ]

  /// The size of an answer is told before it is computed, and is never less than it comes to.
  @Test(arguments: questions)
  func answersAreNoLongerThanForetold(body: String) async throws {
    let service = try service(TestModels.echo())
    let size = AnswerSize(try service.question(in: Array(body.utf8)))
    let answer = await service.predict(body)
    #expect(answer.status == 200)
    #expect(answer.body.utf8.count <= size.textBytes)
    // n − 1, n and n + 1 of max_answer_bytes.
    for extra in [-1, 0, 1] {
      let limited = try self.service(TestModels.echo(), maxAnswerBytes: size.textBytes + extra)
      let answer = await limited.predict(body)
      #expect(answer.status == (extra < 0 ? 413 : 200))
      #expect(
        (answer.body
          == #"{"error":"the answer would take up to \#(size.textBytes) bytes, at most \#(size.textBytes - 1) are allowed (max_answer_bytes)"}"#
          + "\n") == (extra < 0))
      #expect(limited.parts.budget.refusedAnswers.value == (extra < 0 ? 1 : 0))
    }
  }

  /// Outputs of several forms, each asked for by itself: the numbers are counted exactly.
  @Test(arguments: [
    "", #","outputs":"all""#, #","outputs":"last""#, #","outputs":{"y":"last","end":"all"}"#,
  ])
  func eachOutputIsCountedInItsForm(outputs: String) async throws {
    let service = try service(TestModels.encoder())
    let body = #"{"inputs":[[[1],[-1.17549435e-38],[3]],[[5]]]\#(outputs)}"#
    let question = try service.question(in: Array(body.utf8))
    let size = AnswerSize(question)
    let answer = await service.predict(body)
    #expect(answer.status == 200)
    #expect(answer.body.utf8.count <= size.textBytes)
    let numbers = question.sequences.reduce(0) {
      $0
        + question.model.graph.answerFloatCount(
          selection: question.selection, stepCounts: $1.stepCounts)
    }
    #expect(size.numbers == numbers)
    #expect(
      answer.body.split { !"-+.e0123456789".contains($0) }.count { Float($0) != nil } == numbers)
  }

  /// Forecasts count their horizon, in either schema.
  @Test func forecastsAreCounted() async throws {
    let service = try service(TestModels.counter())
    let body = #"{"inputs":[[1,2],[3]],"horizon":100}"#
    let size = AnswerSize(try service.question(in: Array(body.utf8)))
    #expect(size.numbers >= 200)
    #expect(await service.predict(body).body.utf8.count <= size.textBytes)
    let limited = try self.service(TestModels.counter(), maxAnswerBytes: 2000)
    #expect(await limited.predict(body).status == 413)
    let forecast = ForecastBody(
      inputs: [.init(name: "\"\(String(repeating: "é", count: 2000))\"", series: "[1]")],
      options: #"{"horizon":2}"#)
    #expect(await service.forecast(forecast.json).status == 200)
    let answer = await limited.forecast(forecast.json)
    #expect(answer.status == 413 && answer.body.contains("max_answer_bytes"))
  }

  /// A graph that needs whole sequences holds all values of all steps at once: they count before they are computed, and are
  /// refused where they don't fit.
  @Test func valuesOfWholeSequencesAreCounted() async throws {
    let model = try Model(
      description: ModelDescription(
        name: "m", version: "1",
        inputs: [.init(name: "x", kind: .features(size: 1, mean: nil, scale: nil))],
        nodes: [
          .init(name: "each", op: .repeatSteps(times: 64), inputs: ["x"]),
          .init(name: "back", op: .reverse, inputs: ["each"]),
          .init(name: "y", op: .last, inputs: ["back"]),
        ],
        outputs: [.init(name: "y")]),
      tensors: TensorFile(bytes: TensorFile.serialize([])))
    let body = { (steps: Int) in
      #"{"inputs":[\#((0..<steps).map { _ in "1" }.joined(separator: ","))]}"#
    }
    let service = try service(model, memory: MemoryBudget(limit: 8 << 20))
    let size = AnswerSize(try service.question(in: Array(body(1000).utf8)))
    #expect(size.resultBytes >= 2 * 64_000 * 4)
    #expect(await service.predict(body(1000)).status == 200)
    let refused = await service.predict(body(16_000))
    #expect(refused.status == 413 && refused.body.contains("max_memory_bytes"), "\(refused.body)")
    let many = (0..<100).map { _ in "[1,1]" }.joined(separator: ",")
    #expect(await service.predict(#"{"inputs":[\#(many)]}"#).status == 200)
  }

  /// A text that is answered whole counts; one that is sent token by token does not wait anywhere.
  @Test func textsAreCounted() async throws {
    let service = try service(TestModels.chain(), maxAnswerBytes: 1000)
    let asked = #"{"prompt":[1],"max_steps":4000"#
    let whole = await service.answer("POST", "/generate", asked + "}")
    #expect(whole.status == 413 && whole.body.contains("max_answer_bytes"))
    #expect(await service.answer("POST", "/generate", asked + #","stream":true}"#).status == 200)
    #expect(
      await service.answer("POST", "/generate", #"{"prompt":[1],"max_steps":10}"#).status == 200)
  }

  /// A large answer is sent in parts, the same text as a small one's would be, and nothing is kept.
  @Test func largeAnswersAreTheSameText() async throws {
    let memory = MemoryBudget(limit: 64 << 20)
    let service = try service(TestModels.echo(), memory: memory)
    let steps = 60_000
    let inputs = (0..<steps).map { "[\($0),0.\($0)]" }.joined(separator: ",")
    let body = #"{"inputs":[\#(inputs)],"outputs":"all"}"#
    let question = try service.question(in: Array(body.utf8))
    #expect(AnswerSize(question).isStreamed)
    let answer = await service.predict(body)
    #expect(answer.status == 200)
    let expected = Prediction(outputs: [
      .init(
        rows: steps, size: 2,
        values: (0..<steps).flatMap { [Float($0), Float("0.\($0)") ?? 0] })
    ])
    var text = try AnswerEncoder(question: question, sealer: service.parts.sealer)
      .text(of: [expected], isWhole: true)
    let whole = text.remainder()
    #expect(Array(answer.body.utf8) == whole)
    #expect(await isGivenBack(memory))
    #expect(service.requests(of: "/predict").map(\.status) == ["200"])
  }

  /// A reader that is behind makes the writer wait; one that leaves ends it.
  @Test func largeAnswersWaitForTheirReader() async throws {
    let memory = MemoryBudget(limit: 64 << 20)
    let service = try service(TestModels.echo(), memory: memory)
    let inputs = Array(repeating: "[1,2]", count: 60_000).joined(separator: ",")
    let written = Mutex(0)
    for leaves in [true, false] {
      written.withLock { $0 = 0 }
      do {
        let exchange = HTTPExchange(
          request: HTTPRequest(
            method: "POST", path: "/predict", body: Array(#"{"inputs":[\#(inputs)]}"#.utf8)),
          deliverPart: { part in
            if case .bytes(let bytes) = part { written.withLock { $0 += bytes.count } }
          })
        service.handle(exchange)
        try await eventually { written.withLock { $0 } > 0 }
        let first = written.withLock { $0 }
        #expect(first > 0 && first <= 2 * ServiceSettings.answerPartBytes)
        // Its numbers are held as long as it waits.
        #expect(memory.heldBytes >= 60_000 * 2 * 4)
        if leaves {
          exchange.abandon()
        } else {
          var taken = 0
          try await eventually {
            let count = written.withLock { $0 } - taken
            exchange.recordSent(count)
            taken += count
            return taken > 60_000 * 10
          }
          #expect(taken > 60_000 * 10)
        }
      }
      #expect(await isGivenBack(memory))
    }
    #expect(service.requests(of: "/predict").map(\.status) == ["200", "499"])
  }

  /// What does not fit beside others is told to come back, what never fits is told so, and short questions go on.
  @Test func whatDoesNotFitIsRefused() async throws {
    let memory = MemoryBudget(limit: 16 << 20)
    let service = try service(TestModels.echo(), memory: memory)
    let long = #"{"inputs":[\#(Array(repeating: "[1,2]", count: 10_000).joined(separator: ","))]}"#
    #expect(await service.predict(long).status == 200)
    #expect(await isGivenBack(memory))
    memory.add(memory.largestReservation - 1000)
    let refused = await service.answer("POST", "/predict", long)
    #expect(refused.status == 429)
    // Nobody knows when there will be room.
    #expect(refused.fields["retry-after"] == nil)
    #expect(refused.body.contains("(max_memory_bytes)"))
    #expect(memory.refusalCount == 1)
    #expect(await service.predict(#"{"inputs":[[1,2]]}"#).status == 200)
    #expect(await service.answer("GET", "/metrics").status == 200)
    memory.add(1000 - memory.largestReservation)
    let huge = #"{"inputs":[\#(Array(repeating: "[1,2]", count: 400_000).joined(separator: ","))]}"#
    let never = await service.answer("POST", "/predict", huge)
    #expect(never.status == 413 && never.body.contains("(max_memory_bytes)"))
    #expect(never.fields["retry-after"] == nil)
    #expect(await isGivenBack(memory))
    let metrics = await service.answer("GET", "/metrics").body
    #expect(metrics.contains("carousel_memory_refused_total{limit=\"max_memory_bytes\"} 2\n"))
    #expect(metrics.contains("carousel_memory_bytes_limit \(16 << 20)\n"))
  }

  /// What a body takes itself counts where it is told whether reading it could ever fit.
  @Test(arguments: [(beside: -100, others: 0, status: 413), (2000, 0, 429), (2000, 4000, 429)])
  func aBodyLeavesLessForReadingIt(beside: Int, others: Int, status: Int) async throws {
    let body = #"{"inputs":[\#(Array(repeating: "[1,2]", count: 10_000).joined(separator: ","))]}"#
    let request = HTTPRequest(method: "POST", path: "/predict", body: Array(body.utf8))
    let largest = JSONReadingSize.byteCount(of: request.body) + request.heldBytes + beside
    let memory = MemoryBudget(limit: largest * 8 / 7 + 8)
    // As the server counts it, and others beside.
    memory.add(request.heldBytes + 3000 + others)
    let service = try service(TestModels.echo(), memory: memory)
    let answer = await service.answer("POST", "/predict", body)
    #expect(answer.status == status && answer.body.contains("(max_memory_bytes)"))
  }

  /// Probes are answered even where there is nothing left.
  @Test func probesAreAlwaysAnswered() async throws {
    let memory = MemoryBudget(limit: 1 << 20)
    memory.add(2 << 20)
    let service = try service(TestModels.echo(), memory: memory)
    #expect(await service.answer("GET", "/livez").status == 200)
    #expect(await service.answer("GET", "/readyz").status == 200)
    #expect(await service.answer("GET", "/models").status == 429)
  }
}
