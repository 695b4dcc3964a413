import Dispatch
import Glibc
import HTTPCore

/// An HTTP/1.1 and HTTP/2 server, in the clear or over TLS.
package final class Server: Sendable {
  /// The port it listens on: that of the settings, or the kernel's choice where that was 0.
  package let port: Int

  /// The port on which it speaks TLS: `port`, or the one beside it; nil where it speaks none.
  package let tlsPort: Int?

  /// The connections that may be open: `max_connections`, or fewer where the process may not have so many descriptors.
  package var maxConnections: Int { descriptors.maxConnections }

  private let descriptors: DescriptorBudget
  private let loops: [EventLoop]
  private let tls: TLSReference?
  private let counters: ServerCounters
  let codingQueues: CodingQueues

  /// Binds the sockets; from then on clients can connect, and wait for `start`. Raises the limit on the process's
  /// descriptors as far as it may.
  ///
  /// - Parameters:
  ///   - memory: what bodies, and answers that clients leave unread, take is counted there.
  ///   - monotonic: nanoseconds of the clock by which time-outs pass; the kernel's where it is nil.
  ///   - descriptors: how they are divided; by the limit of the process where it is nil.
  ///   - reportPause: is told, at most once a minute and loop, the errno for which nobody was accepted for a moment.
  ///   - application: answers all requests.
  package init(
    settings: HTTPServerSettings, memory: MemoryBudget = MemoryBudget(limit: 256 << 20),
    monotonic: (@Sendable () -> Int)? = nil,
    descriptors: DescriptorBudget? = nil,
    reportPause: @escaping @Sendable (CInt) -> Void = { _ in },
    application: Application
  ) throws(HTTPServerError) {
    let limit = DescriptorBudget.raiseLimit()
    tls = try settings.tls.map { (settings) throws(HTTPServerError) in
      TLSReference(try TLSContext(settings))
    }
    // OpenSSL writes to sockets whose peers may be gone.
    if tls != nil { signal(SIGPIPE, SIG_IGN) }
    let hasOwnTLSPort = settings.tls?.port != nil
    var group = try Listener.group(
      host: settings.address, port: settings.port, isTLS: tls != nil && !hasOwnTLSPort,
      count: settings.loopCount)
    if let port = settings.tls?.port {
      let second = try Listener.group(
        host: settings.address, port: port, isTLS: true, count: settings.loopCount)
      for index in group.loops.indices { group.loops[index] += second.loops[index] }
      tlsPort = second.port
    } else {
      tlsPort = tls.map { _ in group.port }
    }
    let counters = ServerCounters()
    let shares =
      settings.maxConnectionsPerAddress > 0
      ? AddressShares(maxCount: settings.maxConnectionsPerAddress) : nil
    let codingQueues = CodingQueues(loopCount: settings.loopCount)
    var loops: [EventLoop] = []
    for (index, listeners) in group.loops.enumerated() {
      loops.append(
        try EventLoop(
          name: "http-\(index)", listeners: listeners, tls: tls, settings: settings,
          memory: memory, shares: shares,
          counters: counters, clock: LoopClock(monotonic: monotonic ?? LoopClock.monotonic),
          codingQueues: codingQueues, reportPause: reportPause, application: application))
    }
    if let descriptors {
      self.descriptors = descriptors
    } else {
      self.descriptors = try DescriptorBudget(
        limit: limit, open: DescriptorBudget.openCount(below: limit), loops: loops.count,
        wanted: settings.maxConnections)
    }
    port = group.port
    self.loops = loops
    self.counters = counters
    self.codingQueues = codingQueues
  }

  /// Begins to accept and to answer. Called once.
  package func start() {
    for loop in loops { loop.start(descriptors) }
  }

  /// Ends gracefully: no new connection, idle ones closed after `drain_grace`, the others with their last answer;
  /// what is left after `time` is cut off. Called once, after `start`.
  ///
  /// - Parameter completion: is called when every connection is closed.
  package func stop(within time: Duration, completion: @escaping @Sendable () -> Void) {
    let group = DispatchGroup()
    for loop in loops {
      group.enter()
      loop.drain(within: time.nanoseconds) { group.leave() }
    }
    group.notify(queue: .global(), execute: completion)
  }

  /// Has connections from now on use what the files of `settings` hold now; those that are open go on as they are.
  ///
  /// - Throws: where a file can't be used; nothing changes then.
  package func reload(_ settings: TLSSettings) throws(HTTPServerError) {
    tls?.replace(try TLSContext(settings))
  }

  /// Waits until the loops have begun what they were asked for so far.
  func waitForLoops() {
    for loop in loops { loop.wait() }
  }

  /// The counters as they stand now.
  package var statistics: ServerStatistics { counters.snapshot }
}
