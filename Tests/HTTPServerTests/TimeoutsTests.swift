import HTTPCore
import Testing

@testable import HTTPServer

@Suite struct TimeoutsTests {
  @Test func eachPhaseHasItsTime() {
    var settings = HTTPServerSettings()
    settings.headTimeout = .nanoseconds(1)
    settings.bodyTimeout = .nanoseconds(2)
    settings.idleTimeout = .nanoseconds(3)
    settings.writeTimeout = .nanoseconds(4)
    #expect(
      Timeouts(settings).phases == PhaseTimeouts(head: 1, body: 2, idle: 3, linger: 4))
  }

  @Test(arguments: [(1, 10), (40, 10), (80, 20), (4000, 1000), (60_000, 1000)])
  func theTickFollowsTheShortest(_ milliseconds: Int, _ tick: Int) {
    var settings = HTTPServerSettings()
    settings.headTimeout = .milliseconds(milliseconds)
    settings.bodyTimeout = .seconds(100)
    settings.idleTimeout = .seconds(100)
    settings.writeTimeout = .seconds(100)
    #expect(Timeouts(settings).tick == tick * 1_000_000)
  }

  @Test(arguments: [(0, 10), (40, 10), (200, 50), (60_000, 1000)])
  func theTickOfADrainFollowsItsGrace(_ milliseconds: Int, _ tick: Int) {
    var settings = HTTPServerSettings()
    settings.drainGrace = .milliseconds(milliseconds)
    #expect(Timeouts(settings).drainTick == tick * 1_000_000)
    #expect(Timeouts(settings).tick == 1_000_000_000)
    #expect(
      Timeouts(settings).drain == TransferPace(window: max(1, milliseconds * 1_000_000)))
  }

  @Test func durationsBeyondTheClockSaturate() {
    #expect(Duration.seconds(1).nanoseconds == 1_000_000_000)
    #expect(Duration.seconds(Int64.max).nanoseconds == .max)
  }
}
