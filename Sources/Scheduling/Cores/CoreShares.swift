/// Decides which of several models computes next, where there are fewer cores than workers that could turn.
///
/// A state machine without threads or clocks: a free core goes to the model that has used the least core time, as in
/// fair queueing (Demers, Keshav and Shenker, 1989). A model that was idle starts level with the others, so no model
/// saves up time, and none pays for time that no other wanted.
struct CoreShares: Sendable {
  /// Names a worker that waits for a core.
  struct Waiter: Hashable, Sendable {
    let model: Int
    let number: UInt64
  }

  private struct Account {
    /// The core time that the model has used, in seconds.
    var seconds = 0.0
    /// The model's workers that compute or wait.
    var active = 0
  }

  /// The most core time, in seconds, that a model may be behind the others: what it did not ask for in the past is
  /// credited only up to this.
  static let maxLag = 0.1

  /// Cores that are idle.
  private(set) var idleCores: Int
  /// The accounts, by the model's number.
  private var accounts: [Int: Account] = [:]
  /// The most core time that any model had used when it was given a core: an idle model starts from here.
  private var level = 0.0
  private var waiting: [Waiter] = []
  private var nextNumber: UInt64 = 0
  private var nextModel = 0

  init(cores: Int) {
    precondition(cores > 0)
    idleCores = cores
  }

  /// Adds a model that will compute; returns its number.
  mutating func join() -> Int {
    defer { nextModel += 1 }
    accounts[nextModel] = Account()
    return nextModel
  }

  /// Removes a model; none of its workers may compute or wait.
  mutating func leave(_ model: Int) {
    precondition(accounts[model]?.active == 0)
    accounts[model] = nil
  }

  /// Whether any other model computes or waits.
  func isShared(by model: Int) -> Bool {
    accounts.contains { $0 != model && $1.active > 0 }
  }

  /// A worker of `model` wants a core. Returns nil if it gets one at once, else the name by which it waits for one.
  mutating func request(_ model: Int) -> Waiter? {
    if accounts[model]!.active == 0 { raise(model, to: level) }
    accounts[model]!.active += 1
    let waiter = lineUp(model)
    guard idleCores > 0 else { return waiter }
    // While a core is idle no other worker waits, so this one is next.
    idleCores -= 1
    _ = takeNext()
    return nil
  }

  /// A worker of `model` has computed for `seconds` and wants to go on. Returns its name, and that of the worker that
  /// gets its core now: itself or another.
  mutating func goOn(_ model: Int, after seconds: Double) -> (waiter: Waiter, next: Waiter) {
    accounts[model]!.seconds += seconds
    let waiter = lineUp(model)
    return (waiter, takeNext() ?? waiter)
  }

  /// A worker of `model` has computed for `seconds` and is done. Returns the waiting worker that gets its core now; nil
  /// if none waits.
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

  /// Raises a model's used time to at least `seconds`, so that it gets no core before others for time that it did not
  /// ask for.
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
