import HTTPCore

/// The time-outs of connections, in nanoseconds of the monotonic clock.
struct Timeouts {
  /// How long a connection waits for its peer in each phase.
  let phases: PhaseTimeouts
  /// The least pace of request bodies; over HTTP/2 each is measured by itself.
  let upload: TransferPace
  /// The least pace at which a peer takes what is sent to it.
  let download: TransferPace
  /// In a drain, the least pace of a peer that has sent a part of a request: a byte in each `drain_grace`.
  let drain: TransferPace
  /// The interval at which transfers are measured, in nanoseconds: a second, or less if a time-out is shorter than four.
  let tick: Int
  /// The same interval in a drain, in which `drain_grace` counts as a time-out.
  let drainTick: Int

  init(_ settings: HTTPServerSettings) {
    let write = settings.writeTimeout.nanoseconds
    let phases = PhaseTimeouts(
      head: settings.headTimeout.nanoseconds, body: settings.bodyTimeout.nanoseconds,
      idle: settings.idleTimeout.nanoseconds, linger: min(2_000_000_000, write))
    self.phases = phases
    upload = TransferPace(window: phases.body, bytesPerSecond: settings.minUploadRate)
    download = TransferPace(window: write, bytesPerSecond: settings.minDownloadRate)
    let shortest = min(phases.head, phases.body, phases.idle, write)
    let grace = settings.drainGrace.nanoseconds
    drain = TransferPace(window: max(1, grace))
    tick = Self.tick(shortest: shortest)
    drainTick = Self.tick(shortest: min(shortest, grace))
  }

  private static func tick(shortest: Int) -> Int {
    max(10_000_000, min(1_000_000_000, shortest / 4))
  }
}
