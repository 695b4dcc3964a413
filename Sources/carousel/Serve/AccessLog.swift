import HTTPCore
import Logging

/// Wraps `application` to log a line at debug for each request: the client's address, method, path, status, and the
/// milliseconds from the application's call to the end of the response.
func logging(_ application: Application, to logger: Logger) -> Application {
  Application { head, peer in
    let reception = application.receive(head, peer)
    return reception.answering { exchange in
      log(exchange, to: logger)
      reception.answer(exchange)
    }
  }
}

private func log(_ exchange: HTTPExchange, to logger: Logger) {
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
}
