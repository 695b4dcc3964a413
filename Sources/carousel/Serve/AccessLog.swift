import HTTPCore
import Logging

/// `application`, with a line at debug for each request: its client's address, method, path, status, milliseconds to the
/// end of its response.
func logging(_ application: @escaping Application, to logger: Logger) -> Application {
  { exchange in
    let start = ContinuousClock.now
    let request = exchange.request
    let client = exchange.connection?.peer?.address
    exchange.onFinish { [method = request.method, path = request.path] outcome in
      let milliseconds = start.duration(to: .now) / .milliseconds(1)
      let status =
        switch outcome {
        case .answered(let status): String(status.code)
        case .abandoned: "abandoned"
        }
      var metadata: Logger.Metadata = [
        "method": .string(method), "path": .string(path),
        "status": .string(status), "ms": .stringConvertible(milliseconds),
      ]
      if let client { metadata["client"] = .stringConvertible(client) }
      logger.debug("request", metadata: metadata)
    }
    application(exchange)
  }
}
