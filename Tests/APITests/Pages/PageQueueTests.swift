import Glibc
import HTTPCore
import Synchronization
import TestSupport
import Testing

@testable import API

/// Pages that take long are not made on the loop, and not once for each who asks.
@Suite struct PageQueueTests {
  /// What came, in order.
  private final class Answers: Sendable {
    let bodies = Mutex<[String: [String]]>([:])

    func ask(_ service: Service, _ path: String, _ body: String? = nil) {
      let request = HTTPRequest(
        method: body == nil ? "GET" : "POST", path: path, body: Array((body ?? "").utf8))
      service.handle(
        HTTPExchange(request: request) { response in
          let body = String(decoding: response.body, as: UTF8.self)
          self.bodies.withLock { $0[path, default: []].append("\(response.status.code) \(body)") }
        })
    }

    func count(_ path: String) -> Int { bodies.withLock { $0[path]?.count ?? 0 } }
  }

  @Test(arguments: ["/metrics", "/models", "/models/counter", "/models/nope"])
  func pagesAreMadeOnceForAllWhoWait(path: String) throws {
    let service = try Service.make(TestModels.counter())
    let answers = Answers()
    service.parts.pages.queue.suspend()
    for _ in 0..<5 { answers.ask(service, path) }
    // Not from the queue, so these are answered.
    for other in ["/livez", "/readyz", "/"] {
      answers.ask(service, other)
      #expect(answers.count(other) == 1)
    }
    #expect(answers.count(path) == 0)
    service.parts.pages.queue.resume()
    #expect(waitUntil { answers.count(path) == 5 })
    // One that was made for another would count the answers before it.
    #expect(answers.bodies.withLock { Set($0[path] ?? []).count } == 1)
  }

  /// However many pages are asked for, others keep the most of a core.
  @Test func theQueueRestsLongerThanAPageTook() throws {
    let pages = PageQueue()
    let begun = Mutex<[ContinuousClock.Instant]>([])
    for _ in 0..<3 {
      pages.add {
        begun.withLock { $0.append(.now) }
        usleep(5000)
      }
    }
    #expect(waitUntil { begun.withLock { $0.count } == 3 })
    let times = begun.withLock { $0 }
    for (one, next) in zip(times, times.dropFirst()) {
      #expect(next - one >= .milliseconds(5 * (1 + PageQueue.restRatio)))
    }
  }

  /// Who asks after an answer finds it counted.
  @Test func aPageIsNoOlderThanTheQuestion() throws {
    let service = try Service.make(TestModels.counter())
    let answers = Answers()
    for count in 1...3 {
      answers.ask(service, "/livez")
      answers.ask(service, "/metrics")
      #expect(waitUntil { answers.count("/metrics") == count })
      let page = answers.bodies.withLock { $0["/metrics"]?.last } ?? ""
      let sample = #"carousel_requests_total{endpoint="/livez",status="200"} \#(count)"#
      #expect(page.contains(sample + "\n"))
    }
  }

  /// A thread reads one large body at a time; others don't wait for those.
  @Test func largeBodiesAreReadOneAfterAnother() throws {
    let service = try Service.make(TestModels.counter())
    let answers = Answers()
    func body(_ count: Int) -> String {
      let question = #"{"inputs":[1]}"#
      return question + String(repeating: " ", count: count - question.utf8.count)
    }
    service.parts.queues.largeBodies[0].suspend()
    answers.ask(service, "/models/counter/predict", body(BodyQueues.maxBytesReadBesideOthers + 1))
    for _ in 0..<20 { answers.ask(service, "/predict", body(BodyQueues.maxBytesReadBesideOthers)) }
    #expect(waitUntil { answers.count("/predict") == 20 })
    #expect(answers.count("/models/counter/predict") == 0)
    service.parts.queues.largeBodies[0].resume()
    #expect(waitUntil { answers.count("/models/counter/predict") == 1 })
    #expect(answers.bodies.withLock { $0.values.joined().allSatisfy { $0.hasPrefix("200 ") } })
  }
}
