import HTTPCore

/// Sends a request's body back while it arrives, no faster than the client reads it, followed by its trailers.
final class StreamingEcho: Sendable {
  private let exchange: HTTPExchange
  private let body: IncomingBody

  /// - Parameter exchange: one whose body comes in parts.
  init(_ exchange: HTTPExchange, _ body: IncomingBody) {
    self.exchange = exchange
    self.body = body
  }

  func start() {
    // The exchange holds this object, through the closure, until it ends.
    exchange.onDrain { self.readOn() }
    // The body is requested before the response begins: the client may wait for `100 Continue` before it sends the
    // body.
    body.read { part in
      let type = self.exchange.request.fields["content-type"] ?? "application/octet-stream"
      self.exchange.begin(HTTPResponse(status: .ok, fields: ["content-type": type]))
      self.send(part)
    }
  }

  private func readOn() { body.read { self.send($0) } }

  private func send(_ part: IncomingBody.Part) {
    switch part {
    case .bytes(let bytes): if exchange.write(bytes) { readOn() }
    case .end(let trailers): exchange.end(trailers: trailers)
    // The client has left, or the request is already answered.
    case .cut: break
    }
  }
}
