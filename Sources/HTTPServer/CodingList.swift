import HTTPCore

/// Content codings that a connection's requests and responses wait for, one at a time, so that a
/// connection with many leaves room for others between them.
struct CodingList {
  /// Applies or undoes one coding; called off the loop.
  typealias Coding = @Sendable () -> Mail

  private var waiting: [(stream: StreamID, coding: Coding)] = []
  private var isUnderWay = false

  mutating func append(_ coding: @escaping Coding, for stream: StreamID) {
    waiting.append((stream, coding))
  }

  /// Notes that the one under way is done.
  mutating func finish() { isUnderWay = false }

  /// Begins the next one that somebody still waits for; nil while one is under way or there is none.
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
