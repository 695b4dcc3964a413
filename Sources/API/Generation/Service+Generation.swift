import Scheduling

extension Service {
  /// `POST /generate`: lets a model continue a prompt, token by token.
  func generate(_ call: Call, model: String?) {
    guard !call.exchange.isAbandoned else { return call.abandoned() }
    do throws(APIError) {
      let reservation = try reserveReading(of: call)
      let document = try readers.read(
        call.exchange.request.body, maxDepth: ServiceSettings.maxJSONDepth)
      let question = try GenerationQuestion(
        document, name: model, models: models, settings: settings)
      try admit(
        AnswerSize(question), inputBytes: question.prompt.byteCount, into: reservation, for: call)
      let run = GenerationRun(question, for: call, pacer: pacer)
      let engine = question.model.engine
      let ticket = engine.generate(
        question.prompt, sampling: question.sampling, maxSteps: question.maxSteps,
        terms: call.terms(timeout: try call.timeout(question.timeout)), reader: { run.take($0) },
        completion: { run.finish($0) })
      call.exchange.onAbandon { engine.cancel(ticket) }
      call.exchange.onDrain { engine.resume(ticket) }
    } catch {
      call.answer(error.response)
    }
  }
}
