import Inference
import Synchronization

/// The sequences of one request: answered together, once.
final class RiderGroup: Sendable {
  typealias Completion = @Sendable (Result<[Prediction], Refusal>) -> Void

  private struct State {
    var predictions: [Prediction?]
    var remaining: Int
    var completion: Completion?
  }

  private let state: Mutex<State>

  init(count: Int, completion: @escaping Completion) {
    state = Mutex(
      State(
        predictions: Array(repeating: nil, count: count), remaining: count,
        completion: completion))
  }

  /// Whether the request was answered, or refused.
  var isCompleted: Bool { state.withLock { $0.completion == nil } }

  /// Records the prediction of one sequence; the last one completes the request.
  func finish(_ index: Int, with prediction: Prediction) {
    let complete =
      state.withLock { state in
        state.predictions[index] = prediction
        state.remaining -= 1
        guard state.remaining == 0, let completion = state.completion else { return nil }
        state.completion = nil
        return (completion, state.predictions.compactMap(\.self))
      } as (Completion, [Prediction])?
    if let (completion, predictions) = complete { completion(.success(predictions)) }
  }

  /// Completes the request without predictions; returns false where it was complete.
  @discardableResult
  func refuse(_ refusal: Refusal) -> Bool {
    let completion = state.withLock { state in
      defer { state.completion = nil }
      return state.completion
    }
    completion?(.failure(refusal))
    return completion != nil
  }
}
