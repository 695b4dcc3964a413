/// The questions that a session store has not answered yet, each under a number of its own and with a deadline: a store
/// that hangs must not hold up its requests.
struct PendingStoreRequests: Sendable {
  /// A question that the store has not answered yet.
  struct Question: Sendable {
    /// Whether the question looks sessions up; if not, it moves them.
    let isFetch: Bool
    let deadline: ContinuousClock.Instant
    /// The refusal to send at the deadline.
    let late: SessionRefusal
    /// Tells the request that waits why there is no answer.
    let refuse: @Sendable (SessionRefusal) -> Void

    func giveUp() { refuse(late) }
  }

  /// How long a store may take to answer.
  static let patience = Duration.seconds(5)
  /// The refusal for a request whose moves the store has not answered by then.
  static let lateMove = SessionRefusal.store(
    .unsure(reason: "no answer for \(patience.components.seconds) s"))

  private var questions: [UInt64: Question] = [:]

  var isEmpty: Bool { questions.isEmpty }

  mutating func insert(_ question: Question, _ number: UInt64) { questions[number] = question }

  /// Removes a question, as the request that waits is about to be told; nil if none waits any more.
  mutating func remove(_ number: UInt64) -> Question? { questions.removeValue(forKey: number) }

  mutating func removeLate(now: ContinuousClock.Instant) -> [Question] {
    removeAll { $0.deadline <= now }
  }

  mutating func removeFetches() -> [Question] { removeAll(where: \.isFetch) }

  private mutating func removeAll(where isGone: (Question) -> Bool) -> [Question] {
    let gone = questions.filter { isGone($0.value) }
    for number in gone.keys { questions[number] = nil }
    return Array(gone.values)
  }
}
