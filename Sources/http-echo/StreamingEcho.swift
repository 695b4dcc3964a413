import HTTPCore

/// Sends a request's body back while it comes, no faster than its client takes it, and its trailers behind it.
final class StreamingEcho: Sendable {
  private let exchange: HTTPExchange
  private let body: IncomingBody

  /// - Parameter exchange: one whose body comes in parts.
  init(_ exchange: HTTPExchange, _ body: IncomingBody) {
    self.exchange = exchange
    self.body = body
  }

  func start() {
    // Held by the exchange until its end.
    exchange.onDrain { self.readOn() }
    // Asked for before the response begins: a client may wait to be told that its body is wanted.
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
    // Nobody is there, or the request is answered already.
    case .cut: break
    }
  }
}
