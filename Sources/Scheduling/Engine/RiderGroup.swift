import Inference
import Synchronization

/// The sequences of one request: answered together, once.
final class RiderGroup: Sendable {
  typealias Completion = @Sendable (Result<[Prediction], Refusal>) -> Void

  /// A complete answer, to be delivered to whoever made the request.
  struct Answer: Sendable {
    let predictions: [Prediction]
    fileprivate let completion: Completion

    /// How many numbers the answer has, those of states included.
    var numberCount: Int {
      predictions.reduce(0) { count, prediction in
        prediction.outputs.reduce(count + (prediction.state?.floats.count ?? 0)) {
          $0 + $1.values.count
        }
      }
    }

    func deliver() { completion(.success(predictions)) }
  }

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

  /// Records the prediction of one sequence. With the last one the request is complete: returns the answer, for the
  /// caller to deliver.
  func finish(_ index: Int, with prediction: Prediction) -> Answer? {
    state.withLock { state in
      state.predictions[index] = prediction
      state.remaining -= 1
      guard state.remaining == 0, let completion = state.completion else { return nil }
      state.completion = nil
      return Answer(
        predictions: state.predictions.compactMap(\.self), completion: completion)
    }
  }

  /// Completes the request without predictions; returns false if it was complete already.
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
