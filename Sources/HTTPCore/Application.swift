/// Answers a request: called on a connection's event loop, so it must return at once. The answer goes through
/// `exchange.respond`, or `begin`, `write` and `end`, from any thread.
package typealias HTTPAnswer = @Sendable (_ exchange: HTTPExchange) -> Void

/// Answers the requests of a server.
package struct Application: Sendable {
  /// Decides by the head of a request, as soon as that is complete, what becomes of its body and what answers it.
  ///
  /// Called once for each request, whether a body follows or not, on a connection's event loop, so it must return at once.
  package let receive: @Sendable (_ head: HTTPRequest, _ peer: HTTPPeer?) -> Reception

  package init(
    receive: @escaping @Sendable (_ head: HTTPRequest, _ peer: HTTPPeer?) -> Reception
  ) {
    self.receive = receive
  }

  /// One that reads the bodies of all requests, up to `max_body_bytes`, before it answers them.
  package init(_ answer: @escaping HTTPAnswer) {
    self.init { _, _ in Reception(.whole(), answer) }
  }
}

/// How a request is received, decided by its head.
package struct Reception: Sendable {
  /// What becomes of the body.
  package enum Body: Sendable, Equatable {
    /// It is not read: the request is handed out, and answered, without it.
    ///
    /// A client that waits for 100 Continue gets the answer in its place. Of what comes all the same a small rest is
    /// read and thrown away; else the upload is stopped behind the answer (RFC 9110 §9.3.1, RFC 9113 §8.1).
    case unwanted
    /// It is gathered, and the request handed out once all of it has come. A body of more than `maxBytes`, or than
    /// `max_body_bytes`, gets 413.
    case whole(maxBytes: Int = .max)
    /// The request is handed out at once, and its body through `HTTPExchange.body` as it comes, as fast as that is read,
    /// however long it is.
    case parts
  }

  package let body: Body
  /// What every response to the request has beside its own fields, whoever makes it.
  package let fields: HTTPFields
  package let answer: HTTPAnswer

  package init(_ body: Body, fields: HTTPFields = HTTPFields(), _ answer: @escaping HTTPAnswer) {
    self.body = body
    self.fields = fields
    self.answer = answer
  }

  /// A request that gets `response` whatever its body is.
  package static func refusal(
    _ response: HTTPResponse, fields: HTTPFields = HTTPFields()
  ) -> Reception {
    Reception(.unwanted, fields: fields) { $0.respond(response) }
  }
}

/// Decides how a request is received, for a connection: by its head, and by the length of its body as announced, 0 where
/// none follows and nil where that is not known.
package typealias HeadReception = (_ head: HTTPRequest, _ bodyBytes: Int?) -> Reception
