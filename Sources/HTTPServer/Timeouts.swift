import HTTPCore

/// The time-outs of connections, in nanoseconds of the monotonic clock.
struct Timeouts {
  private let head: Int
  private let body: Int
  /// For a request's body, over HTTP/2 for each of its own.
  let upload: TransferPace
  private let idle: Int
  /// For a peer that something is sent to.
  let download: TransferPace
  /// For a peer to end its side after ours.
  let linger: Int
  /// How often deadlines are looked at: each second, or oftener where a time-out is shorter than four.
  let tick: Int
  /// In a drain, for a peer that has sent a part of a request.
  let drain: TransferPace
  /// How often deadlines are looked at in a drain.
  let drainTick: Int

  init(_ settings: HTTPServerSettings) {
    head = settings.headTimeout.nanoseconds
    body = settings.bodyTimeout.nanoseconds
    idle = settings.idleTimeout.nanoseconds
    let write = settings.writeTimeout.nanoseconds
    upload = TransferPace(window: body, bytesPerSecond: settings.minUploadRate)
    download = TransferPace(window: write, bytesPerSecond: settings.minDownloadRate)
    linger = min(2_000_000_000, write)
    let shortest = min(head, body, idle, write)
    let grace = settings.drainGrace.nanoseconds
    drain = TransferPace(window: max(1, grace))
    tick = Self.tick(shortest: shortest)
    drainTick = Self.tick(shortest: min(shortest, grace))
  }

  private static func tick(shortest: Int) -> Int {
    max(10_000_000, min(1_000_000_000, shortest / 4))
  }

  /// When a phase that begins `now` has taken too long.
  func deadline(for phase: ConnectionPhase, from now: Int) -> Int {
    switch phase {
    case .idle: deadline(after: idle, from: now)
    case .readingHead: deadline(after: head, from: now)
    case .readingBody: deadline(after: body, from: now)
    case .answering: .max
    }
  }

  /// The moment `time` after `now`.
  func deadline(after time: Int, from now: Int) -> Int {
    let (sum, overflowed) = now.addingReportingOverflow(time)
    return overflowed ? .max : sum
  }
}
