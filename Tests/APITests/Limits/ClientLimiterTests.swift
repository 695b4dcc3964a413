import HTTPCore
import Serving
import TestSupport
import Testing

@testable import API

@Suite struct ClientLimiterTests {
  private func peer(_ address: String) throws -> HTTPPeer {
    HTTPPeer(address: try #require(PeerAddress(address)))
  }

  private func token(_ name: String, _ limits: RequestLimits.Exceptions = .init()) -> Grant {
    Grant(tokenName: name, models: nil, limits: limits)
  }

  private func isIn(_ limiter: ClientLimiter, _ grant: Grant = .all, _ address: String) throws
    -> Bool
  {
    do {
      _ = try limiter.admit(grant, from: try peer(address))
      return true
    } catch { return false }
  }

  @Test func withoutLimitsNobodyIsRemembered() throws {
    let limiter = ClientLimiter(limits: RequestLimits())
    for number in 0..<100 { #expect(try isIn(limiter, .all, "192.0.2.\(number)")) }
    #expect(limiter.rememberedCount == 0)
  }

  /// A token is one client wherever it comes from; addresses are one each, and a /64 of IPv6 is one.
  @Test func clientsHaveRatesOfTheirOwn() throws {
    let limiter = ClientLimiter(limits: RequestLimits(rate: 1, burst: 2), now: { 0 })
    for address in ["192.0.2.1", "192.0.2.2"] {
      for expected in [true, true, false] { #expect(try isIn(limiter, .all, address) == expected) }
    }
    #expect(try !isIn(limiter, .all, "::ffff:192.0.2.1"))
    #expect(try isIn(limiter, .all, "2001:db8::1"))
    #expect(try isIn(limiter, .all, "2001:db8::2"))
    #expect(try !isIn(limiter, .all, "2001:db8::3"))
    #expect(try isIn(limiter, .all, "2001:db8:0:1::3"))
    #expect(try isIn(limiter, token("a"), "192.0.2.1"))
    #expect(try isIn(limiter, token("a"), "192.0.2.9"))
    #expect(try !isIn(limiter, token("a"), "192.0.2.10"))
    #expect(try isIn(limiter, token("b"), "192.0.2.1"))
    #expect(limiter.rateRefusals.value == 5)
    #expect(limiter.concurrencyRefusals.value == 0)
  }

  @Test func tokensMayHaveOtherLimits() throws {
    let limiter = ClientLimiter(
      limits: RequestLimits(rate: 1, burst: 2, concurrency: 1), now: { 0 })
    let free = token("free", .init(rate: 0, concurrency: 0))
    let many = token("many", .init(rate: 5, concurrency: 0))
    #expect((0..<50).allSatisfy { _ in (try? isIn(limiter, free, "192.0.2.1")) == true })
    let admitted = try (0..<50).filter { _ in try isIn(limiter, many, "192.0.2.1") }
    #expect(admitted.count == 5)
    // A limit may be a token's alone.
    let open = ClientLimiter(limits: RequestLimits(), now: { 0 })
    let slow = token("slow", .init(rate: 0.1))
    #expect(try isIn(open, slow, "192.0.2.1"))
    #expect(try !isIn(open, slow, "192.0.2.1"))
    #expect(try isIn(open, .all, "192.0.2.1"))
  }

  @Test func placesAreGivenBackOnce() throws {
    let limiter = ClientLimiter(limits: RequestLimits(concurrency: 2))
    let peer = try peer("192.0.2.1")
    var first = try limiter.admit(.all, from: peer)
    let second = try limiter.admit(.all, from: peer)
    #expect(throws: Fault.self) { try limiter.admit(.all, from: peer) }
    #expect(limiter.concurrencyRefusals.value == 1)
    second?.leave()
    second?.leave()
    var third = try limiter.admit(.all, from: peer)
    #expect(throws: Fault.self) { try limiter.admit(.all, from: peer) }
    // Those that never came to an answer.
    first = nil
    third = nil
    let last = [try limiter.admit(.all, from: peer), try limiter.admit(.all, from: peer)]
    #expect(throws: Fault.self) { try limiter.admit(.all, from: peer) }
    #expect(first == nil && third == nil && last.count == 2)
  }

  /// What is refused for those under way costs nothing of the rate.
  @Test func theRateIsLeftAlone() throws {
    let limiter = ClientLimiter(
      limits: RequestLimits(rate: 1, burst: 2, concurrency: 1), now: { 0 })
    let peer = try peer("192.0.2.1")
    let place = try limiter.admit(.all, from: peer)
    for _ in 0..<5 { #expect(throws: Fault.self) { try limiter.admit(.all, from: peer) } }
    place?.leave()
    #expect(try isIn(limiter, .all, "192.0.2.1"))
    #expect(limiter.concurrencyRefusals.value == 5 && limiter.rateRefusals.value == 0)
  }

  /// However many come, so many are remembered; whoever keeps asking is among them.
  @Test func whoIsRememberedIsBounded() throws {
    let limiter = ClientLimiter(
      limits: RequestLimits(rate: 0.001, burst: 1), maxClients: 320, now: { 0 })
    #expect(try isIn(limiter, token("busy"), "::1"))
    for number in 0..<5_000 {
      #expect(try isIn(limiter, .all, "2001:db8:\(String(number, radix: 16))::1"))
      #expect(try !isIn(limiter, token("busy"), "::1"))
      #expect(limiter.rememberedCount <= 320)
    }
    #expect(limiter.rememberedCount >= 160)
    // The first has been forgotten.
    #expect(try isIn(limiter, .all, "2001:db8:0::1"))
  }

  @Test func manyThreadsTakeNoMoreThanThereIs() async throws {
    let limiter = ClientLimiter(limits: RequestLimits(rate: 1, burst: 100), now: { 0 })
    let peer = try peer("192.0.2.1")
    await withTaskGroup(of: Void.self) { group in
      for _ in 0..<8 {
        group.addTask { for _ in 0..<50 { _ = try? limiter.admit(.all, from: peer) } }
      }
    }
    #expect(limiter.rateRefusals.value == 300)
  }
}
