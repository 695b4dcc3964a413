import HTTPCore
import Scheduling
import Serving

/// The page of all counters, gauges and histograms.
struct MetricsPage: Sendable {
  private let startTime: Double
  private let metrics: Metrics
  private let models: ModelRegistry
  private let sessions: Sessions
  private let maxSessionBytes: Int
  private let memory: MemoryBudget
  private let refusedAnswers: Counter
  private let clients: ClientLimiter
  private let connections: (@Sendable () -> ConnectionStatistics)?

  init(_ parts: ServiceParts) {
    startTime = parts.startTime
    metrics = parts.metrics
    models = parts.models
    sessions = parts.sessions
    maxSessionBytes = parts.settings.sessions.maxBytes
    memory = parts.memory
    refusedAnswers = parts.budget.refusedAnswers
    clients = parts.clients
    connections = parts.connections
  }

  /// `GET /metrics`
  func response() -> HTTPResponse {
    HTTPResponse(
      status: .ok, fields: ["content-type": "text/plain; version=0.0.4; charset=utf-8"],
      body: Array(text.utf8))
  }

  private var text: String {
    var page = PrometheusText()
    writeProcess(to: &page)
    writeRequests(to: &page)
    let models = models.snapshot.models
    writeEngines(of: models, to: &page)
    writeSessions(of: models, to: &page)
    writeMemory(to: &page)
    writeClients(to: &page)
    if let connections { Self.write(connections(), to: &page) }
    return page.text
  }

  private func writeProcess(to page: inout PrometheusText) {
    page.family(
      "process_start_time_seconds", .gauge, help: "Unix time at which the service started.")
    page.sample(value: startTime)
    if let bytes = ProcessStatistics.residentBytes {
      page.family("process_resident_memory_bytes", .gauge, help: "Resident memory.")
      page.sample(value: bytes)
    }
  }

  private func writeRequests(to page: inout PrometheusText) {
    page.family(
      "carousel_requests_total", .counter,
      help: "Requests by endpoint and status of the outcome; 499: the client left before it.")
    let endpoints = metrics.endpoints.filter { !$0.requests.isEmpty }
    for endpoint in endpoints {
      for (status, count) in endpoint.requests {
        page.sample([("endpoint", endpoint.label), ("status", status)], value: count)
      }
    }
    page.family(
      "carousel_request_duration_seconds", .histogram,
      help: "Time from a request's arrival at the service to its answer.")
    for endpoint in endpoints {
      page.histogram([("endpoint", endpoint.label)], endpoint.durations)
    }
  }

  private func writeEngines(of models: [ServedModel], to page: inout PrometheusText) {
    let engines = models.map {
      (labels: [("model", $0.name)], statistics: $0.engine.snapshot())
    }

    func numbers(
      _ name: String, _ kind: PrometheusText.Kind, _ help: String,
      _ value: (EngineStatistics) -> some FixedWidthInteger
    ) {
      page.family(name, kind, help: help)
      for engine in engines { page.sample(engine.labels, value: value(engine.statistics)) }
    }
    func histograms(
      _ name: String, _ help: String, _ value: (EngineStatistics) -> HistogramSnapshot
    ) {
      page.family(name, .histogram, help: help)
      for engine in engines { page.histogram(engine.labels, value(engine.statistics)) }
    }

    numbers("carousel_seats", .gauge, "Seats of the model's engine.") { $0.maxSeats }
    numbers("carousel_seats_taken", .gauge, "Sequences that have a seat.") { $0.seated }
    numbers(
      "carousel_parked_sequences", .gauge,
      "Sequences without a seat, as their clients read too slowly."
    ) {
      $0.parked
    }
    numbers("carousel_queued_sequences", .gauge, "Sequences that wait for a seat.") {
      $0.queuedSequences
    }
    numbers("carousel_queued_steps", .gauge, "Steps of the sequences that wait for a seat.") {
      $0.queuedSteps
    }
    numbers("carousel_turns_total", .counter, "Turns: passes over the weights.") { $0.turns }
    numbers("carousel_steps_total", .counter, "Steps of sequences that were computed.") { $0.steps }
    numbers("carousel_sequences_total", .counter, "Sequences finished.") { $0.sequences }
    page.family(
      "carousel_refused_total", .counter,
      help: "Requests that a model's engine did not answer, by reason.")
    for engine in engines {
      for (reason, count) in engine.statistics.refused {
        page.sample(engine.labels + [("reason", reason)], value: count)
      }
    }
    page.family("carousel_step_seconds", .gauge, help: "Recent time per step of one sequence.")
    for engine in engines { page.sample(engine.labels, value: engine.statistics.secondsPerStep) }
    page.family(
      "carousel_capacity_steps_per_second", .gauge,
      help: "Steps per second that the model manages with all seats taken, from recent turns.")
    for engine in engines {
      guard let capacity = engine.statistics.stepsPerSecond else { continue }
      page.sample(engine.labels, value: capacity)
    }
    numbers(
      "carousel_promised_places", .gauge,
      "Places kept for refused clients, until their Retry-After has passed."
    ) {
      $0.promisedPlaces
    }
    page.family(
      "carousel_promises_taken_ratio", .gauge,
      help: "Recent share of refused clients that came back when Retry-After said.")
    for engine in engines { page.sample(engine.labels, value: engine.statistics.keptShare) }
    histograms("carousel_rows_per_turn", "Number of sequences that shared a turn.") {
      $0.rowsPerTurn
    }
    histograms("carousel_waiting_seconds", "Time from a sequence's arrival to its seat.") {
      $0.waitingTime
    }
    histograms(
      "carousel_boarding_delay_seconds",
      "The same for sequences that found a seat free and waited only for the running turn to end."
    ) { $0.boardingDelay }
    histograms("carousel_turn_seconds", "Time from the end of one turn to the end of the next.") {
      $0.turnTime
    }
  }

  private func writeSessions(of models: [ServedModel], to page: inout PrometheusText) {
    let (usage, ends) = sessions.usage
    page.family("carousel_sessions", .gauge, help: "Sessions, by model.")
    for model in models {
      page.sample([("model", model.name)], value: usage[model.sessionOwner]?.count ?? 0)
    }
    page.family("carousel_session_bytes", .gauge, help: "Memory of these sessions.")
    for model in models {
      page.sample([("model", model.name)], value: usage[model.sessionOwner]?.byteCount ?? 0)
    }
    page.family(
      "carousel_session_bytes_limit", .gauge, help: "Limit of the memory of all sessions.")
    page.sample(value: maxSessionBytes)
    page.family("carousel_sessions_ended_total", .counter, help: "Sessions ended, by reason.")
    for (end, name) in [
      (SessionEnd.ended, "ended"), (.expired, "expired"), (.evicted, "evicted"),
      (.storeFull, "store_full"),
    ] {
      page.sample([("reason", name)], value: ends[end] ?? 0)
    }
    writeSessionStore(to: &page)
  }

  private func writeSessionStore(to page: inout PrometheusText) {
    guard let (store, problem) = sessions.storeStatistics else { return }
    page.family(
      "carousel_session_store_up", .gauge,
      help: "1 while the store of sessions does what it is asked, else 0.")
    page.sample(value: problem == nil && !store.isFailing ? 1 : 0)
    page.family(
      "carousel_session_store_bytes_limit", .gauge,
      help: "Limit of the sessions' bytes in the store."
    )
    page.sample(value: store.maxBytes)
    page.family(
      "carousel_session_store_file_bytes", .gauge, help: "Size of the store's files on the disk.")
    page.sample(value: store.fileBytes)
    page.family(
      "carousel_session_store_moves_total", .counter,
      help: "New states of sessions that were stored.")
    page.sample(value: store.moves)
    page.family(
      "carousel_session_store_commits_total", .counter,
      help: "Commits of the store; each has the states of all requests that waited for it.")
    page.sample(value: store.commits)
    page.family(
      "carousel_session_store_failures_total", .counter, help: "Times that the store failed.")
    page.sample(value: store.failures)
    page.family(
      "carousel_session_store_damaged_total", .counter,
      help: "Sessions whose entry in the store was found damaged.")
    page.sample(value: store.endCounts[.damaged] ?? 0)
  }

  private func writeClients(to page: inout PrometheusText) {
    page.family(
      "carousel_clients", .gauge,
      help: "Clients whose requests are counted for rate_limit and concurrency_limit.")
    page.sample(value: clients.rememberedCount)
    page.family(
      "carousel_limited_requests_total", .counter,
      help: "Requests refused because their client had sent too many, by limit.")
    page.sample([("limit", "rate_limit")], value: clients.rateRefusals.value)
    page.sample([("limit", "concurrency_limit")], value: clients.concurrencyRefusals.value)
  }

  private func writeMemory(to page: inout PrometheusText) {
    page.family(
      "carousel_memory_bytes", .gauge,
      help:
        "Memory of bodies, documents, answers, unread output and whole sequences, held or reserved."
    )
    page.sample(value: memory.heldBytes)
    page.family("carousel_memory_bytes_limit", .gauge, help: "Limit of that memory.")
    page.sample(value: memory.limit)
    page.family(
      "carousel_memory_refused_total", .counter,
      help: "Requests refused because they would take too much memory, by limit.")
    page.sample([("limit", "max_memory_bytes")], value: memory.refusalCount)
    page.sample([("limit", "max_answer_bytes")], value: refusedAnswers.value)
  }

  private static func write(
    _ connections: ConnectionStatistics, to page: inout PrometheusText
  ) {
    page.family("carousel_connections", .gauge, help: "Connections that are open.")
    page.sample(value: connections.open)
    page.family("carousel_connections_limit", .gauge, help: "Connections that may be open.")
    page.sample(value: connections.limit)
    page.family("carousel_connections_accepted_total", .counter, help: "Connections accepted.")
    page.sample(value: connections.accepted)
    page.family(
      "carousel_connections_refused_total", .counter,
      help: "Connections turned away at the limit.")
    page.sample(value: connections.refused)
    page.family(
      "carousel_connections_beyond_share_total", .counter,
      help: "Connections refused because of max_connections_per_address.")
    page.sample(value: connections.beyondShare)
    page.family(
      "carousel_proxy_headers_refused_total", .counter,
      help: "Connections of trusted proxies closed because they sent no readable PROXY header.")
    page.sample(value: connections.proxyHeadersRefused)
    page.family(
      "carousel_accept_pauses_total", .counter,
      help: "Pauses in accepting connections, as descriptors or memory were used up.")
    page.sample(value: connections.acceptPauses)
    page.family(
      "carousel_tls_handshakes_total", .counter, help: "TLS handshakes, by outcome.")
    page.sample([("outcome", "done")], value: connections.tlsHandshakes)
    page.sample([("outcome", "failed")], value: connections.tlsFailures)
    page.family(
      "carousel_slow_transfers_total", .counter,
      help: "Bodies and answers given up because the client sent or read too slowly.")
    page.sample([("direction", "upload")], value: connections.slowUploads)
    page.sample([("direction", "download")], value: connections.slowDownloads)
    page.family(
      "carousel_http_refused_total", .counter,
      help:
        "Requests refused before they reached an endpoint, and HTTP/2 frames for which a stream or connection was ended, by reason."
    )
    for (status, count) in connections.requestsRefused.sorted(by: { $0.key.code < $1.key.code }) {
      page.sample([("reason", status.metricLabel)], value: count)
    }
  }
}

extension HTTPStatus {
  /// The reason phrase as a metric's label: `not_implemented`.
  fileprivate var metricLabel: String {
    reason.isEmpty ? "\(code)" : String(reason.lowercased().map { $0 == " " ? "_" : $0 })
  }
}
