import Dispatch
import Glibc
import HTTPCore

/// An HTTP/1.1 and HTTP/2 server, in the clear or over TLS.
package final class Server: Sendable {
  /// The port that the server listens on: that of the settings, or the kernel's choice if that is 0.
  package let port: Int

  /// The port on which the server speaks TLS: `port`, or a second one; nil when it speaks none.
  package let tlsPort: Int?

  /// How many connections may be open: `max_connections`, or fewer if the process may not open so many descriptors.
  package var maxConnections: Int { descriptors.maxConnections }

  private let descriptors: DescriptorBudget
  private let loops: [EventLoop]
  private let tls: TLSReference?
  private let counters: ServerCounters
  let codingQueues: CodingQueues

  /// Binds the sockets; from then on clients can connect, and wait until `start`. Raises the process's limit on
  /// descriptors to the hard limit.
  ///
  /// - Parameters:
  ///   - memory: counts the memory that request bodies take, and answers that clients leave unread.
  ///   - monotonic: the clock by which time-outs pass, in nanoseconds; the kernel's if nil.
  ///   - descriptors: how descriptors are divided; derived from the limit of the process if nil.
  ///   - reportPause: is called with the errno when accepting pauses, at most once a minute for each loop.
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
    // OpenSSL may write to a socket whose peer is gone, which raises SIGPIPE.
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
          counters: counters, clock: LoopClock(monotonic: monotonic),
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

  /// Begins to accept connections and to serve them. To be called once.
  package func start() {
    for loop in loops { loop.start(descriptors) }
  }

  /// Stops gracefully: accepts no new connections, and closes idle ones after `drain_grace`, the others after their
  /// last answer, and whatever is left after `time`. To be called once, after `start`.
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

  /// Reads the files of `settings` anew for connections from now on; connections that are open keep what they have.
  ///
  /// - Throws: if a file can't be used; nothing changes then.
  package func reload(_ settings: TLSSettings) throws(HTTPServerError) {
    tls?.replace(try TLSContext(settings))
  }

  /// Waits until the loops' queues have run all work that was submitted so far.
  func waitForLoops() {
    for loop in loops { loop.wait() }
  }

  /// The current counts.
  package var statistics: ServerStatistics { counters.snapshot }
}
