import Inference
import Scheduling

/// From the body of a request for predictions to its answer.
extension Service {
  /// What the body of a `POST /predict` asks.
  ///
  /// - Throws: an error whose description is the sentence of the refusal.
  package func question(in body: [UInt8]) throws -> Question {
    try question(in: body, model: nil)
  }

  private func question(in body: [UInt8], model: String?) throws(APIError) -> Question {
    let document = try readers.read(body, maxDepth: ServiceSettings.maxJSONDepth)
    return try Question(
      document, name: model, models: models, settings: settings, sealer: sealer)
  }

  /// `POST /predict` and those that ask for predictions in other words.
  func predict(_ call: Call, model: String?) {
    guard !call.exchange.isAbandoned else { return call.abandoned() }
    do throws(APIError) {
      let reservation = try reserveReading(of: call)
      let inquiry = try read(call, model: model)
      try admit(
        inquiry.size,
        inputBytes: inquiry.question.sequences.reduce(0) { $0 + $1.byteCount }, into: reservation,
        for: call)
      if inquiry.question.sessions.isEmpty {
        ride(inquiry, from: inquiry.question.states, for: call, startsLater: call.isOnLoop)
      } else {
        openSessions(of: inquiry, for: call)
      }
    } catch {
      call.refuse(error)
    }
  }

  /// A question, how long its client waits, and how the predictions that answer it are written: at once, or part by
  /// part.
  private struct Inquiry: Sendable {
    let question: Question
    let size: AnswerSize
    let timeout: Duration?
    let text: @Sendable ([Prediction], _ isWhole: Bool) throws(APIError) -> AnswerText
  }

  /// What the body of `call` asks, in the schema of its endpoint, and how to answer in that.
  private func read(_ call: Call, model: String?) throws(APIError) -> Inquiry {
    let body = call.exchange.request.body
    guard call.endpoint == .forecast else {
      let question = try question(in: body, model: model)
      let encoder = AnswerEncoder(question: question, sealer: sealer)
      return Inquiry(
        question: question, size: AnswerSize(question),
        timeout: try call.timeout(question.timeout)
      ) { (predictions, isWhole) throws(APIError) in
        try encoder.text(of: predictions, isWhole: isWhole)
      }
    }
    let document = try readers.read(
      body, maxDepth: ServiceSettings.maxJSONDepth, members: ForecastDecoder.members)
    let forecast = try ForecastDecoder(document: document, models: models, settings: settings)
      .decode()
    return Inquiry(
      question: forecast.question, size: AnswerSize(forecast), timeout: try call.timeout(nil)
    ) { (predictions, isWhole) throws(APIError) in
      try ForecastEncoder(question: forecast, createdAt: Int(ProcessStatistics.now))
        .text(of: predictions, isWhole: isWhole)
    }
  }

  /// Takes up the sessions of a question, and lets it ride from there.
  private func openSessions(of inquiry: Inquiry, for call: Call) {
    let question = inquiry.question
    let waiter = sessions.makeWaiter()
    // Before it waits, as whoever lets it ride says anew what is to be done when its client leaves.
    call.exchange.onAbandon { [self] in if sessions.leave(waiter) { call.abandoned() } }
    sessions.open(
      question.sessions.compactMap { $0?.opening }, model: question.model.name,
      floatCount: question.model.graph.stateFloatCount,
      waits: question.sessions.contains { $0?.waits ?? false },
      arrived: call.start, timeout: inquiry.timeout, as: waiter
    ) { [self] grant in
      switch grant {
      case .success(let opened): ride(inquiry, from: question.states(with: opened), for: call)
      case .failure(let refusal):
        call.refuse(.session(refusal, model: question.model.name))
      }
    }
    if call.exchange.isAbandoned, sessions.leave(waiter) { call.abandoned() }
  }

  private func ride(
    _ inquiry: Inquiry, from states: StateTransfer, for call: Call, startsLater: Bool = false
  ) {
    let question = inquiry.question
    let engine = question.model.engine
    let ticket = engine.predict(
      question.inputs.sequences, selection: question.selection, horizon: question.horizon,
      terms: call.terms(timeout: inquiry.timeout, startsLater: startsLater), states: states
    ) { [self] result in
      finish(call, inquiry, result)
    }
    call.exchange.onAbandon { engine.cancel(ticket) }
    if startsLater { call.exchange.afterIntake { engine.start(mayTurnHere: $0) } }
  }

  private func finish(
    _ call: Call, _ inquiry: Inquiry, _ result: Result<[Prediction], Refusal>
  ) {
    switch result {
    case .success(let predictions):
      let floats = predictions.reduce(0) { $0 + $1.floatCount }
      // An answer has its floats, and in some schemas what it repeats of the question.
      let bytes = max(floats * AnswerEncoder.bytesPerFloat, call.exchange.request.body.count)
      if bytes > settings.maxInlineBytes || inquiry.size.isStreamed {
        background.async { [self] in answer(call, predictions, inquiry) }
      } else {
        answer(call, predictions, inquiry)
      }
    case .failure(let refusal):
      closeSessions(of: inquiry.question, with: nil)
      if refusal == .cancelled {
        call.abandoned()
      } else {
        call.refuse(.refused(refusal))
      }
    }
  }

  /// Gives the sessions of a question back: as the predictions leave them, or as they were where there is no answer.
  ///
  /// - Returns: false where it is too late for that, so that there must be no answer.
  @discardableResult
  private func closeSessions(of question: Question, with predictions: [Prediction]?) -> Bool {
    guard !question.sessions.isEmpty else { return true }
    return sessions.close(question.sessionResults(of: predictions), model: question.model.name)
  }

  private func answer(_ call: Call, _ predictions: [Prediction], _ inquiry: Inquiry) {
    do throws(APIError) {
      let text = try inquiry.text(predictions, !inquiry.size.isStreamed)
      guard !inquiry.question.sessions.isEmpty else {
        return call.exchange.isAbandoned ? call.abandoned() : send(text, of: inquiry, to: call)
      }
      // This decides: a client that has left moves no session, one that leaves from here on has left as the answer was
      // on its way.
      call.exchange.askPresence { [self] isPresent in
        guard isPresent else {
          closeSessions(of: inquiry.question, with: nil)
          return call.abandoned()
        }
        // Before the answer goes out: its client may come back for the session at once.
        guard closeSessions(of: inquiry.question, with: predictions) else {
          return call.refuse(.session(.frozen, model: inquiry.question.model.name))
        }
        send(text, of: inquiry, to: call)
      }
    } catch {
      closeSessions(of: inquiry.question, with: nil)
      call.refuse(error)
    }
  }

  private func send(_ text: consuming AnswerText, of inquiry: Inquiry, to call: Call) {
    if inquiry.size.isStreamed {
      AnswerStream(text, to: call, on: background).start()
    } else {
      call.answer(.json(text.remainder()))
    }
  }
}
