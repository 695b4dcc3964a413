/// Which of several models computes next, where there are fewer cores than workers that could turn.
///
/// A state machine without threads or clocks: a core falls to the model that has used the least time of them, as in
/// fair queueing (Demers, Keshav and Shenker, 1989). A model that was idle starts level with the others, so nobody
/// saves up time.
struct CoreShares: Sendable {
  /// Names a worker that waits for a core.
  struct Waiter: Hashable, Sendable {
    let model: Int
    let number: UInt64
  }

  /// Cores that nobody computes on.
  private(set) var idleCores: Int
  /// By model: the seconds that it has computed, and the workers of it that compute or wait.
  private var seconds: [Double]
  private var active: [Int]
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
    if active[model] == 0 {
      let others = active.indices.filter { active[$0] > 0 }.map { seconds[$0] }
      seconds[model] = Swift.max(seconds[model], others.min() ?? 0)
    }
    active[model] += 1
    if idleCores > 0 {
      idleCores -= 1
      return nil
    }
    defer { nextNumber += 1 }
    waiting.append(Waiter(model: model, number: nextNumber))
    return waiting[waiting.count - 1]
  }

  /// A worker of `model` computed for so long; returns who has its core now.
  mutating func release(_ model: Int, after seconds: Double) -> Waiter? {
    self.seconds[model] += seconds
    active[model] -= 1
    let next = waiting.indices.min {
      let (a, b) = (waiting[$0], waiting[$1])
      let (x, y) = (self.seconds[a.model], self.seconds[b.model])
      return x == y ? a.number < b.number : x < y
    }
    guard let next else {
      idleCores += 1
      return nil
    }
    return waiting.remove(at: next)
  }
}
