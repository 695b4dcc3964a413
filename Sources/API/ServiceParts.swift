import HTTPCore
import JSON
import Scheduling
import Serving

/// The parts that the service's features share; each feature uses those that it needs.
struct ServiceParts: Sendable {
  let models: ModelRegistry
  let settings: ServiceSettings
  let sessions: Sessions
  let sealer: StateSealer
  /// Counts the memory that the process holds for clients.
  let memory: MemoryBudget
  let budget: AnswerBudget
  /// Enforces the clients' rate and concurrency limits.
  let clients: ClientLimiter
  /// The server's statistics of its connections, for `/metrics`.
  let connections: (@Sendable () -> ConnectionStatistics)?
  let metrics = Metrics()
  let startTime = ProcessStatistics.now
  let readers = BodyReader()
  let readiness = ReadinessState()
  let queues: BodyQueues
  let pages = PageQueue()
  let pacer = StreamPacer()

  init(
    models: ModelRegistry, settings: ServiceSettings, memory: MemoryBudget,
    sessionStore: (any SessionStore)? = nil,
    connections: (@Sendable () -> ConnectionStatistics)?
  ) {
    self.models = models
    self.settings = settings
    self.memory = memory
    self.connections = connections
    budget = AnswerBudget(memory: memory, settings: settings)
    clients = ClientLimiter(limits: settings.clients)
    sessions = Sessions(limits: settings.sessions, store: sessionStore)
    sealer = settings.stateKey.map { StateSealer(key: $0) } ?? StateSealer()
    queues = BodyQueues(settings)
  }
}
