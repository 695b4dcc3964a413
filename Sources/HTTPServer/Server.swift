import Dispatch
import Glibc
import HTTPCore

/// An HTTP/1.1 and HTTP/2 server on cleartext sockets.
package final class Server: Sendable {
  /// The port it listens on: that of the settings, or the kernel's choice where that was 0.
  package let port: Int

  private let loops: [EventLoop]
  private let counters: ServerCounters

  /// Binds the sockets; from then on clients can connect, and wait for `start`.
  ///
  /// - Parameters:
  ///   - memory: what bodies, and answers that clients leave unread, take is counted there.
  ///   - monotonic: nanoseconds of the clock by which time-outs pass; the kernel's where it is nil.
  ///   - application: is called on an event loop for each request, so it must return at once.
  package init(
    settings: HTTPServerSettings, memory: MemoryBudget = MemoryBudget(limit: 256 << 20),
    monotonic: (@Sendable () -> Int)? = nil,
    application: @escaping Application
  ) throws(HTTPServerError) {
    let group = try Listener.group(
      host: settings.address, port: settings.port, count: settings.loopCount)
    let counters = ServerCounters()
    var loops: [EventLoop] = []
    for (index, listeners) in group.loops.enumerated() {
      loops.append(
        try EventLoop(
          name: "http-\(index)", listeners: listeners, settings: settings, memory: memory,
          counters: counters, clock: LoopClock(monotonic: monotonic ?? LoopClock.monotonic),
          application: application))
    }
    port = group.port
    self.loops = loops
    self.counters = counters
  }

  /// Begins to accept and to answer. Called once.
  package func start() {
    for loop in loops { loop.start() }
  }

  /// Ends gracefully: no new connection, idle ones closed after `drain_grace`, the others with their last answer;
  /// what is left after `time` is cut off. Called once, after `start`.
  ///
  /// - Parameter completion: is called when every connection is closed.
  package func stop(within time: Duration, completion: @escaping @Sendable () -> Void) {
    let group = DispatchGroup()
    for loop in loops {
      group.enter()
      loop.drain { group.leave() }
    }
    let queue = DispatchQueue.global()
    queue.asyncAfter(deadline: .now() + .nanoseconds(time.nanoseconds)) { [loops] in
      for loop in loops { loop.abort() }
    }
    group.notify(queue: queue, execute: completion)
  }

  /// The counters as they stand now.
  package var statistics: ServerStatistics { counters.snapshot }
}
