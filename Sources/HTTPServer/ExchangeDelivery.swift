import Dispatch
import HTTPCore

/// Delivers a loop's requests from their connections to the application, and the answers back.
///
/// Large bodies are inflated and compressed off the loop. Work that a connection's share of a round does not suffice
/// for waits for a later round.
final class ExchangeDelivery {
  /// Bodies of more bytes than this are inflated or compressed off the loop.
  static let maxCodedBytesOnLoop = 4 * 1024
  /// Bodies that inflate to more bytes than this are inflated off the loop, too.
  static let maxInflatedBytesOnLoop = 16 * 1024

  /// Actions that the application postponed until all received requests are handed out.
  let intake = Intake()
  private let settings: HTTPServerSettings
  /// Nil where no proxy is trusted.
  private let proxies: TrustedProxies?
  private let rounds: LoopRounds
  private let memory: BodyMemory
  private let counters: ServerCounters
  private let coding: ContentCoding
  private let codingQueues: CodingQueues
  private let inbox: Inbox
  private let application: Application
  private let postpone: HTTPExchange.Postpone
  private var mail: [Mail] = []

  /// The array of mail keeps its storage for the next round if it has no more elements than this.
  private static let maxKeptMail = 1024

  init(
    settings: HTTPServerSettings, rounds: LoopRounds, memory: BodyMemory, counters: ServerCounters,
    codingQueues: CodingQueues, inbox: Inbox, application: Application
  ) {
    self.settings = settings
    proxies = settings.trustedProxies.blocks.isEmpty ? nil : settings.trustedProxies
    self.rounds = rounds
    self.memory = memory
    self.counters = counters
    coding = ContentCoding(settings.contentCoding)
    self.codingQueues = codingQueues
    self.inbox = inbox
    self.application = application
    // Called on the loop's thread, and only while the loop calls the application.
    postpone = { [intake] in intake.postpone($0) }
  }

  // MARK: Requests

  /// Handles and removes `events` of `connection`, and hands out its requests: now as many as its share of the round
  /// suffices for.
  func handle(_ events: inout [ConnectionEvent], from connection: Connection) {
    if events.count == 1 {
      // Mostly it is one, which is then moved rather than copied.
      handle(events.removeLast(), from: connection)
    } else {
      for event in events { handle(event, from: connection) }
      events.removeAll(keepingCapacity: true)
    }
    handOutWaiting(of: connection)
  }

  private func handle(_ event: consuming ConnectionEvent, from connection: Connection) {
    switch consume event {
    case .request(let request, let stream, let answer):
      handle(
        .init(request: request, stream: stream, isWhole: true), by: answer, body: nil,
        of: connection)
    case .head(let request, let stream, let answer, let isBodyWanted):
      handle(
        .init(request: request, stream: stream, isWhole: false), by: answer,
        body: isBodyWanted ? incomingBody(of: stream, connection.token) : nil, of: connection)
    case .part(let bytes, let stream):
      connection.owed.body(of: stream)?.append(bytes)
    case .end(let stream, let trailers):
      connection.owed.body(of: stream)?.end(trailers: trailers)
    case .abandoned(let stream):
      if let owed = connection.owed.remove(stream) { abandon(owed) }
    }
  }

  private func handle(
    _ arrival: consuming Connection.Arrival, by answer: consuming @escaping HTTPAnswer,
    body: IncomingBody?, of connection: Connection
  ) {
    connection.lifecycle.progressed()
    counters.countRequest(isHTTP2: connection.isMultiplexed)
    connection.owed.append(arrival.stream, arrival.request, by: answer, body: body)
    connection.waiting.append(arrival)
    // An extra connection gets one answer.
    if connection.isExtra { connection.takeNoMore() }
  }

  private func incomingBody(of stream: StreamID, _ token: UInt64) -> IncomingBody {
    IncomingBody { [inbox] count in
      inbox.post(Mail(connection: token, stream: stream, content: .bodyRead(count)))
    }
  }

  /// Makes the function that decides, by the head of each request of `connection`, how that request is received.
  func reception(for connection: Connection) -> HeadReception {
    { [unowned connection] in self.reception(of: $0, bodyBytes: $1, connection) }
  }

  private func reception(
    of head: HTTPRequest, bodyBytes: Int?, _ connection: Connection
  ) -> Reception {
    if let refusal = connection.refusal(of: head) {
      counters.connectionsRefused.add(1, ordering: .relaxed)
      return .refusal(refusal)
    }
    let client: HTTPPeer?
    do throws(TrustedProxies.Conflict) {
      client = try namedClient(of: head, connection) ?? link(to: connection).peer
    } catch {
      counters.countRefusal(.badRequest)
      return .refusal(error.response)
    }
    let reception = application.receive(head, client)
    guard bodyBytes != 0, reception.body != .unwanted,
      !memory.hasRoom(forBody: bodyBytes ?? 1)
    else { return reception }
    // A body over its limit gets 413 from the protocol; `.full` would invite the client to try again in vain.
    if let bodyBytes, bodyBytes > settings.http1.bodyLimit(headBytes: head.headBytes).byteCount {
      return reception
    }
    memory.countRefusal()
    counters.countRefusal(HTTPResponse.full.status)
    return .refusal(.full, fields: reception.fields)
  }

  /// The client that a trusted proxy names in `request`; nil where none is trusted. Throws if its fields name two.
  private func namedClient(
    of request: HTTPRequest, _ connection: Connection
  ) throws(TrustedProxies.Conflict) -> HTTPPeer? {
    guard let proxies, let peer = link(to: connection).peer else { return nil }
    return try proxies.client(of: request, from: peer)
  }

  /// Continues with the requests and the mail that wait for the connection's share.
  func resume(_ connection: Connection) {
    handOutWaiting(of: connection)
    deliverMail(of: connection)
  }

  /// Tells the application, for each owed answer, that the client has left.
  func abandonAll(of connection: Connection) {
    for owed in connection.takeAllOwed() { abandon(owed) }
    memory.recount(connection)
  }

  private func abandon(_ owed: OwedAnswers.Answer) {
    counters.requestsAbandoned.add(1, ordering: .relaxed)
    owed.exchange?.abandon()
    owed.body?.cut()
  }

  /// Hands out requests until none is left that has its turn, or the connection's share of this round is used up.
  private func handOutWaiting(of connection: Connection) {
    guard !connection.waiting.isEmpty else { return }
    while !rounds.isUsedUp(by: connection), let arrival = connection.takeTurn() {
      // The client may have reset the stream while the request waited.
      guard connection.owed.contains(arrival.stream) else { continue }
      if arrival.isWhole {
        decode(arrival.request, arrival.stream, of: connection)
      } else {
        handOut(arrival.request, arrival.stream, of: connection)
      }
      // What the last one took is charged with what follows.
      if connection.waiting.isEmpty { return }
      rounds.charge(connection)
    }
    if connection.hasTurn { rounds.postpone(connection) }
  }

  /// Undoes the body's content coding, off the loop if the body is large, and hands the request out.
  private func decode(_ request: HTTPRequest, _ stream: StreamID, of connection: Connection) {
    if request.bodyCount > 0 {
      memory.recount(connection)
      guard memory.makeRoom() else { return refuse(.full, stream, of: connection) }
    }
    guard request.field("content-encoding") != nil else {
      handOut(request, stream, of: connection)
      return
    }
    var decoded = request
    if request.bodyCount <= Self.maxCodedBytesOnLoop {
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
      // The inflated body is counted here until the connection counts it.
      let memory = memory.reserve(0)
      let error = coding.decode(&decoded, within: memory)
      return Mail(
        connection: token, stream: stream, memory: memory,
        content: .decoded(decoded, error: error))
    }
  }

  private func handOut(_ request: HTTPRequest, _ stream: StreamID, of connection: Connection) {
    connection.requestCount += 1
    let exchange = HTTPExchange(
      request: request, body: connection.owed.body(of: stream),
      connection: .init(
        link(to: connection),
        // A request whose fields name two clients was refused by its head.
        peer: try? namedClient(of: request, connection),
        isNew: connection.requestCount == 1, stream: stream))
    guard let answer = connection.owed.setExchange(exchange, for: stream) else { return }
    if request.bodyCount >= BodyMemory.leastBytesCountedAtOnce { memory.recount(connection) }
    if let response = exchange.handOut(to: answer) {
      encode(response, to: request, stream, of: connection)
    }
  }

  /// The link that all exchanges of `connection` share, made for its first request.
  private func link(to connection: Connection) -> HTTPExchange.Link {
    if let link = connection.link { return link }
    let (token, peer, memory) = (connection.token, connection.transport.peer, connection.memory)
    let link = HTTPExchange.Link(
      number: connection.number, peer: connection.peer, memory: memory,
      hasLeft: { peer.hasLeft }, askPresence: presenceQuestion(of: connection), postpone: postpone,
      code: { [coding] in coding.encodeStream(&$0, for: $1, within: memory) },
      deliver: { [inbox] stream, part in
        inbox.post(Mail(connection: token, stream: stream, content: .part(part)))
      })
    connection.link = link
    return link
  }

  /// Makes the function by which exchanges of `connection` ask whether its client is still there.
  private func presenceQuestion(
    of connection: Connection
  ) -> HTTPExchange.ConnectionReference.AskPresence {
    let (token, peer) = (connection.token, connection.transport.peer)
    return { [inbox, isHTTP2 = connection.isMultiplexed] stream, action in
      guard peer.mayHaveGivenUp(isHTTP2: isHTTP2) else { return action(true) }
      inbox.post(Mail(connection: token, stream: stream, content: .presenceAsked(action)))
    }
  }

  // MARK: Codings

  /// Runs `coding` off the loop, after the codings that the connection waits for already.
  private func code(
    for stream: StreamID, of connection: Connection, _ coding: @escaping CodingList.Coding
  ) {
    connection.codings.append(coding, for: stream)
    beginCoding(of: connection)
  }

  private func beginCoding(of connection: Connection) {
    let coding = connection.codings.begin { connection.owed.contains($0) }
    guard let coding else { return }
    codingQueues[connection.token].async { [inbox] in inbox.post(coding()) }
  }

  // MARK: Answers

  /// Delivers the mail in the inbox. Mail of a connection whose share is used up waits for a later round.
  ///
  /// - Parameter askPresence: is called for each question whether a client is still there, even if its connection is gone.
  func deliverMail(
    to connections: ConnectionTable,
    _ askPresence: (UInt64, StreamID, @escaping PresenceQuestions.Answer) -> Void
  ) {
    inbox.drain(into: &mail)
    for piece in mail {
      if case .presenceAsked(let answer) = piece.content {
        askPresence(piece.connection, piece.stream, answer)
      } else if let connection = connections[piece.connection] {
        guard connection.undelivered.isEmpty, !connection.isLate, !rounds.isUsedUp(by: connection)
        else {
          connection.undelivered.append(piece)
          deliverMail(of: connection)
          continue
        }
        open(piece, of: connection)
        rounds.charge(connection)
      }
    }
    mail.removeAll(keepingCapacity: mail.count <= Self.maxKeptMail)
  }

  /// Delivers mail of `connection` until none is left or its share of this round is used up.
  private func deliverMail(of connection: Connection) {
    while !connection.undelivered.isEmpty {
      guard !connection.isLate, !rounds.isUsedUp(by: connection) else {
        rounds.postpone(connection)
        return
      }
      guard let piece = connection.undelivered.popFirst() else { return }
      open(piece, of: connection)
      rounds.charge(connection)
    }
  }

  private func open(_ piece: Mail, of connection: Connection) {
    switch piece.content {
    case .part(let part): handle(part, piece.stream, of: connection)
    case .encoded(let response):
      connection.codings.finish()
      respond(response, to: piece.stream, of: connection)
      beginCoding(of: connection)
    case .decoded(let request, let error):
      connection.codings.finish()
      if let error {
        refuse(error, piece.stream, of: connection)
      } else {
        handOut(request, piece.stream, of: connection)
      }
      beginCoding(of: connection)
    case .bodyRead(let count):
      connection.wire.readBody(count, of: piece.stream)
      memory.recount(connection)
      rounds.scheduleFlush(connection)
    case .presenceAsked: preconditionFailure("answered without the connection's share")
    }
  }

  /// Queues a response, or a part of one. The content coding of a streamed response was applied where it was written.
  private func handle(_ part: HTTPResponsePart, _ stream: StreamID, of connection: Connection) {
    switch part {
    case .whole(let response):
      if let exchange = connection.owed.exchange(for: stream) {
        encode(response, to: exchange.request, stream, of: connection)
      }
      return
    case .head(let response):
      connection.beginStream(response, to: stream)
    case .bytes(let bytes):
      connection.stream(bytes, to: stream)
    case .end: end(stream, trailers: HTTPFields(), of: connection)
    case .trailers(let trailers): end(stream, trailers: trailers, of: connection)
    }
    rounds.scheduleFlush(connection)
  }

  private func end(_ stream: StreamID, trailers: HTTPFields, of connection: Connection) {
    guard let owed = connection.owed.remove(stream) else { return }
    owed.body?.cut()
    connection.lifecycle.progressed()
    connection.wire.end(stream, trailers: trailers)
  }

  /// Applies a content coding to the response, off the loop if the body is large, and queues it.
  private func encode(
    _ response: consuming HTTPResponse, to request: HTTPRequest, _ stream: StreamID,
    of connection: Connection
  ) {
    guard coding.mayEncode(response, for: request) else {
      return respond(response, to: stream, of: connection)
    }
    if request.field("accept-encoding") == nil
      || response.body.count <= Self.maxCodedBytesOnLoop && !rounds.isUsedUp(by: connection)
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

  private func respond(
    _ response: consuming HTTPResponse, to stream: StreamID, of connection: Connection
  ) {
    guard let owed = connection.owed.remove(stream) else { return }
    owed.body?.cut()
    connection.lifecycle.progressed()
    let count = response.body.count
    connection.wire.respond(response, to: stream)
    if count >= BodyMemory.leastBytesCountedAtOnce { memory.recount(connection) }
    rounds.scheduleFlush(connection)
  }
}
