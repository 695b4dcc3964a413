import HTTPCore

/// The time-outs of connections, in nanoseconds of the monotonic clock.
struct Timeouts {
  /// For what a peer is waited for.
  let phases: PhaseTimeouts
  /// For a request's body, over HTTP/2 for each of its own.
  let upload: TransferPace
  /// For a peer that something is sent to.
  let download: TransferPace
  /// In a drain, for a peer that has sent a part of a request.
  let drain: TransferPace
  /// How often transfers are measured: each second, or oftener where a time-out is shorter than four.
  let tick: Int
  /// How often they are in a drain, and whether anything comes.
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
