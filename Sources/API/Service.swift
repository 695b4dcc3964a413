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
    sealer = settings.stateKey.map { StateSealer(key: $0) } ?? StateSealer()
    self.connections = connections
  }

  /// What `/readyz` tells from now on. Draining refuses nothing here: engines do that once they shut down.
  package func setReadiness(_ readiness: Readiness) {
    self.readiness.store(readiness.rawValue, ordering: .relaxed)
  }

  /// Answers `exchange`, now or from another thread later.
  package func handle(_ exchange: HTTPExchange) {
    let (endpoint, model) = Endpoint.find(exchange.request.path)
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
        call.answer(try page(endpoint, model: model))
      case "POST" where endpoint.methods.contains("POST"):
        if exchange.request.body.count > settings.maxInlineBytes {
          background.async { self.predict(call, model: model) }
        } else {
          predict(call, model: model)
        }
      case let method: throw .method(method, allowed: endpoint.methods)
      }
    } catch {
      call.answer(error.response)
    }
  }

  private func page(_ endpoint: Endpoint, model: String?) throws(APIError) -> HTTPResponse {
    switch endpoint {
    case .index: return .json(indexPage)
    case .models: return .json(modelsPage)
    case .model: return .json(modelPage(try models.model(model ?? "")))
    case .livez: return .json(status: "live")
    case .readyz, .healthz:
      let readiness = Readiness(rawValue: readiness.load(ordering: .relaxed)) ?? .starting
      guard readiness == .ready else { throw .notReady(readiness) }
      return .json(status: "ready")
    case .metrics:
      return HTTPResponse(
        status: .ok, fields: ["content-type": "text/plain; version=0.0.4; charset=utf-8"],
        body: Array(metricsPage.utf8))
    case .predict, .modelPredict, .forecast, .unknown: preconditionFailure("\(endpoint) is no page")
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
      let (question, encode) = try read(call, model: model)
      let engine = question.model.engine
      let ticket = engine.predict(
        question.inputs.sequences, selection: question.selection, horizon: question.horizon,
        timeout: question.timeout, states: question.states
      ) { [self] result in
        finish(call, result, encode)
      }
      call.exchange.onAbandon { engine.cancel(ticket) }
    } catch {
      call.answer(error.response)
    }
  }

  /// How the predictions that answer a question are written.
  private typealias Encode = @Sendable ([Prediction]) throws(APIError) -> [UInt8]

  /// What the body of `call` asks, in the schema of its endpoint, and how to answer in that.
  private func read(_ call: Call, model: String?) throws(APIError) -> (Question, Encode) {
    let body = call.exchange.request.body
    guard call.endpoint == .forecast else {
      let question = try question(in: body, model: model)
      let encoder = AnswerEncoder(question: question, sealer: sealer)
      return (question, { (predictions) throws(APIError) in try encoder.encode(predictions) })
    }
    let document = try readers.read(body, maxDepth: ServiceSettings.maxJSONDepth)
    let forecast = try ForecastDecoder(document: document, models: models, settings: settings)
      .decode()
    return (
      forecast.question,
      { (predictions) throws(APIError) in
        try ForecastEncoder(question: forecast, createdAt: Int(ProcessStatistics.now))
          .encode(predictions)
      }
    )
  }

  private func finish(
    _ call: Call, _ result: Result<[Prediction], Refusal>, _ encode: @escaping Encode
  ) {
    switch result {
    case .success(let predictions):
      let floats = predictions.reduce(0) { $0 + $1.floatCount }
      // An answer has its floats, and in some schemas what it repeats of the question.
      let bytes = max(floats * AnswerEncoder.bytesPerFloat, call.exchange.request.body.count)
      if bytes > settings.maxInlineBytes {
        background.async { [self] in answer(call, predictions, encode) }
      } else {
        answer(call, predictions, encode)
      }
    case .failure(.cancelled): call.abandoned()
    case .failure(let refusal): call.answer(APIError.refused(refusal).response)
    }
  }

  private func answer(_ call: Call, _ predictions: [Prediction], _ encode: Encode) {
    do throws(APIError) {
      call.answer(.json(try encode(predictions)))
    } catch {
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
  fileprivate static func json(_ body: [UInt8]) -> HTTPResponse {
    HTTPResponse(status: .ok, fields: ["content-type": "application/json"], body: body)
  }

  fileprivate static func json(status: String) -> HTTPResponse {
    .json(Array("{\"status\":\"\(status)\"}\n".utf8))
  }
}
