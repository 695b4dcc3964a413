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
  let sealer: StateSealer
  let readers = JSONReaderPool()
  /// What clients make the process hold.
  let memory: MemoryBudget
  /// Requests refused at `max_answer_bytes`.
  let refusedAnswers = Counter()
  let pages = PageQueue()
  let pacer = StreamPacer()
  let hugeBodies = DispatchQueue(label: "decode huge bodies", qos: .userInitiated)
  private let readiness = Atomic<UInt8>(Readiness.starting.rawValue)
  let background = DispatchQueue(
    label: "decode and encode", qos: .userInitiated, attributes: .concurrent)

  /// The paths of health checks, which cost next to nothing.
  package static let probePaths = [Endpoint.livez, .readyz, .healthz].map(\.path)

  /// A service that is not ready until `setReadiness` says so.
  ///
  /// - Parameters:
  ///   - engines: the models, each under the name that it has in URLs; no name twice.
  ///   - defaultModel: the one that answers `/predict`, of `engines`; the first where nil.
  ///   - memory: where documents and answers are counted; the server's own, so that all is counted together.
  package init(
    engines: [(name: String, engine: Engine)], defaultModel: String? = nil,
    settings: ServiceSettings = ServiceSettings(),
    memory: MemoryBudget = MemoryBudget(limit: 1 << 30),
    connections: (@Sendable () -> ConnectionStatistics)? = nil
  ) {
    models = ModelCatalogue(engines, defaultModel: defaultModel)
    self.settings = settings
    self.memory = memory
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
      case _ where endpoint == .unknown:
        if let found = NormalizedPath.badEscape(in: exchange.request.path) {
          throw .pathEscape(found: found)
        }
        throw .noSuchPath(exchange.request.path)
      // The server leaves the body of a response to HEAD out, and no other part of it (RFC 9110 §9.3.2).
      case "HEAD" where endpoint.methods.contains("HEAD"),
        "GET" where endpoint.methods.contains("GET"):
        switch endpoint.pageMaking {
        case .onLoop: answer([call], route)
        case .forEach: pages.add { self.answer([call], route) }
        case .shared: pages.add(call, for: route) { self.answer($0, route) }
        }
      case "DELETE" where endpoint.methods.contains("DELETE"):
        call.answer(.json(try endSession(of: route)))
      case "POST" where endpoint.methods.contains("POST"):
        if exchange.request.body.count > settings.maxInlineBytes {
          let isHuge = exchange.request.body.count > Self.maxBytesReadBesideOthers
          (isHuge ? hugeBodies : background).async {
            var call = call
            call.isOnLoop = false
            self.post(call, route)
          }
        } else {
          post(call, route)
        }
      case let method: throw .method(method, allowed: endpoint.methods)
      }
    } catch {
      call.refuse(error)
    }
  }

  private static let maxUncountedPageBytes = 256
  /// Larger bodies are read one at a time, so that those who send such leave cores to the others.
  static let maxBytesReadBesideOthers = 1 << 20

  /// Answers all `calls`, of which the first stands for the others, with one page.
  private func answer(_ calls: [Call], _ route: Route) {
    guard let first = calls.first else { return }
    do throws(APIError) {
      let page = try page(route, of: first.exchange.request)
      for call in calls { answer(call, page) }
    } catch {
      for call in calls { call.answer(error.response) }
    }
  }

  private func answer(_ call: Call, _ page: HTTPResponse) {
    do throws(APIError) {
      // What a probe is told is too little to be refused.
      if page.body.count > Self.maxUncountedPageBytes {
        _ = try reserve(page.body.count, for: call)
      }
      call.answer(page)
    } catch {
      call.answer(error.response)
    }
  }

  private func post(_ call: Call, _ route: Route) {
    switch route.endpoint {
    case .generate, .modelGenerate: generate(call, model: route.model)
    default: predict(call, model: route.model)
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
    case .predict, .modelPredict, .generate, .modelGenerate, .forecast, .unknown:
      preconditionFailure("\(route) is no page")
    }
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
