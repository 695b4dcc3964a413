import HTTPCore
import TestSupport
import Testing

@testable import HTTPServer

/// A loop without sockets, threads or a clock of its own: the real driver of connections over buffers, which a test moves
/// on step by step.
final class SimulatedLoop {
  let memory = MemoryBudget(limit: 64 << 20)
  let counters = ServerCounters()
  let time: LoopTime
  let driver: ConnectionDriver
  private let clock = TestClock()
  private let inbox = Inbox {}
  private var transports: [BufferTransport] = []

  init(
    _ change: (inout HTTPServerSettings) -> Void = { _ in }, application: @escaping HTTPAnswer
  ) {
    var settings = HTTPServerSettings()
    settings.loops = 1
    change(&settings)
    time = LoopTime(LoopClock(monotonic: { [clock] in clock.nanoseconds }))
    driver = ConnectionDriver(
      settings: settings, memory: memory, counters: counters, time: time,
      codingQueues: CodingQueues(loopCount: 1), inbox: inbox, application: Application(application))
  }

  /// Adds a connection; returns its client's end.
  func connect(_ manner: BufferTransport.Manner = .init()) -> BufferTransport {
    counters.connectionsOpen.add(1, ordering: .relaxed)
    return insert(manner) { driver.admit(from: Self.nobody, $0) }
  }

  /// Adds a connection beyond the most that may be open.
  func connectExtra(_ manner: BufferTransport.Manner = .init()) -> BufferTransport {
    insert(manner) { driver.admitExtra(from: Self.nobody, $0) }
  }

  private static let nobody = ConnectionOrigin(
    peer: HTTPPeer(address: PeerAddress(bytes: [127, 0, 0, 1], port: 1)))

  private func insert(
    _ manner: BufferTransport.Manner, _ admit: ((UInt64) -> any Transport) -> Void
  ) -> BufferTransport {
    admit { token in
      let transport = BufferTransport(manner, token: token)
      transports.append(transport)
      return transport
    }
    return transports[transports.count - 1]
  }

  /// Takes a round; returns whether there was anything to do.
  func step() -> Bool {
    transports.removeAll(where: \.isClosed)
    let ready = transports.filter { !$0.readiness.isEmpty }
    let hadMail = !inbox.rest()
    let hadPutOff = driver.round(isQuiet: ready.isEmpty) {
      for transport in ready { driver.handle(transport.readiness, of: transport.token) }
    }
    let due = time.deadlines.takeDue(now: time.now)
    for case .connection(let token) in due { driver.look(at: token) }
    return !ready.isEmpty || hadMail || hadPutOff || !due.isEmpty || !driver.isIdle
      || transports.contains { !$0.readiness.isEmpty }
  }

  /// Takes rounds until there is nothing to do.
  func run(sourceLocation: SourceLocation = #_sourceLocation) {
    for _ in 0..<100_000 {
      if !step() { return }
    }
    Issue.record("the loop does not come to rest", sourceLocation: sourceLocation)
  }

  /// Lets `duration` pass in steps no longer than `step`, with all that there is to be done meanwhile.
  func advance(by duration: Duration, step: Duration = .milliseconds(250)) {
    var left = duration
    while left > .zero {
      clock.advance(by: min(step, left))
      left -= step
      run()
    }
  }
}
