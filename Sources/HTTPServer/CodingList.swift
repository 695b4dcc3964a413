import HTTPCore

/// The content codings (inflating and compressing) that wait to be done for one connection. They run one at a time, so
/// that a connection with many leaves room for others between them.
struct CodingList {
  /// Applies or undoes one content coding, off the loop; returns the result as mail for the loop.
  typealias Coding = @Sendable () -> Mail

  private var waiting: [(stream: StreamID, coding: Coding)] = []
  private var isUnderWay = false

  /// Adds a coding that `stream` waits for, behind the others.
  mutating func append(_ coding: @escaping Coding, for stream: StreamID) {
    waiting.append((stream, coding))
  }

  /// Records that the coding under way is done.
  mutating func finish() { isUnderWay = false }

  /// Returns the next coding whose stream still waits for it, which the caller has to run; nil while another coding is
  /// under way, or when none is left.
  mutating func begin(where isAwaited: (StreamID) -> Bool) -> Coding? {
    guard !isUnderWay, let index = waiting.firstIndex(where: { isAwaited($0.stream) }) else {
      if !isUnderWay { waiting.removeAll() }
      return nil
    }
    let coding = waiting[index].coding
    waiting.removeSubrange(...index)
    isUnderWay = true
    return coding
  }
}
