/// Which of several models computes next, where there are fewer cores than workers that could turn.
///
/// A state machine without threads or clocks: a core falls to the model that has used the least time of them, as in
/// fair queueing (Demers, Keshav and Shenker, 1989). A model that was idle starts level with the others, so no model
/// saves up time, and none pays for time that no other wanted.
struct CoreShares: Sendable {
  /// Names a worker that waits for a core.
  struct Waiter: Hashable, Sendable {
    let model: Int
    let number: UInt64
  }

  private struct Account {
    /// The time that it has computed.
    var seconds = 0.0
    /// Workers of it that compute or wait.
    var active = 0
  }

  /// The seconds that a model may be behind the others when it wants more after it wanted less than its share.
  static let maxLag = 0.1

  /// Cores that are idle.
  private(set) var idleCores: Int
  /// By model.
  private var accounts: [Int: Account] = [:]
  /// The most time that a model had used when it got a core: the level of the others.
  private var level = 0.0
  private var waiting: [Waiter] = []
  private var nextNumber: UInt64 = 0
  private var nextModel = 0

  init(cores: Int) {
    precondition(cores > 0)
    idleCores = cores
  }

  /// One more model will compute; returns its number.
  mutating func join() -> Int {
    defer { nextModel += 1 }
    accounts[nextModel] = Account()
    return nextModel
  }

  /// A model of which no worker computes or waits will compute no more.
  mutating func leave(_ model: Int) {
    precondition(accounts[model]?.active == 0)
    accounts[model] = nil
  }

  /// Whether any other model computes or waits.
  func isShared(by model: Int) -> Bool {
    accounts.contains { $0 != model && $1.active > 0 }
  }

  /// A worker of `model` wants a core; nil where it has one at once.
  mutating func request(_ model: Int) -> Waiter? {
    if accounts[model]!.active == 0 { raise(model, to: level) }
    accounts[model]!.active += 1
    let waiter = lineUp(model)
    guard idleCores > 0 else { return waiter }
    // While a core is idle, no worker waits.
    idleCores -= 1
    _ = takeNext()
    return nil
  }

  /// A worker of `model` computed for so long, and wants to go on; returns it, and the worker that has its core now: it or
  /// another.
  mutating func goOn(_ model: Int, after seconds: Double) -> (waiter: Waiter, next: Waiter) {
    accounts[model]!.seconds += seconds
    let waiter = lineUp(model)
    return (waiter, takeNext() ?? waiter)
  }

  /// A worker of `model` computed for so long, and is done; returns the worker that has its core now.
  mutating func release(_ model: Int, after seconds: Double) -> Waiter? {
    accounts[model]!.seconds += seconds
    accounts[model]!.active -= 1
    let next = takeNext()
    if next == nil { idleCores += 1 }
    return next
  }

  private mutating func lineUp(_ model: Int) -> Waiter {
    raise(model, to: level - Self.maxLag)
    defer { nextNumber += 1 }
    waiting.append(Waiter(model: model, number: nextNumber))
    return waiting[waiting.count - 1]
  }

  /// A model has computed for so long at least, as far as its turn goes.
  private mutating func raise(_ model: Int, to seconds: Double) {
    accounts[model]!.seconds = Swift.max(accounts[model]!.seconds, seconds)
  }

  private mutating func takeNext() -> Waiter? {
    let next = waiting.indices.min {
      let (a, b) = (waiting[$0], waiting[$1])
      let (x, y) = (seconds(of: a), seconds(of: b))
      return x == y ? a.number < b.number : x < y
    }
    guard let next else { return nil }
    level = Swift.max(level, seconds(of: waiting[next]))
    return waiting.remove(at: next)
  }

  private func seconds(of waiter: Waiter) -> Double { accounts[waiter.model]!.seconds }
}
