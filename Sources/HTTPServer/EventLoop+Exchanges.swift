import Dispatch
import HTTPCore

/// From what a connection received to the application, and from there to what it sends.
extension EventLoop {
  /// Hands out the requests among `events`, those at once that the connection's share suffices for.
  func take(_ events: [ConnectionEvent], from connection: Connection) {
    for event in events {
      switch event {
      case .request(let request, let stream, let answer):
        take(
          .init(request: request, stream: stream, isWhole: true), by: answer, body: nil,
          of: connection)
      case .head(let request, let stream, let answer, let isBodyWanted):
        take(
          .init(request: request, stream: stream, isWhole: false), by: answer,
          body: isBodyWanted ? incomingBody(of: stream, connection.token) : nil, of: connection)
      case .part(let bytes, let stream):
        connection.body(of: stream)?.append(bytes)
      case .end(let stream, let trailers):
        connection.body(of: stream)?.end(trailers: trailers)
      case .abandoned(let stream):
        if let owed = connection.takeOwed(stream) { abandon(owed) }
      }
    }
    handOutWaiting(of: connection)
  }

  private func take(
    _ arrival: Connection.Arrival, by answer: @escaping HTTPAnswer, body: IncomingBody?,
    of connection: Connection
  ) {
    connection.hasProgressed = true
    counters.countRequest(isHTTP2: connection.wire.isMultiplexed)
    connection.owe(arrival.stream, arrival.request, by: answer, body: body)
    connection.waiting.append(arrival)
    // It has had its one answer.
    if connection.isExtra { connection.wire.shutDown() }
  }

  private func incomingBody(of stream: StreamID, _ token: UInt64) -> IncomingBody {
    IncomingBody { [self] count in
      post(Mail(connection: token, stream: stream, content: .bodyRead(count)))
    }
  }

  /// How the requests of `connection` are received by their heads.
  func reception(for connection: Connection) -> HeadReception {
    { [unowned self, unowned connection] head, bodyBytes in
      if connection.isExtra, !isProbe(head) {
        counters.connectionsRefused.add(1, ordering: .relaxed)
        return .refusal(.tooManyConnections)
      }
      let reception = application.receive(head, connection.origin)
      guard bodyBytes != 0, reception.body != .unwanted, !hasRoom(forBody: bodyBytes ?? 1) else {
        return reception
      }
      // What could never come is told so.
      if let bodyBytes, bodyBytes > bodyLimit(of: head).byteCount { return reception }
      memory.countRefusal()
      counters.countRefusal(HTTPResponse.full.status)
      return .refusal(.full)
    }
  }

  /// How long a body may be whoever else is there.
  private func bodyLimit(of head: HTTPRequest) -> BodyLimit {
    let limits = settings.http1
    return BodyLimit(
      maxBodyBytes: limits.maxBodyBytes, maxBodyMemory: limits.maxBodyMemory,
      headBytes: head.headBytes)
  }

  /// Hands out requests until none is left or the connection's share of this round is used up.
  func handOutWaiting(of connection: Connection) {
    guard !connection.waiting.isEmpty else { return }
    while !connection.share.isUsedUp(in: round),
      let arrival = connection.waiting.popFirst()
    {
      // The client may have reset the stream while it waited.
      guard connection.owes(arrival.stream) else { continue }
      if arrival.isWhole {
        decode(arrival.request, arrival.stream, of: connection)
      } else {
        handOut(arrival.request, arrival.stream, of: connection)
      }
      charge(connection)
    }
    if !connection.waiting.isEmpty { putOff(connection) }
  }

  /// Undoes the body's content coding, elsewhere where it is large, and hands the request on.
  private func decode(_ request: HTTPRequest, _ stream: StreamID, of connection: Connection) {
    recount(connection)
    guard request.body.isEmpty || makeRoom() else {
      refuse(.full, stream, of: connection)
      return
    }
    guard request.fields["content-encoding"] != nil else {
      handOut(request, stream, of: connection)
      return
    }
    var decoded = request
    if request.body.count <= Self.maxCodedBytesOnLoop {
      switch coding.decode(
        &decoded, within: connection.memory.reserve(0), atMost: Self.maxInflatedBytesOnLoop)
      {
      case .done:
        handOut(decoded, stream, of: connection)
        return
      case .refused(let response):
        refuse(response, stream, of: connection)
        return
      case .unfinished: break
      }
    }
    let token = connection.token
    code(for: stream, of: connection) { [coding, memory = connection.memory] in
      var decoded = request
      // What inflates is counted there until the connection counts it.
      let memory = memory.reserve(0)
      let error = coding.decode(&decoded, within: memory)
      return Mail(
        connection: token, stream: stream, memory: memory,
        content: .decoded(decoded, error: error))
    }
  }

  /// Has `coding` called off the loop, after those that the connection waits for already.
  private func code(
    for stream: StreamID, of connection: Connection, _ coding: @escaping CodingList.Coding
  ) {
    connection.codings.append(coding, for: stream)
    beginCoding(of: connection)
  }

  private func beginCoding(of connection: Connection) {
    guard let coding = connection.codings.begin(where: connection.owes) else { return }
    codingQueues[connection.token].async { self.post(coding()) }
  }

  private func takeDecoded(
    _ request: HTTPRequest, error: HTTPResponse?, _ stream: StreamID, of connection: Connection
  ) {
    if let error {
      refuse(error, stream, of: connection)
    } else {
      handOut(request, stream, of: connection)
    }
  }

  private func handOut(_ request: HTTPRequest, _ stream: StreamID, of connection: Connection) {
    let token = connection.token
    connection.requestCount += 1
    if connection.requestCount == 1 {
      connection.askPresence = presenceQuestion(
        of: token, connection.peer, isHTTP2: connection.wire.isMultiplexed)
    }
    let exchange = HTTPExchange(
      request: request, body: connection.body(of: stream),
      connection: .init(
        number: connection.number, peer: connection.origin, memory: connection.memory,
        isNew: connection.requestCount == 1,
        hasLeft: connection.hasLeft, stream: stream, askPresence: connection.askPresence),
      postpone: postpone,
      code: { [coding, memory = connection.memory] in
        coding.encodeStream(&$0, for: request, within: memory)
      },
      deliverPart: { [self] part in
        post(Mail(connection: token, stream: stream, content: .part(part)))
      })
    guard let answer = connection.setExchange(exchange, for: stream) else { return }
    recount(connection)
    answer(exchange)
  }

  /// Takes mail from any thread. While the loop takes a turn, it needs no waking: it looks before it
  /// rests, so the responses that one call of the engine makes cost one wake-up between them.
  private func post(_ mail: Mail) {
    switch inbox.post(mail) {
    case .awake: break
    case .waiting: bell.ring()
    case .asleep: queue.async { self.turn() }
    }
  }

  /// How exchanges of the connection of `token` ask whether its client is there.
  func presenceQuestion(
    of token: UInt64, _ peer: PeerWatch, isHTTP2: Bool
  ) -> HTTPExchange.ConnectionReference.AskPresence {
    { [self] stream, action in
      guard peer.mayHaveGivenUp(isHTTP2: isHTTP2) else { return action(true) }
      post(Mail(connection: token, stream: stream, content: .presenceAsked(action)))
    }
  }

  /// Room for so much mail is kept from one round to the next.
  private static let maxKeptMail = 1024
  /// A response from so many bytes on is counted at once, not at the end of the round: until then others would take the
  /// memory that was reserved for it.
  private static let leastBytesCountedAtOnce = 4096

  /// Takes what was posted to where it belongs, or leaves it until its connection has a share for it.
  func deliverMail() {
    inbox.take(into: &mail)
    for piece in mail {
      if case .presenceAsked(let action) = piece.content {
        // Also where the connection is gone.
        tellPresence(of: piece.connection, piece.stream, action)
        continue
      }
      guard let connection = connections[piece.connection] else { continue }
      connection.undelivered.append(piece)
      deliverMail(of: connection)
    }
    mail.removeAll(keepingCapacity: mail.count <= Self.maxKeptMail)
  }

  /// Delivers until nothing is left or the connection's share of this round is used up.
  func deliverMail(of connection: Connection) {
    while !connection.undelivered.isEmpty {
      guard !connection.isLate, !connection.share.isUsedUp(in: round) else {
        putOff(connection)
        return
      }
      guard let piece = connection.undelivered.popFirst() else { return }
      deliver(piece, to: connection)
      charge(connection)
    }
  }

  private func deliver(_ piece: Mail, to connection: Connection) {
    switch piece.content {
    case .part(let part): take(part, piece.stream, of: connection)
    case .encoded(let response):
      connection.codings.finish()
      respond(response, to: piece.stream, of: connection)
      beginCoding(of: connection)
    case .decoded(let request, let error):
      connection.codings.finish()
      takeDecoded(request, error: error, piece.stream, of: connection)
      beginCoding(of: connection)
    case .bodyRead(let count):
      connection.wire.readBody(count, of: piece.stream)
      recount(connection)
      unsettle(connection)
    case .presenceAsked: preconditionFailure("answered without the connection's share")
    }
  }

  /// Takes a response, or a part of one, whose content coding was applied where it was written.
  private func take(_ part: HTTPResponsePart, _ stream: StreamID, of connection: Connection) {
    switch part {
    case .whole(let response):
      encode(response, stream, of: connection)
      return
    case .head(let response):
      connection.beginStream(response, to: stream)
    case .bytes(let bytes):
      connection.stream(bytes, to: stream)
    case .end: end(stream, trailers: HTTPFields(), of: connection)
    case .trailers(let trailers): end(stream, trailers: trailers, of: connection)
    }
    unsettle(connection)
  }

  private func end(_ stream: StreamID, trailers: HTTPFields, of connection: Connection) {
    guard let owed = connection.takeOwed(stream) else { return }
    owed.body?.cut()
    connection.hasProgressed = true
    connection.wire.end(stream, trailers: trailers)
  }

  /// Applies a content coding to the response, elsewhere where it is large, and queues it.
  private func encode(_ response: HTTPResponse, _ stream: StreamID, of connection: Connection) {
    guard let exchange = connection.exchange(for: stream) else { return }
    let request = exchange.request
    var response = response
    if request.fields["accept-encoding"] == nil {
      coding.encode(&response, for: request)
      respond(response, to: stream, of: connection)
    } else if response.body.count <= Self.maxCodedBytesOnLoop,
      !connection.share.isUsedUp(in: round)
    {
      coding.encode(&response, for: request)
      respond(response, to: stream, of: connection)
    } else {
      let token = connection.token
      code(for: stream, of: connection) { [coding, plain = response] in
        var response = plain
        coding.encode(&response, for: request)
        return Mail(connection: token, stream: stream, content: .encoded(response))
      }
    }
  }

  /// Answers a request that the application does not see.
  private func refuse(_ response: HTTPResponse, _ stream: StreamID, of connection: Connection) {
    counters.countRefusal(response.status)
    respond(response, to: stream, of: connection)
  }

  private func respond(_ response: HTTPResponse, to stream: StreamID, of connection: Connection) {
    guard let owed = connection.takeOwed(stream) else { return }
    owed.body?.cut()
    connection.hasProgressed = true
    connection.wire.respond(response, to: stream)
    if response.body.count >= Self.leastBytesCountedAtOnce { recount(connection) }
    unsettle(connection)
  }
}
