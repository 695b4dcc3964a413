import Dispatch
import Synchronization

/// The cores that the engines of a process share, a turn at a time; engines come and go.
package final class Cores: Sendable {
  fileprivate struct State {
    var shares: CoreShares
    var semaphores: [CoreShares.Waiter: DispatchSemaphore] = [:]

    /// Makes a semaphore that is signalled when `waiter` gets a core.
    mutating func semaphore(of waiter: CoreShares.Waiter) -> DispatchSemaphore {
      let semaphore = DispatchSemaphore(value: 0)
      semaphores[waiter] = semaphore
      return semaphore
    }
  }

  fileprivate let state: Mutex<State>

  /// - Parameter count: the number of cores.
  package init(count: Int) {
    state = Mutex(State(shares: CoreShares(cores: count)))
  }

  /// Adds an engine, which counts as long as it keeps the share that this returns.
  package func share() -> CoreShare { CoreShare(of: self) }
}

/// One engine's share of the cores.
package final class CoreShare: Sendable {
  private let cores: Cores
  private let model: Int

  fileprivate init(of cores: Cores) {
    self.cores = cores
    model = cores.state.withLock { $0.shares.join() }
  }

  deinit { cores.state.withLock { $0.shares.leave(model) } }

  /// Blocks a worker until it gets a core.
  func enter() {
    let semaphore = cores.state.withLock { state in
      state.shares.request(model).map { state.semaphore(of: $0) }
    }
    semaphore?.wait()
  }

  /// Takes a core if one is idle, and returns whether it did; if so, the caller has to `leave`.
  func tryEnter() -> Bool {
    cores.state.withLock { state in
      guard state.shares.idleCores > 0 else { return false }
      return state.shares.request(model) == nil
    }
  }

  /// Records that a worker has computed for `seconds`, and blocks it until it may go on.
  func goOn(after seconds: Double) {
    let (own, next) = cores.state.withLock { state -> (DispatchSemaphore?, DispatchSemaphore?) in
      let (waiter, next) = state.shares.goOn(model, after: seconds)
      guard waiter != next else { return (nil, nil) }
      return (state.semaphore(of: waiter), state.semaphores.removeValue(forKey: next))
    }
    next?.signal()
    own?.wait()
  }

  /// Records that a worker has computed for `seconds`, and takes its core back.
  func leave(after seconds: Double) {
    let semaphore = cores.state.withLock { state in
      state.shares.release(model, after: seconds).flatMap {
        state.semaphores.removeValue(forKey: $0)
      }
    }
    semaphore?.signal()
  }

  /// Whether any other engine computes or waits for a core.
  var isShared: Bool { cores.state.withLock { $0.shares.isShared(by: model) } }
}
