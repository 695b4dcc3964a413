import Dispatch
import Synchronization

/// The cores that the engines of a process share, a turn at a time.
package final class Cores: Sendable {
  private struct State {
    var shares: CoreShares
    var semaphores: [CoreShares.Waiter: DispatchSemaphore] = [:]
  }

  private let state: Mutex<State>

  /// - Parameters:
  ///   - models: engines that will share them, numbered from 0.
  ///   - count: how many there are.
  package init(models: Int, count: Int) {
    state = Mutex(State(shares: CoreShares(cores: count, models: models)))
  }

  /// Waits until a worker of `model` may compute.
  func enter(_ model: Int) {
    let semaphore = state.withLock { state -> DispatchSemaphore? in
      guard let waiter = state.shares.request(model) else { return nil }
      let semaphore = DispatchSemaphore(value: 0)
      state.semaphores[waiter] = semaphore
      return semaphore
    }
    semaphore?.wait()
  }

  /// Whether a worker of `model` may compute at once; if so, it has to leave.
  func tryEnter(_ model: Int) -> Bool {
    state.withLock { state in
      guard state.shares.idleCores > 0 else { return false }
      return state.shares.request(model) == nil
    }
  }

  /// A worker of `model` has computed for `seconds`; waits until it may go on.
  func goOn(_ model: Int, after seconds: Double) {
    let (own, next) = state.withLock { state -> (DispatchSemaphore?, DispatchSemaphore?) in
      let (waiter, next) = state.shares.goOn(model, after: seconds)
      guard waiter != next else { return (nil, nil) }
      let semaphore = DispatchSemaphore(value: 0)
      state.semaphores[waiter] = semaphore
      return (semaphore, state.semaphores.removeValue(forKey: next))
    }
    next?.signal()
    own?.wait()
  }

  /// A worker of `model` has computed for `seconds`, and is done.
  func leave(_ model: Int, after seconds: Double) {
    let semaphore = state.withLock { state in
      state.shares.release(model, after: seconds).flatMap {
        state.semaphores.removeValue(forKey: $0)
      }
    }
    semaphore?.signal()
  }

  /// Whether any other model computes or waits to.
  func areShared(by model: Int) -> Bool { state.withLock { $0.shares.isShared(by: model) } }
}
