import Inference
import JSON
import Scheduling
import Serving

/// Answers requests in which a model continues a prompt, token by token.
struct Generation: Sendable {
  private let models: ModelRegistry
  private let limits: QuestionLimits
  private let readers: BodyReader
  private let budget: AnswerBudget
  private let pacer: StreamPacer

  init(_ parts: ServiceParts) {
    models = parts.models
    limits = parts.settings.questions
    readers = parts.readers
    budget = parts.budget
    pacer = parts.pacer
  }

  /// `POST /generate`, `POST /models/NAME/generate`
  func answer(_ call: Call) {
    guard !call.exchange.isAbandoned else { return call.abandoned() }
    do throws(Fault) {
      let reservation = try budget.reserveReading(of: call)
      let document = try readers.read(
        call.exchange.request.body)
      let question = try GenerationQuestion(
        document, name: call.path["name"], models: call.grant.models(of: models.snapshot),
        limits: limits)
      try budget.admit(
        AnswerSize(question), inputBytes: question.prompt.byteCount, into: reservation, for: call)
      let run = GenerationRun(question, for: call, pacer: pacer)
      let engine = question.model.engine
      let terms = call.terms(timeout: try call.timeout(question.timeout))
      let reader: Engine.TokenReader = { run.receive($0) }
      let ticket: Engine.Ticket
      switch question.choice {
      case .sampling(let sampling) where question.model.graph.decoder == nil:
        ticket = engine.generate(
          question.prompt, sampling: sampling, maxSteps: question.maxSteps, terms: terms,
          reader: reader, completion: { run.finish($0) })
      case .sampling, .beam:
        ticket = engine.decode(
          question.prompt, Decoding(choice: question.choice, maxSteps: question.maxSteps),
          terms: terms, reader: reader, completion: { run.finish($0) })
      }
      call.exchange.onAbandon { engine.cancel(ticket) }
      call.exchange.onDrain { engine.resume(ticket) }
    } catch {
      call.refuse(error)
    }
  }
}
