import Dispatch
import HTTPCore
import Inference
import Scheduling
import Synchronization

/// Carousel's HTTP interface: answers each exchange from its models.
///
/// `handle` is the server's `Application`: it returns at once. What takes longer than a hop to another thread
/// costs, the decoding of a large body or the encoding of a large answer, is done on a concurrent queue.
package final class Service: Sendable {
  let models: ModelCatalogue
  let settings: ServiceSettings
  let metrics = Metrics()
  let startTime = ProcessStatistics.now
  /// What the server knows of its connections, for `/metrics`.
  let connections: (@Sendable () -> ConnectionStatistics)?

  let sessions: Sessions
  private let sealer: StateSealer
  private let readers = JSONReaderPool()
  private let readiness = Atomic<UInt8>(Readiness.starting.rawValue)
  private let background = DispatchQueue(
    label: "decode and encode", qos: .userInitiated, attributes: .concurrent)

  /// A service that is not ready until `setReadiness` says so.
  ///
  /// - Parameters:
  ///   - engines: the models, each under the name that it has in URLs; no name twice.
  ///   - defaultModel: the one that answers `/predict`, of `engines`; the first where nil.
  package init(
    engines: [(name: String, engine: Engine)], defaultModel: String? = nil,
    settings: ServiceSettings = ServiceSettings(),
    connections: (@Sendable () -> ConnectionStatistics)? = nil
  ) {
    models = ModelCatalogue(engines, defaultModel: defaultModel)
    self.settings = settings
    sessions = Sessions(limits: settings.sessions)
    sealer = settings.stateKey.map { StateSealer(key: $0) } ?? StateSealer()
    self.connections = connections
  }

  /// What `/readyz` tells from now on. Draining refuses nothing here: engines do that once they shut down.
  package func setReadiness(_ readiness: Readiness) {
    self.readiness.store(readiness.rawValue, ordering: .relaxed)
  }

  /// Answers `exchange`, now or from another thread later.
  package func handle(_ exchange: HTTPExchange) {
    let route = Route(exchange.request.path)
    let endpoint = route.endpoint
    let call = Call(exchange: exchange, endpoint: endpoint, metrics: metrics)
    do throws(APIError) {
      switch exchange.request.method {
      case "OPTIONS" where endpoint != .unknown || exchange.request.path == "*":
        call.answer(
          HTTPResponse(
            status: .ok, fields: ["allow": endpoint.methods.joined(separator: ", ")]))
      case _ where endpoint == .unknown: throw .noSuchPath(exchange.request.path)
      // The server leaves the body of a response to HEAD out, and no other part of it (RFC 9110 §9.3.2).
      case "HEAD" where endpoint.methods.contains("HEAD"),
        "GET" where endpoint.methods.contains("GET"):
        call.answer(try page(route, of: exchange.request))
      case "DELETE" where endpoint.methods.contains("DELETE"):
        call.answer(.json(try endSession(of: route)))
      case "POST" where endpoint.methods.contains("POST"):
        if exchange.request.body.count > settings.maxInlineBytes {
          background.async { self.predict(call, model: route.model) }
        } else {
          predict(call, model: route.model)
        }
      case let method: throw .method(method, allowed: endpoint.methods)
      }
    } catch {
      call.answer(error.response)
    }
  }

  private func page(_ route: Route, of request: HTTPRequest) throws(APIError) -> HTTPResponse {
    switch route.endpoint {
    case .index: return .json(indexPage)
    case .models: return .json(modelsPage)
    case .model: return .json(modelPage(try models.model(route.model ?? "")))
    case .sessions: return .json(try sessionsPage(of: route, request))
    case .session: return .json(try sessionPage(of: route))
    case .livez: return .json(status: "live")
    case .readyz, .healthz:
      let readiness = Readiness(rawValue: readiness.load(ordering: .relaxed)) ?? .starting
      guard readiness == .ready else { throw .notReady(readiness) }
      return .json(status: "ready")
    case .metrics:
      return HTTPResponse(
        status: .ok, fields: ["content-type": "text/plain; version=0.0.4; charset=utf-8"],
        body: Array(metricsPage.utf8))
    case .predict, .modelPredict, .unknown: preconditionFailure("\(route) is no page")
    }
  }

  // MARK: - Predictions

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

  private func predict(_ call: Call, model: String?) {
    guard !call.exchange.isAbandoned else { return call.abandoned() }
    do throws(APIError) {
      let question = try question(in: call.exchange.request.body, model: model)
      guard !question.sessions.isEmpty else {
        return ride(question, from: question.states, timeout: question.timeout, for: call)
      }
      open(question, for: call)
    } catch {
      call.answer(error.response)
    }
  }

  /// Takes up the sessions of a question, and lets it ride from there.
  private func open(_ question: Question, for call: Call) {
    let waiter = sessions.makeWaiter()
    // Before it waits, as whoever lets it ride says anew what is to be done when its client leaves.
    call.exchange.onAbandon { [self] in if sessions.leave(waiter) { call.abandoned() } }
    sessions.open(
      question.sessions.compactMap { $0?.opening }, model: question.model.name,
      floatCount: question.model.graph.stateFloatCount,
      waits: question.sessions.contains { $0?.waits ?? false }, timeout: question.timeout,
      as: waiter
    ) { [self] grant in
      switch grant {
      case .success(let opened):
        let waited = call.start.duration(to: .now)
        ride(
          question, from: question.states(with: opened),
          timeout: question.timeout.map { Swift.max(.zero, $0 - waited) }, for: call)
      case .failure(let refusal):
        call.answer(APIError.session(refusal, model: question.model.name).response)
      }
    }
    if call.exchange.isAbandoned, sessions.leave(waiter) { call.abandoned() }
  }

  private func ride(
    _ question: Question, from states: StateTransfer, timeout: Duration?, for call: Call
  ) {
    let engine = question.model.engine
    let ticket = engine.predict(
      question.inputs.sequences, selection: question.selection, horizon: question.horizon,
      timeout: timeout, states: states
    ) { [self] result in
      finish(call, question, result)
    }
    call.exchange.onAbandon { engine.cancel(ticket) }
  }

  private func finish(
    _ call: Call, _ question: Question, _ result: Result<[Prediction], Refusal>
  ) {
    switch result {
    case .success(let predictions):
      let floats = predictions.reduce(0) { $0 + $1.floatCount }
      if floats * AnswerEncoder.bytesPerFloat > settings.maxInlineBytes {
        background.async { [self] in encode(predictions, of: question, for: call) }
      } else {
        encode(predictions, of: question, for: call)
      }
    case .failure(let refusal):
      close(question, with: nil)
      if refusal == .cancelled {
        call.abandoned()
      } else {
        call.answer(APIError.refused(refusal).response)
      }
    }
  }

  /// Gives the sessions of a question back: as the predictions leave them, or as they were where there is no answer.
  private func close(_ question: Question, with predictions: [Prediction]?) {
    guard !question.sessions.isEmpty else { return }
    sessions.close(question.sessionResults(of: predictions), model: question.model.name)
  }

  private func encode(_ predictions: [Prediction], of question: Question, for call: Call) {
    do throws(APIError) {
      let body = try AnswerEncoder(question: question, sealer: sealer).encode(predictions)
      // Before the answer goes out: its client may come back for the session at once.
      close(question, with: predictions)
      call.answer(.json(body))
    } catch {
      close(question, with: nil)
      call.answer(error.response)
    }
  }
}

/// One exchange on its way through the service, and the clock that runs for its endpoint.
private struct Call: Sendable {
  let exchange: HTTPExchange
  let endpoint: Endpoint
  let metrics: Metrics
  let start = ContinuousClock.now

  func answer(_ response: HTTPResponse) {
    exchange.respond(response)
    record(response.status.code)
  }

  /// The client left; nobody waits for an answer.
  func abandoned() { record(Metrics.abandonedStatus) }

  private func record(_ status: Int) {
    let elapsed = start.duration(to: .now).components
    metrics.record(
      endpoint, status: status,
      seconds: Double(elapsed.seconds) + Double(elapsed.attoseconds) * 1e-18)
  }
}

extension HTTPResponse {
  static func json(_ body: [UInt8]) -> HTTPResponse {
    HTTPResponse(status: .ok, fields: ["content-type": "application/json"], body: body)
  }

  fileprivate static func json(status: String) -> HTTPResponse {
    .json(Array("{\"status\":\"\(status)\"}\n".utf8))
  }
}
