import API
import HTTPCore
import ModelFormat
import Scheduling

/// The table of settings, from which help texts, names in the environment, `carousel config`, error messages and bounds
/// are made. A declaration may also name the module's variable that it sets; then the variable's own default is the
/// setting's default. To add a setting, add a declaration here and an entry in `all`.
extension Setting {
  static let host = Setting(
    "host", .text, "127.0.0.1",
    "Address to listen on; 0.0.0.0 or :: for every interface, as in a container.")
  static let port = Setting(
    "port", .integer(0...65535), "8080",
    "TCP port, HTTP/1.1 and HTTP/2 alike; 0 picks a free one.")
  static let tlsCertificate = Setting(
    "tls_certificate", .paths, "",
    "Certificates to speak TLS with, a file each of its chain in PEM; the first is for clients that ask for no name, or another. Read again on SIGHUP and when a file changes; empty: no TLS."
  )
  static let tlsKey = Setting(
    "tls_key", .paths, "", "The keys to the certificates, in their order, in PEM.")
  static let tlsClientAuthorities = Setting(
    "tls_client_authorities", .path, "",
    "File of authorities in PEM: clients need a certificate of one of them; empty: they need none.")
  static let tlsPort = Setting(
    "tls_port", .integer(0...65535), "0",
    "TCP port for TLS beside the one in the clear; 0: with a certificate, port itself speaks TLS.")
  static let models = Setting(
    "models", .path, "config/models",
    "Folder whose subfolders are the models to serve, unless the command line names folders.")
  static let defaultModel = Setting(
    "default_model", .text, "",
    "Name of the model that answers /predict; empty: the first.")
  static let precision = Setting(
    "precision", .choice(Precision.allCases.map(\.rawValue)), "",
    "What the weights of every model's recurrent networks are kept as; empty: what each model.json says."
  )
  static let loops = Setting(
    "loops", .integer(0...256), "0",
    "Event loops; 0: one for each core the process may use. Fewer leave more of them to the models."
  )
  static let workers = Setting(
    "workers", .integer(0...256), "0",
    "Threads that compute a model when there is enough for them; 0: one for each core it may use.")
  static let maxSeats = Setting(
    "max_seats", .integer(1...4096),
    "Sequences that share a pass over the weights; more trades latency for throughput.",
    into: .integer(\.engine.maxSeats))
  static let maxQueuedSequences = Setting(
    "max_queued_sequences", .integer(1...1_000_000),
    "Sequences that may wait for a seat, a model; beyond it requests get 429. Who comes back when told may make it twice as many.",
    into: .integer(\.engine.maxQueuedSequences))
  static let maxQueuedSteps = Setting(
    "max_queued_steps", .integer(1...1_000_000_000),
    "Steps that may wait, a model, all runs of a model that needs whole sequences; bounds the wait and the memory of long sequences.",
    into: .integer(\.engine.maxQueuedSteps))
  static let maxSequenceSteps = Setting(
    "max_sequence_steps", .integer(1...100_000_000),
    "Steps of one sequence; a longer one is refused.",
    into: .integer(\.service.questions.maxSequenceSteps))
  static let maxSequencesPerRequest = Setting(
    "max_sequences_per_request", .integer(1...1_000_000),
    "Sequences in one request; more are refused.",
    into: .integer(\.service.questions.maxSequencesPerRequest))
  static let maxHorizon = Setting(
    "max_horizon", .integer(1...1_000_000),
    "Steps that a forecast may be asked for.",
    into: .integer(\.service.questions.maxHorizon))
  static let maxGenerationSteps = Setting(
    "max_generation_steps", .integer(1...1_000_000),
    "Tokens that a text may be continued by.",
    into: .integer(\.service.questions.maxGenerationSteps))
  static let maxBodyBytes = Setting(
    "max_body_bytes", .bytes(1...(1 << 30)),
    "Content of one request as it arrives; a larger one gets 413.",
    into: .integer(\.server.http1.maxBodyBytes), .integer(\.server.http2.maxBodyBytes))
  static let maxMemoryBytes = Setting(
    "max_memory_bytes", .bytes(0...(1 << 40)), "0",
    "Memory of all bodies, documents, answers and unread output; beyond it 429. 0: half of what there is, 1 GiB at most.",
    formerName: "max_buffered_bytes")
  static let maxAnswerBytes = Setting(
    "max_answer_bytes", .bytes(1...(1 << 40)),
    "Text of one answer; a request that asks for more gets 413 before anything is computed.",
    into: .integer(\.service.maxAnswerBytes))
  static let maxDecodingOperations = Setting(
    "max_decoding_operations", .integer(1...(1 << 50)),
    "Work of finding the labels of one answer: of a CRF steps × labels², of CTC's beam about steps × 64 × width²; more gets 413.",
    into: .integer(\.service.maxDecodingOperations))
  static let maxInlineBytes = Setting(
    "max_inline_bytes", .bytes(0...(1 << 30)),
    "Larger bodies are decoded away from the event loop, for the price of a hop between threads.",
    into: .integer(\.service.maxInlineBytes))
  static let maxHeadBytes = Setting(
    "max_head_bytes", .bytes(256...(1 << 20)),
    "Request line and fields together; larger ones get 431.",
    into: .integer(\.server.http1.maxHeadBytes), .integer(\.server.http2.maxHeadBytes))
  static let maxTargetBytes = Setting(
    "max_target_bytes", .bytes(64...(1 << 20)),
    "The path and query of a request; longer ones get 414.",
    into: .integer(\.server.http1.maxTargetBytes), .integer(\.server.http2.maxTargetBytes))
  static let maxFields = Setting(
    "max_fields", .integer(10...1000),
    "Fields of a request; more get 431. Some proxies add many.",
    into: .integer(\.server.http1.maxFields), .integer(\.server.http2.maxFields))
  static let maxConcurrentStreams = Setting(
    "max_concurrent_streams", .integer(1...4096),
    "Requests that one HTTP/2 connection may have under way; more for a gateway that sends all over one.",
    into: .integer(\.server.http2.maxConcurrentStreams))
  static let streamWindowBytes = Setting(
    "stream_window_bytes", .bytes(65_535...(1 << 30)),
    "What an HTTP/2 client may send of bodies before it hears from the server; more for large bodies from far away.",
    into: .integer(\.server.http2.windowBytes))
  static let maxIncompleteBytes = Setting(
    "max_incomplete_bytes", .bytes(1...(1 << 40)),
    "Bodies on their way over one HTTP/2 connection, together; beyond it the client is told to try again. At least max_body_bytes.",
    into: .integer(\.server.http2.maxIncompleteBytes))
  static let maxConnections = Setting(
    "max_connections", .integer(1...1_000_000),
    "Open connections; one more gets 429. Fewer where the limit on open files (ulimit -n) is too low.",
    into: .integer(\.server.maxConnections))
  static let maxConnectionsPerAddress = Setting(
    "max_connections_per_address", .integer(0...1_000_000),
    "Of those, connections of one IPv4 address, or one /64 of IPv6; one more gets 429. Trusted proxies have as many as they like. 0: no such limit.",
    into: .integer(\.server.maxConnectionsPerAddress))
  static let trustedProxies = Setting(
    "trusted_proxies", .networks, "",
    "Addresses and blocks of the proxies that are believed when they say whom a request comes from; empty: nobody is."
  )
  static let forwardedField = Setting(
    "forwarded_field", .choice(TrustedProxies.Field.allCases.map(\.rawValue)), "any",
    "The field in which trusted proxies say so; any: either, and a request in which the two differ gets 400."
  )
  static let proxyProtocol = Setting(
    "proxy_protocol", .choice(["off", "v2"]), "off",
    "Whether connections from trusted proxies begin with a header of the PROXY protocol, version 2, before TLS; others never do."
  )
  static let rateLimit = Setting(
    "rate_limit", .number(RequestLimits.rates),
    "Requests a second of one client, a token or else an address, health checks apart; beyond it 429. The tokens file may say otherwise of a token. 0: no limit.",
    into: .number(\.service.clients.rate))
  static let rateBurst = Setting(
    "rate_burst", .integer(RequestLimits.bursts),
    "Requests that a client may send at once after a pause; 0: those of a second.",
    into: .integer(\.service.clients.burst))
  static let concurrencyLimit = Setting(
    "concurrency_limit", .integer(RequestLimits.concurrencies),
    "Requests that one client may have under way; one more gets 429. 0: no limit.",
    into: .integer(\.service.clients.concurrency))
  static let corsOrigins = Setting(
    "cors_origins", .origins, "",
    "Origins whose web pages may read answers, such as https://example.org; * for all, empty for none."
  )
  static let headTimeoutSeconds = Setting(
    "head_timeout_seconds", .seconds(0.01...3600),
    "From a request's first byte to the end of its head, against slow clients.",
    into: .duration(\.server.headTimeout))
  static let bodyTimeoutSeconds = Setting(
    "body_timeout_seconds", .seconds(0.01...3600),
    "Silence allowed while a body arrives; over HTTP/2 on its stream.",
    into: .duration(\.server.bodyTimeout))
  static let idleTimeoutSeconds = Setting(
    "idle_timeout_seconds", .seconds(0.01...86400),
    "Life of a connection without a request; longer than a load balancer's, so that it closes first.",
    into: .duration(\.server.idleTimeout))
  static let writeTimeoutSeconds = Setting(
    "write_timeout_seconds", .seconds(0.01...3600),
    "How long a client may take no byte of its answer.",
    into: .duration(\.server.writeTimeout))
  static let minUploadRate = Setting(
    "min_upload_rate", .integer(0...1_000_000_000),
    "Bytes a second that a body brings at least, on average of each body_timeout_seconds; else 408. 0: none.",
    into: .integer(\.server.minUploadRate))
  static let minDownloadRate = Setting(
    "min_download_rate", .integer(0...1_000_000_000),
    "Bytes a second that a client takes at least of an answer that waits for it, on average of each write_timeout_seconds. 0: none.",
    into: .integer(\.server.minDownloadRate))
  static let drainDelaySeconds = Setting(
    "drain_delay_seconds", .seconds(0...3600), "0",
    "Pause between failing /readyz and refusing connections, for load balancers to notice.")
  static let drainSeconds = Setting(
    "drain_seconds", .seconds(0...3600), "8",
    "How long what is in flight may take to end once the server stops; docker kills after 10 s.")
  static let drainGraceSeconds = Setting(
    "drain_grace_seconds", .seconds(0...3600),
    "How long idle connections stay open in a drain, as a request may be on its way, and how long nothing may come of one that has begun; no drain is shorter.",
    into: .duration(\.server.drainGrace))
  static let compressMinBytes = Setting(
    "compress_min_bytes", .bytes(0...(1 << 30)),
    "Answers smaller than this are never compressed.",
    into: .integer(\.server.contentCoding.minCompressBytes))
  static let gzipLevel = Setting(
    "gzip_level", .integer(1...9),
    "1 is fastest, 9 smallest; on numbers, higher levels cost more time than they save bytes.",
    into: .integer(\.server.contentCoding.gzipLevel))
  static let maxInflatedBytes = Setting(
    "max_inflated_bytes", .bytes(1...(1 << 30)),
    "Content of one request once inflated.",
    into: .integer(\.server.contentCoding.maxInflatedBytes))
  static let maxInflateRatio = Setting(
    "max_inflate_ratio", .integer(1...1032),
    "Inflated to compressed size of a request; above it, and 1 MiB inflated, it is taken for a bomb.",
    into: .integer(\.server.contentCoding.maxInflateRatio))
  static let stateKey = Setting(
    "state_key", .secret(minBytes: ServiceSettings.minStateKeyBytes), "",
    "Signs the states that clients take along; the same in every replica. Empty: random, for this process."
  )
  static let maxSessionBytes = Setting(
    "max_session_bytes", .bytes(0...(1 << 40)),
    "What the sessions that clients leave here may take; beyond it the least recently used go. 0: none.",
    into: .integer(\.service.sessions.maxBytes))
  static let sessionIdleSeconds = Setting(
    "session_idle_seconds", .seconds(0.01...31_536_000),
    "Life of a session that nobody uses.",
    into: .duration(\.service.sessions.idleTimeout))
  static let maxSessionWaiters = Setting(
    "max_session_waiters", .integer(0...10_000),
    "Requests that may wait for one session that is busy.",
    into: .integer(\.service.sessions.maxWaiters))
  static let sessionFile = Setting(
    "session_file", .paths, "",
    "File that sessions are written to at the end and read from at the start, and after a colon another one for when it can't be written; what is no such file is not touched, and .sessions added to its name; empty: they end with the process. Beside a session_store that is none but memory, the store takes over what the file has, once, and nothing is written to it at the end."
  )
  static let sessionStore = Setting(
    "session_store", .store, "memory",
    "Where sessions are kept: memory; a file that survives whatever ends the process (file:PATH); or a Redis that several servers share (redis://[[USER]:PASSWORD@]HOST[:PORT][/DATABASE], or where its Sentinels say: redis+sentinel://[[USER]:PASSWORD@]HOST[:PORT][,HOST[:PORT]…]/NAME[/DATABASE]; or a cluster of them, of which some nodes are named: redis+cluster://[[USER]:PASSWORD@]HOST[:PORT][,HOST[:PORT]…]). What session_file has is taken over, once."
  )
  static let sessionDurability = Setting(
    "session_durability", .choice(SessionDurability.allCases.map(\.rawValue)), "answer",
    "With a session_store, before an answer leaves: answer: its state has left the process, so that a power cut alone loses any, of the last second; in Redis it is acknowledged; sync: it is on the disk, for which a Redis needs appendfsync always; behind: nothing, and a killed process loses up to a second, too."
  )
  static let maxSessionStoreBytes = Setting(
    "max_session_store_bytes", .bytes(1...(1 << 50)), "4 GiB",
    "What the sessions in the file of a session_store may take (a Redis has its own maxmemory); beyond it the least recently used go. max_session_bytes is what of them memory holds, then."
  )
  static let sessionStoreReplicas = Setting(
    "session_store_replicas", .integer(0...100), "0",
    "Of a session_store in Redis, how many of its replicas have to have a session's move before its answer leaves (WAIT); fewer within half a second: 503. Not with session_durability behind."
  )
  static let sessionStoreKeys = Setting(
    "session_store_keys", .path, "",
    "File of the keys that encrypt states in the session_store, a line each: a name, and 32 bytes in hexadecimal digits or base64. The first is for what is written, the others for what they wrote before. Empty: states are written as they are."
  )
  static let sessionExportSeconds = Setting(
    "session_export_seconds", .seconds(0...3600), "5",
    "How long a drain may take before sessions are written, whatever is on its way; from then on they answer 503."
  )
  static let operatorKey = Setting(
    "operator_key", .secret(minBytes: ServiceSettings.minOperatorKeyBytes), "",
    "Shows, as authorization: Bearer KEY, that a request may list sessions; empty: nobody may.")
  static let tokensFile = Setting(
    "tokens_file", .path, "",
    "File of the tokens one of which every request shows, health checks, / and /metrics apart (carousel token makes it); read again on SIGHUP and when it changes. Empty: none is asked for."
  )
  static let metricsAccess = Setting(
    "metrics_access", .choice(["open", "operate"]), "open",
    "Who may read /metrics. open: everyone; operate: whoever shows operator_key, or a token with the scope operate."
  )
  static let logLevel = Setting(
    "log_level", .choice(["trace", "debug", "info", "notice", "warning", "error", "critical"]),
    "info", "Least level that is logged; debug logs every request that reaches a path.")
  static let logFormat = Setting(
    "log_format", .choice(["json", "text"]), "text",
    "Log lines as JSON objects for machines or as text for people.")

  /// Every setting, in the order in which they are shown.
  static let all: [Setting] = [
    host, port, tlsCertificate, tlsKey, tlsClientAuthorities, tlsPort, models, defaultModel,
    precision, loops, workers, maxSeats, maxQueuedSequences, maxQueuedSteps, maxSequenceSteps,
    maxSequencesPerRequest, maxHorizon, maxGenerationSteps, maxBodyBytes, maxMemoryBytes,
    maxAnswerBytes, maxDecodingOperations, maxInlineBytes, maxHeadBytes, maxTargetBytes, maxFields,
    maxConcurrentStreams, streamWindowBytes, maxIncompleteBytes, maxConnections,
    maxConnectionsPerAddress, trustedProxies, forwardedField, proxyProtocol, rateLimit, rateBurst,
    concurrencyLimit, corsOrigins, headTimeoutSeconds, bodyTimeoutSeconds, idleTimeoutSeconds,
    writeTimeoutSeconds, minUploadRate, minDownloadRate, drainDelaySeconds, drainSeconds,
    drainGraceSeconds, compressMinBytes, gzipLevel, maxInflatedBytes, maxInflateRatio, stateKey,
    maxSessionBytes, sessionIdleSeconds, maxSessionWaiters, sessionFile, sessionStore,
    sessionDurability, maxSessionStoreBytes, sessionStoreReplicas, sessionStoreKeys,
    sessionExportSeconds, operatorKey, tokensFile, metricsAccess, logLevel, logFormat,
  ]
}
