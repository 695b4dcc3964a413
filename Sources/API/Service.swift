import HTTPCore
import Inference
import Scheduling
import Serving

/// Carousel's HTTP interface: answers each exchange with the help of the models.
///
/// Functions that an event loop calls return at once. Work that takes longer than a hop to another thread (decoding a
/// large body, encoding a large answer) runs on a concurrent queue.
package final class Service: Sendable {
  let parts: ServiceParts
  private let router: Router
  private let access: AccessPolicy
  private let crossOrigin: CrossOriginPolicy

  /// Creates a service that is not ready until `setReadiness(.ready)` is called.
  ///
  /// - Parameters:
  ///   - engines: the engine of each model and the model's name in URLs; names are unique.
  ///   - defaultModel: the name of the model that answers `/predict`; nil for the first of `engines`.
  ///   - sessionStore: keeps sessions beyond the life of the process; nil if sessions are not stored.
  ///   - memory: the budget that documents and answers count towards; the server's own, so that there is one total.
  package convenience init(
    engines: [(name: String, engine: Engine)], defaultModel: String? = nil,
    settings: ServiceSettings = ServiceSettings(),
    memory: MemoryBudget = MemoryBudget(limit: 1 << 30),
    sessionStore: (any SessionStore)? = nil,
    connections: (@Sendable () -> ConnectionStatistics)? = nil
  ) {
    self.init(
      ServiceParts(
        models: ModelRegistry(
          engines.map { ServedModel(name: $0.name, engine: $0.engine) }, defaultModel: defaultModel),
        settings: settings,
        memory: memory, sessionStore: sessionStore, connections: connections)
    ) { RouteTable(parts: $0).rows }
  }

  /// A service with other routes, for tests.
  init(_ parts: ServiceParts, routes: (ServiceParts) -> [Route]) {
    self.parts = parts
    let routes = routes(parts)
    router = Router(
      [IndexPage.route(listing: routes, of: parts)] + routes, metrics: parts.metrics)
    access = AccessPolicy(parts.settings)
    crossOrigin = CrossOriginPolicy(parts.settings.origins)
  }

  /// The paths of health checks, which are cheap to answer.
  package var probePaths: [String] {
    router.endpoints.flatMap(\.routes).filter(\.isHealthCheck).map(\.path.text)
  }

  /// The engines of the models that are served now.
  package var engines: [Engine] { parts.models.snapshot.models.map(\.engine) }

  /// Moves sessions from one process to the next.
  package var sessionTransfer: SessionTransfer {
    SessionTransfer(
      models: parts.models, sessions: parts.sessions, wallClock: { ProcessStatistics.now })
  }

  /// What session files have, into the session store; nil where there is none.
  package var sessionTakeover: SessionTakeover? {
    parts.sessions.store.map { SessionTakeover(sessionTransfer, into: $0) }
  }

  /// Refuses requests for sessions, as the store is being filled, or no more.
  package func setTakingOver(_ isTakingOver: Bool) { parts.sessions.takeover.set(isTakingOver) }

  /// Stops serving sessions. `completion` is then told whether the session store, if there is one, has saved all of
  /// them.
  package func endSessions(completion: @escaping @Sendable (_ isWell: Bool) -> Void) {
    parts.sessions.shutDown(completion: completion)
  }

  /// Requires the tokens of `table` from now on.
  package func replaceTokens(by table: TokenTable) { access.replaceTokens(by: table) }

  /// Sets the readiness that `/readyz` reports from now on. Draining refuses nothing here: engines refuse requests once
  /// they shut down.
  package func setReadiness(_ readiness: Readiness) { parts.readiness.set(readiness) }

  /// The question in the body of a `POST /predict`.
  ///
  /// - Throws: an error whose description is the sentence of the refusal.
  package func question(in body: [UInt8]) throws -> Question {
    try Predictions(parts).question(in: body)
  }

  /// A question to the default model, with one of `columns` for each input, in the model's order.
  ///
  /// - Throws: an error whose description is the sentence of the refusal.
  package func question(
    _ columns: [InputColumn], outputs: Selection.Steps?, horizon: Int?
  ) throws -> Question {
    try Question(
      of: parts.models.snapshot.defaultModel(), columns, outputs: outputs, horizon: horizon,
      limits: parts.settings.questions)
  }

  /// The text of the answer to `question`, which came by `POST /predict`, with its `predictions`.
  ///
  /// - Throws: an error whose description is the sentence of the refusal.
  package func answerText(to question: Question, _ predictions: [Prediction]) throws -> [UInt8] {
    var text = try AnswerEncoder(question: question, sealer: parts.sealer)
      .text(of: predictions, isWhole: true)
    return text.remainder()
  }

  /// The service as the application of a server.
  package var application: Application { Application { self.receive($0, from: $1) } }

  /// Answers `exchange`, whose request is complete, at once or later from another thread.
  package func handle(_ exchange: HTTPExchange) {
    receive(exchange.request, from: exchange.connection?.peer).answer(exchange)
  }

  /// Decides by the head of a request which route answers it, and how much of its body is read.
  private func receive(_ head: HTTPRequest, from peer: HTTPPeer?) -> Reception {
    let (endpoint, path) = router.match(head.path)
    let fields = crossOrigin.fields(for: head)
    do throws(Fault) {
      let (route, grant, place) = try parts.clients.admitting(
        peer, isPreflight: crossOrigin.isPreflight(head)
      ) { () throws(Fault) in try self.route(of: endpoint, path, for: head) }
      guard let route else {
        var answer = HTTPResponse(
          status: .ok, fields: ["allow": endpoint.methods.joined(separator: ", ")])
        answer.fields.append(
          contentsOf: crossOrigin.preflightFields(for: head, methods: endpoint.methods))
        return Reception(
          .whole(maxBytes: ServiceSettings.maxUnreadBodyBytes), fields: fields
        ) { [answer] exchange in
          Call(exchange: exchange, endpoint: endpoint, path: path, place: place).answer(answer)
        }
      }
      return Reception(.whole(maxBytes: route.bodyLimit.maxBytes), fields: fields) { exchange in
        self.answer(
          Call(exchange: exchange, endpoint: endpoint, path: path, grant: grant, place: place),
          by: route.answer)
      }
    } catch {
      return Reception(.unwanted, fields: fields) { exchange in
        Call(exchange: exchange, endpoint: endpoint, path: path).refuse(error)
      }
    }
  }

  /// The route of a request and what its client may do; no route for an OPTIONS request, which only asks for the
  /// methods. A model that the path names is checked here, before the body is read.
  private func route(
    of endpoint: Endpoint, _ path: MatchedPath, for head: HTTPRequest
  ) throws(Fault) -> (Route?, Grant) {
    let isUnknown = endpoint === router.unknown
    if head.method == "OPTIONS", !isUnknown || head.path == "*" { return (nil, .all) }
    guard !isUnknown else {
      let escape = NormalizedPath.badEscape(in: head.path)
      throw Fault(
        escape.map { RouteError.pathEscape(found: $0) } ?? .noSuchPath(head.path))
    }
    guard let route = endpoint.route(for: head.method) else {
      throw Fault(RouteError.method(head.method, allowed: endpoint.methods))
    }
    let grant = try access.check(route.access, by: head)
    if grant.models != nil, let name = path["name"] {
      _ = try grant.models(of: parts.models.snapshot).model(name)
    }
    return (route, grant)
  }

  private func answer(_ call: Call, by answer: Route.Answer) {
    switch answer {
    case .page(.onLoop, let make): parts.budget.answer([call], make)
    case .page(.forEach, let make):
      parts.pages.add { [budget = parts.budget] in budget.answer([call], make) }
    case .page(.shared, let make):
      parts.pages.add(call) { [budget = parts.budget] in budget.answer($0, make) }
    case .laterPage(let make):
      make(call) { [budget = parts.budget] page in
        budget.answer([call]) { _ throws(Fault) in try page.get() }
      }
    case .question(let answer): parts.queues.answer(call, by: answer)
    }
  }
}

extension AnswerBudget {
  /// The largest page, in bytes, for which no memory is reserved, so that health checks are never refused for lack of
  /// it.
  private static let maxUncountedPageBytes = 256

  /// Answers all `calls` with one page, which is made for the first of them.
  fileprivate func answer(
    _ calls: [Call], _ make: (Call) throws(Fault) -> HTTPResponse
  ) {
    guard let first = calls.first else { return }
    do throws(Fault) {
      let page = try make(first)
      for call in calls { answer(call, page) }
    } catch {
      for call in calls { call.refuse(error) }
    }
  }

  private func answer(_ call: Call, _ page: HTTPResponse) {
    do throws(Fault) {
      if page.body.count > Self.maxUncountedPageBytes {
        _ = try reserve(page.body.count, for: call)
      }
      call.answer(page)
    } catch {
      call.refuse(error)
    }
  }
}
