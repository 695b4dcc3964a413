import Inference
import Scheduling
import Serving

/// Lets the sequences of a request for predictions ride, in whichever schema it came, and answers it with what they
/// come to.
struct PredictionRides: Sendable {
  /// What it takes to decode so many labels is done at once, where it arose: 0.1 ms or less.
  private static let maxInlineOperations = 1 << 16

  private let sessions: Sessions
  private let models: ModelRegistry
  private let budget: AnswerBudget
  private let queues: BodyQueues

  init(_ parts: ServiceParts) {
    sessions = parts.sessions
    models = parts.models
    budget = parts.budget
    queues = parts.queues
  }

  /// Answers `call`, whose body `read` reads.
  func answer(_ call: Call, read: (Call) throws(Fault) -> Inquiry) {
    guard !call.exchange.isAbandoned else { return call.abandoned() }
    do throws(Fault) {
      let reservation = try budget.reserveReading(of: call)
      let inquiry = try read(call)
      try budget.admit(
        inquiry.size,
        inputBytes: inquiry.question.sequences.reduce(0) { $0 + $1.byteCount }, into: reservation,
        for: call)
      if inquiry.question.sessions.isEmpty {
        ride(inquiry, from: inquiry.question.states, for: call, departure: call.departure)
      } else {
        openSessions(of: inquiry, for: call)
      }
    } catch {
      call.refuse(error)
    }
  }

  /// Takes up the sessions of a question, and lets it ride from there.
  private func openSessions(of inquiry: Inquiry, for call: Call) {
    let question = inquiry.question
    let waiter = sessions.makeWaiter()
    // Set before it waits; once it rides, `ride` sets anew what happens when its client leaves.
    call.exchange.onAbandon { [sessions] in if sessions.leave(waiter) { call.abandoned() } }
    sessions.open(
      question.sessions.compactMap { $0?.opening }, model: question.model.sessionOwner,
      floatCount: question.model.graph.stateFloatCount,
      waits: question.sessions.contains { $0?.waits ?? false },
      arrived: call.start, timeout: inquiry.timeout, as: waiter
    ) { grant in
      switch grant {
      case .success(let opened): ride(inquiry, from: question.states(with: opened), for: call)
      case .failure(let refusal):
        let told = sessions.refusal(refusal, of: question.model, among: models.snapshot)
        call.refuse(Fault(SessionError.refused(told, model: question.model.name)))
      }
    }
    if call.exchange.isAbandoned, sessions.leave(waiter) { call.abandoned() }
  }

  private func ride(
    _ inquiry: Inquiry, from states: StateTransfer, for call: Call,
    departure: Departure = .atOnce
  ) {
    let question = inquiry.question
    let engine = question.model.engine
    let ticket = engine.predict(
      question.inputs.sequences, selection: question.selection, horizon: question.horizon,
      terms: call.terms(timeout: inquiry.timeout), states: states, decoding: question.decoding,
      departure: departure
    ) { result in
      finish(call, inquiry, result)
    }
    call.exchange.onAbandon { engine.cancel(ticket) }
  }

  private func finish(
    _ call: Call, _ inquiry: Inquiry, _ result: Result<[Prediction], Refusal>
  ) {
    switch result {
    case .success(let predictions):
      let floats = predictions.reduce(0) { $0 + $1.floatCount }
      // An answer has its floats, and in some schemas what it repeats of the question.
      let bytes = max(floats * AnswerEncoder.bytesPerFloat, call.exchange.request.body.count)
      if bytes > queues.maxInlineBytes || inquiry.size.isStreamed
        || inquiry.size.decodingOperations > Self.maxInlineOperations
      {
        queues.background.async { answer(call, predictions, inquiry) }
      } else {
        answer(call, predictions, inquiry)
      }
    case .failure(let refusal):
      returnSessions(of: inquiry.question)
      if refusal == .cancelled {
        call.abandoned()
      } else {
        call.refuse(Fault(refusal))
      }
    }
  }

  /// Gives the sessions of a question back as they were, where there is no answer.
  private func returnSessions(of question: Question) {
    guard !question.sessions.isEmpty else { return }
    sessions.close(question.sessionResults(of: nil), model: question.model.sessionOwner)
  }

  private func answer(_ call: Call, _ predictions: [Prediction], _ inquiry: Inquiry) {
    do throws(Fault) {
      let response = try inquiry.response(predictions, !inquiry.size.isStreamed)
      guard !inquiry.question.sessions.isEmpty else {
        return call.exchange.isAbandoned ? call.abandoned() : send(response, of: inquiry, to: call)
      }
      // This decides: a client that has left moves no session, one that leaves from here on has left as the answer was
      // on its way.
      call.exchange.askPresence { [self] isPresent in
        guard isPresent else {
          returnSessions(of: inquiry.question)
          return call.abandoned()
        }
        // Before the answer goes out: its client may come back for the session at once.
        let question = inquiry.question
        sessions.close(
          question.sessionResults(of: predictions), model: question.model.sessionOwner
        ) { refusal in
          if let refusal {
            call.refuse(Fault(SessionError.refused(refusal, model: question.model.name)))
          } else {
            send(response, of: inquiry, to: call)
          }
        }
      }
    } catch {
      returnSessions(of: inquiry.question)
      call.exchange.isAbandoned ? call.abandoned() : call.refuse(error)
    }
  }

  private func send(_ answer: consuming EncodedAnswer, of inquiry: Inquiry, to call: Call) {
    if inquiry.size.isStreamed {
      AnswerStream(answer, to: call, on: queues.background).start()
    } else {
      call.answer(answer.whole())
    }
  }
}
