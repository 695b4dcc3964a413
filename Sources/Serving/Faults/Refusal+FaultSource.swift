import Scheduling

/// The engine's refusals as faults.
extension Refusal: FaultSource {
  package var kind: Fault.Kind {
    switch self {
    case .draining, .cancelled: .unavailable
    case .queueFull, .stepsFull, .deadlineOutOfReach: .tooManyRequests
    case .deadlinePassed: .timedOut
    case .tooLarge: .tooLarge
    }
  }

  /// Known only if the engine promised a place, or if another process is expected. Nobody knows when other clients will have
  /// read their answers or ended their sessions, and so released memory.
  package var retryAfterSeconds: Int? {
    if self == .draining { return Fault.secondsToOtherProcess }
    return secondsUntilRoom.map { Swift.max(1, Int($0.rounded(.up))) }
  }

  package var sentence: String {
    switch self {
    case .draining: "the server is about to stop"
    case .queueFull(let queued, let arriving, let limit, _):
      "the queue is full: \(queued) sequences wait, \(arriving) more would exceed \(limit), with the places promised to others (max_queued_sequences)"
    case .stepsFull(let queued, let arriving, let limit, _):
      "the queue is full: \(queued) steps wait, \(arriving) more would exceed \(limit), with the places promised to others (max_queued_steps)"
    case .tooLarge(let sequences, let sequenceLimit, let steps, let stepLimit):
      sequences > sequenceLimit
        ? "the request has \(sequences) sequences, the queue holds \(sequenceLimit) (max_queued_sequences)"
        : "the request has \(steps) steps, with those that are run again for what is fed back, the queue holds \(stepLimit) (max_queued_steps)"
    case .deadlineOutOfReach(let timeout, let needed, _):
      "the time-out: found \(timeout.milliseconds) ms, expected at least \(needed.milliseconds) for as many as wait at the moment"
    case .deadlinePassed(let timeout): lateSentence(timeout)
    case .cancelled: "the request was cancelled"
    }
  }
}

/// The sentence for an answer that would miss the request's time-out.
package func lateSentence(_ timeout: Duration) -> String {
  "the answer could not be ready within the time-out of \(timeout.milliseconds) ms"
}

extension Duration {
  /// Whole milliseconds, rounded up.
  fileprivate var milliseconds: Int64 {
    Int64(clamping: (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000)
  }
}
