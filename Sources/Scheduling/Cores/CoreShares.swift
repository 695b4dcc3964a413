/// Which of several models computes next, where there are fewer cores than workers that could turn.
///
/// A state machine without threads or clocks: a core falls to the model that has used the least time of them, as in
/// fair queueing (Demers, Keshav and Shenker, 1989). A model that was idle starts level with the others, so nobody
/// saves up time, and nobody pays for time that no other wanted.
struct CoreShares: Sendable {
  /// Names a worker that waits for a core.
  struct Waiter: Hashable, Sendable {
    let model: Int
    let number: UInt64
  }

  /// The seconds that a model may be behind the others which wants no more than it has, and later does.
  static let maxLag = 0.1

  /// Cores that nobody computes on.
  private(set) var idleCores: Int
  /// By model: the seconds that it has computed, and the workers of it that compute or wait.
  private var seconds: [Double]
  private var active: [Int]
  /// The most that a model had when a core fell to it: where the others are.
  private var level = 0.0
  private var waiting: [Waiter] = []
  private var nextNumber: UInt64 = 0

  init(cores: Int, models: Int) {
    precondition(cores > 0)
    idleCores = cores
    seconds = Array(repeating: 0, count: models)
    active = Array(repeating: 0, count: models)
  }

  /// Whether any other model computes or waits.
  func isShared(by model: Int) -> Bool {
    active.indices.contains { $0 != model && active[$0] > 0 }
  }

  /// A worker of `model` wants a core; nil where it has one at once.
  mutating func request(_ model: Int) -> Waiter? {
    if active[model] == 0 { seconds[model] = Swift.max(seconds[model], level) }
    active[model] += 1
    let waiter = lineUp(model)
    guard idleCores > 0 else { return waiter }
    // Where a core is idle, nobody else waits.
    idleCores -= 1
    _ = takeNext()
    return nil
  }

  /// A worker of `model` computed for so long, and wants to go on; returns it, and who has its core now: it or another.
  mutating func goOn(_ model: Int, after seconds: Double) -> (waiter: Waiter, next: Waiter) {
    self.seconds[model] += seconds
    let waiter = lineUp(model)
    return (waiter, takeNext() ?? waiter)
  }

  /// A worker of `model` computed for so long, and is done; returns who has its core now.
  mutating func release(_ model: Int, after seconds: Double) -> Waiter? {
    self.seconds[model] += seconds
    active[model] -= 1
    let next = takeNext()
    if next == nil { idleCores += 1 }
    return next
  }

  private mutating func lineUp(_ model: Int) -> Waiter {
    seconds[model] = Swift.max(seconds[model], level - Self.maxLag)
    defer { nextNumber += 1 }
    waiting.append(Waiter(model: model, number: nextNumber))
    return waiting[waiting.count - 1]
  }

  private mutating func takeNext() -> Waiter? {
    let next = waiting.indices.min {
      let (a, b) = (waiting[$0], waiting[$1])
      let (x, y) = (seconds[a.model], seconds[b.model])
      return x == y ? a.number < b.number : x < y
    }
    guard let next else { return nil }
    level = Swift.max(level, seconds[waiting[next].model])
    return waiting.remove(at: next)
  }
}
