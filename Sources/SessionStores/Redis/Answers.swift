import Scheduling
import Synchronization

/// The answers to several questions, told once all have come.
final class Answers<Value: Sendable>: Sendable {
  typealias Completion = @Sendable (Result<[Value], SessionStoreProblem>) -> Void

  private let state: Mutex<(values: [Value?], left: Int, problem: SessionStoreProblem?)>
  private let completion: Completion

  init(count: Int, completion: @escaping Completion) {
    state = Mutex((Array(repeating: nil, count: count), count, nil))
    self.completion = completion
  }

  func note(_ index: Int, _ result: Result<Value, SessionStoreProblem>) {
    let whole = state.withLock { state -> Result<[Value], SessionStoreProblem>? in
      switch result {
      case .success(let value): state.values[index] = value
      case .failure(let problem): state.problem = problem
      }
      state.left -= 1
      guard state.left == 0 else { return nil }
      return state.problem.map { .failure($0) } ?? .success(state.values.compactMap { $0 })
    }
    if let whole { completion(whole) }
  }
}
