import HTTPCore
import JSON
import Scheduling
import Serving

/// Reserves memory for requests before they use it, and refuses requests that do not fit.
struct AnswerBudget: Sendable {
  /// Counts the memory that the process holds for clients.
  private let memory: MemoryBudget
  private let maxAnswerBytes: Int
  private let maxDecodingOperations: Int
  /// The number of requests refused because of `max_answer_bytes`.
  let refusedAnswers = Counter()

  init(memory: MemoryBudget, settings: ServiceSettings) {
    self.memory = memory
    maxAnswerBytes = settings.maxAnswerBytes
    maxDecodingOperations = settings.maxDecodingOperations
  }

  /// Reserves the memory for reading the body of `call`.
  func reserveReading(of call: Call) throws(Fault) -> MemoryReservation {
    try reserve(JSONReadingSize.byteCount(of: call.exchange.request.body), for: call)
  }

  /// Resizes the reservation of a request whose body has been read to the memory of its sequences and its answer.
  ///
  /// - Throws: if the answer would be longer than `max_answer_bytes`, if finding its labels would take more work than
  ///   `max_decoding_operations`, or if it does not fit into memory.
  func admit(
    _ size: AnswerSize, inputBytes: Int, into reservation: MemoryReservation, for call: Call
  ) throws(Fault) {
    guard size.textBytes <= maxAnswerBytes else {
      refusedAnswers.add()
      throw Fault(MemoryError.answerTooLarge(bytes: size.textBytes, limit: maxAnswerBytes))
    }
    guard size.decodingOperations <= maxDecodingOperations else {
      throw Fault(
        DecodingWorkError(operations: size.decodingOperations, limit: maxDecodingOperations))
    }
    try resize(reservation, to: inputBytes + size.heldBytes, for: call)
  }

  /// Reserves `bytes` until `call` is answered.
  func reserve(_ bytes: Int, for call: Call) throws(Fault) -> MemoryReservation {
    let account = call.exchange.connection?.memory ?? MemoryAccount(memory)
    guard let reservation = account.reserve(bytes) else { throw full(bytes, for: call) }
    call.exchange.keep(reservation)
    return reservation
  }

  private func resize(
    _ reservation: MemoryReservation, to bytes: Int, for call: Call
  ) throws(Fault) {
    guard reservation.resize(to: bytes) else { throw full(bytes, for: call) }
  }

  /// The fault for `bytes` that do not fit beside the request itself: now, or ever.
  private func full(_ bytes: Int, for call: Call) -> Fault {
    let largest = memory.largestReservation(beside: call.exchange.request.heldBytes)
    return bytes > largest
      ? Fault(MemoryError.tooSmall(bytes: bytes, limit: largest))
      : Fault(MemoryError.full(bytes: bytes, limit: memory.limit))
  }
}
