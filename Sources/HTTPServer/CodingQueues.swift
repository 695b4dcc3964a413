import Dispatch

/// Where bodies are inflated and compressed that would take too long on a loop.
///
/// There are half as many threads for it as there are loops: whoever sends bodies that inflate to a
/// thousandfold takes those, and leaves the other cores to the others.
struct CodingQueues: Sendable {
  private let queues: [DispatchQueue]

  init(loopCount: Int) {
    queues = (0..<max(1, loopCount / 2)).map {
      DispatchQueue(label: "content-coding-\($0)", qos: .userInitiated)
    }
  }

  /// The queue of a connection. Each connection has one piece of work at a time there.
  subscript(token: UInt64) -> DispatchQueue { queues[Int(token % UInt64(queues.count))] }
}
