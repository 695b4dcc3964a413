import Dispatch

/// The dispatch queues on which bodies are inflated and compressed when that would take too long on an event loop.
///
/// There are half as many as there are loops, so that clients whose bodies inflate a thousandfold occupy these and
/// leave the other cores to others.
struct CodingQueues: Sendable {
  private let queues: [DispatchQueue]

  init(loopCount: Int) {
    queues = (0..<max(1, loopCount / 2)).map {
      DispatchQueue(label: "content-coding-\($0)", qos: .userInitiated)
    }
  }

  /// The queue of the connection with `token`, which has at most one piece of work there at a time.
  subscript(token: UInt64) -> DispatchQueue { queues[Int(token % UInt64(queues.count))] }
}
