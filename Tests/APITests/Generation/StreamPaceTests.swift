import HTTPCore
import Scheduling
import Synchronization
import TestSupport
import Testing

@testable import API
@testable import Serving

/// A text that is streamed, whose tokens the test draws and whose clock it sets.
@Suite(.endsHangs) struct StreamPaceTests {
  private let service: Service
  private let pacer: StreamPacer
  private let clock: Clock

  /// The time as the pacer sees it.
  private final class Clock: Sendable {
    let now = Mutex(ContinuousClock.now)

    func advance(microseconds: Int) { now.withLock { $0 += .microseconds(microseconds) } }
  }

  /// What a client gets, part by part.
  private final class Client: Sendable {
    let parts = Mutex<[HTTPResponsePart]>([])

    var texts: [String] {
      parts.withLock { parts in
        parts.compactMap { part in
          if case .bytes(let bytes) = part { String(decoding: bytes, as: UTF8.self) } else { nil }
        }
      }
    }
  }

  init() throws {
    service = try Service.make(
      TestModels.chain(vocabulary: TestModels.letters.map { String(repeating: $0, count: 100) }))
    let clock = Clock()
    self.clock = clock
    pacer = StreamPacer(now: { clock.now.withLock { $0 } })
  }

  private func run(for client: Client, maxSteps: Int = 4000) throws -> (
    run: GenerationRun, exchange: HTTPExchange
  ) {
    let body = #"{"prompt":[0],"seed":1,"max_steps":\#(maxSteps),"stream":true}"#
    let exchange = HTTPExchange(
      request: HTTPRequest(method: "POST", path: "/generate", body: Array(body.utf8)),
      deliverPart: { part in client.parts.withLock { $0.append(part) } })
    let question = try GenerationQuestion(
      service.parts.readers.read(exchange.request.body), name: nil,
      models: service.parts.models.snapshot, limits: service.parts.settings.questions)
    let call = Call(
      exchange: exchange, endpoint: Endpoint(label: "/generate"), path: MatchedPath("/generate"))
    return (GenerationRun(question, for: call, pacer: pacer), exchange)
  }

  /// The event of a token.
  private static func event(_ token: Int) -> String {
    let text = String(repeating: TestModels.letters[token], count: 100)
    return "data: {\"text\":\"\(text)\"}\n\n"
  }

  @Test func quickTokensAreWrittenTogether() throws {
    let client = Client()
    let (run, _) = try run(for: client)
    pacer.queue.suspend()
    #expect(run.receive(0) == .goOn && client.texts == [Self.event(0)])
    for token: Int32 in [1, 2, 3] { #expect(run.receive(token) == .goOn) }
    #expect(client.texts.count == 1)
    pacer.queue.resume()
    #expect(waitUntil { client.texts.count == 2 })
    #expect(client.texts[1] == Self.event(1) + Self.event(2) + Self.event(3))
    // As long after that, and there is nobody to wait for.
    clock.advance(microseconds: 2000)
    #expect(run.receive(0) == .goOn)
    #expect(client.texts.count == 3 && client.texts[2] == Self.event(0))
  }

  /// The end waits for nothing, and follows what was held.
  @Test func theEndIsWrittenAtOnce() throws {
    let client = Client()
    let (run, _) = try run(for: client, maxSteps: 3)
    pacer.queue.suspend()
    defer { pacer.queue.resume() }
    #expect(run.receive(0) == .goOn && run.receive(1) == .goOn && run.receive(2) == .stop)
    #expect(client.texts.count == 1)
    run.finish(.success([]))
    #expect(client.texts.count == 2)
    let end = #"data: {"model":"chain","steps":3,"finish":"length","seed":1}"#
    #expect(client.texts[1] == Self.event(1) + Self.event(2) + end + "\n\n")
    #expect(client.parts.withLock { $0.last } == .end)
  }

  /// An error too.
  @Test func anErrorFollowsWhatWasHeld() throws {
    let client = Client()
    let (run, _) = try run(for: client)
    pacer.queue.suspend()
    defer { pacer.queue.resume() }
    #expect(run.receive(0) == .goOn && run.receive(1) == .goOn && run.receive(nil) == .stop)
    run.finish(.success([]))
    #expect(client.texts.count == 2)
    #expect(client.texts[1].hasPrefix(Self.event(1) + "event: error\ndata: {"))
  }

  /// An event takes 119 bytes: the first is written alone, then five at a time. Two that are written later are more than
  /// a client may leave unread: the next token is the last for now, and nothing is held while it waits.
  @Test func whoIsBehindWaitsThoughItShowsLater() throws {
    let client = Client()
    let (run, exchange) = try run(for: client)
    let drains = Mutex(0)
    exchange.onDrain { drains.withLock { $0 += 1 } }
    func written() -> Int { client.texts.reduce(0) { $0 + $1.utf8.count } }
    pacer.queue.suspend()
    let most = (HTTPExchange.maxUnsentBytes - 119) / 595 * 5 + 1
    for count in 0..<most + 2 { #expect(run.receive(Int32(count % 4)) == .goOn) }
    #expect(written() == 119 * most)
    pacer.queue.resume()
    #expect(waitUntil { written() == 119 * (most + 2) })
    #expect(written() > HTTPExchange.maxUnsentBytes)
    #expect(run.receive(0) == .wait && written() == 119 * (most + 3))
    #expect(drains.withLock { $0 } == 0)
    exchange.recordSent(written())
    #expect(drains.withLock { $0 } == 1)
    clock.advance(microseconds: 2000)
    // The write that was due for the last may still be under way, and takes this one with it.
    #expect(run.receive(0) == .goOn)
    #expect(waitUntil { written() == 119 * (most + 4) })
  }
}
