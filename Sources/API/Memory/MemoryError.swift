import Serving

/// Why a request, or its answer, does not fit into memory. Cases carry facts; `sentence` words them.
enum MemoryError: Error, Equatable, Sendable {
  /// The answer would be longer than `max_answer_bytes`.
  case answerTooLarge(bytes: Int, limit: Int)
  /// The request does not fit now, beside the memory that others hold.
  case full(bytes: Int, limit: Int)
  /// The request would not fit even alone; `limit` is the most memory that one request may take.
  case tooSmall(bytes: Int, limit: Int)
}

extension MemoryError: FaultSource {
  var kind: Fault.Kind {
    switch self {
    case .full: .tooManyRequests
    case .answerTooLarge, .tooSmall: .tooLarge
    }
  }

  var sentence: String {
    switch self {
    case .answerTooLarge(let bytes, let limit):
      "the answer would take up to \(bytes) bytes, at most \(limit) are allowed (max_answer_bytes)"
    case .full(let bytes, let limit):
      "the request would take up to \(bytes) bytes of memory, more than others leave of \(limit) now (max_memory_bytes)"
    case .tooSmall(let bytes, let limit):
      "the request would take up to \(bytes) bytes of memory beside its body, at most \(limit) are there for that (max_memory_bytes)"
    }
  }
}
