import HTTPCore
import Logging

/// `application`, with a line at debug for each request: method, path, status, milliseconds.
func logging(_ application: @escaping Application, to logger: Logger) -> Application {
  { exchange in
    let start = ContinuousClock.now
    let request = exchange.request
    let log: @Sendable (String) -> Void = { status in
      let milliseconds = start.duration(to: .now) / .milliseconds(1)
      logger.debug(
        "request",
        metadata: [
          "method": .string(request.method), "path": .string(request.path),
          "status": .string(status), "ms": .stringConvertible(milliseconds),
        ])
    }
    let observed = HTTPExchange(request: request) { response in
      exchange.respond(response)
      log(String(response.status.code))
    }
    exchange.onAbandon {
      observed.abandon()
      log("abandoned")
    }
    application(observed)
  }
}
