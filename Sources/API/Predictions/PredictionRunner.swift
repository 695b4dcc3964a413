import Inference
import Scheduling
import Serving

/// Runs the sequences of a request for predictions, in whichever schema it came, and answers the request with the
/// results.
final class PredictionRunner: Sendable {
  /// Decoding of up to this many operations is done at once, on the thread at hand: it takes 0.1 ms at most.
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

  /// Answers `call`; `read` decodes its body.
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

  /// Opens the sessions of a question, and lets the question ride from their states.
  private func openSessions(of inquiry: Inquiry, for call: Call) {
    let question = inquiry.question
    let waiter = sessions.makeWaiter()
    // Set before the request waits for sessions; once it rides, `ride` replaces this action.
    call.exchange.onAbandon { [sessions] in if sessions.leave(waiter) { call.abandoned() } }
    sessions.open(
      question.sessions.compactMap { $0?.opening }, model: question.model.sessionOwner,
      floatCount: question.model.graph.stateFloatCount,
      waits: question.sessions.contains { $0?.waits ?? false },
      arrived: call.start, timeout: inquiry.timeout, as: waiter
    ) { [self] grant in
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
    ) { [self] result in
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
      // The answer holds its floats, and in some schemas repeats parts of the body.
      let bytes = max(floats * AnswerEncoder.bytesPerFloat, call.exchange.request.body.count)
      if bytes > queues.maxInlineBytes || inquiry.size.isStreamed
        || inquiry.size.decodingOperations > Self.maxInlineOperations
      {
        queues.background.async { [self] in answer(call, predictions, inquiry) }
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

  /// Gives the sessions of a question back unchanged, as there is no answer.
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
      // This is the deciding moment: if the client has left, its sessions do not move; if it leaves later, the answer
      // counts as sent.
      call.exchange.askPresence { [self] isPresent in
        guard isPresent else {
          returnSessions(of: inquiry.question)
          return call.abandoned()
        }
        // Done before the answer leaves, since the client may use the session again at once.
        let question = inquiry.question
        sessions.close(
          question.sessionResults(of: predictions), model: question.model.sessionOwner
        ) { [self] refusal in
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
