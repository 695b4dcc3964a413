/// Answers a request. Called on the connection's event loop, so it must return at once. The response is given through
/// `exchange.respond`, or `begin`, `write` and `end`, from any thread.
package typealias HTTPAnswer = @Sendable (_ exchange: HTTPExchange) -> Void

/// Answers the requests of a server.
package struct Application: Sendable {
  /// Decides what becomes of a request's body and what answers the request, as soon as its head is complete.
  ///
  /// Called once for each request, with or without a body, on the connection's event loop, so it must return at once.
  package let receive: @Sendable (_ head: HTTPRequest, _ peer: HTTPPeer?) -> Reception

  package init(
    receive: @escaping @Sendable (_ head: HTTPRequest, _ peer: HTTPPeer?) -> Reception
  ) {
    self.receive = receive
  }

  /// An application that reads every request's body, up to `max_body_bytes`, and then answers the request.
  package init(_ answer: @escaping HTTPAnswer) {
    self.init { _, _ in Reception(.whole(), answer) }
  }
}

/// How a request is received, decided by its head.
package struct Reception: Sendable {
  /// What becomes of the body.
  package enum Body: Sendable, Equatable {
    /// The body is not read: the request is handed to the application, and answered, without it.
    ///
    /// A client that waits for 100 Continue gets the final response instead. If the body comes all the same, a small
    /// rest of it is read and thrown away; a longer one is stopped after the response (RFC 9110 §9.3.1, RFC 9113 §8.1).
    case unwanted
    /// The body is buffered, and the request is handed to the application once the body is complete. A body of more
    /// than `maxBytes`, or of more than `max_body_bytes`, gets 413.
    case whole(maxBytes: Int = .max)
    /// The request is handed to the application at once. Its body follows through `HTTPExchange.body`, as fast as the
    /// application reads it, and may have any length.
    case parts
  }

  package let body: Body
  /// Fields that are added to every response to the request, also to an error that the protocol makes.
  package let fields: HTTPFields
  package let answer: HTTPAnswer

  package init(_ body: Body, fields: HTTPFields = HTTPFields(), _ answer: @escaping HTTPAnswer) {
    self.body = body
    self.fields = fields
    self.answer = answer
  }

  /// This reception, with `answer` in the place of its own.
  package func answering(_ answer: @escaping HTTPAnswer) -> Reception {
    Reception(body, fields: fields, answer)
  }

  /// A reception that does not read the body and answers with `response`.
  package static func refusal(
    _ response: HTTPResponse, fields: HTTPFields = HTTPFields()
  ) -> Reception {
    Reception(.unwanted, fields: fields) { $0.respond(response) }
  }
}

/// Decides how a connection receives a request, by its head and by the announced length of its body: 0 where there is
/// no body, nil where the length is not announced.
package typealias HeadReception = (_ head: HTTPRequest, _ bodyBytes: Int?) -> Reception
