/// What the store of sessions has been asked and has not answered yet, each under a number of its own, and how long whoever
/// asked waits for it: a store that hangs must not hold its requests.
struct StoreQuestions: Sendable {
  struct Question: Sendable {
    /// Whether it looks sessions up; else it moves them.
    let isFetch: Bool
    let deadline: ContinuousClock.Instant
    /// What is told at the deadline.
    let late: SessionRefusal
    /// Tells whoever waits why there is no answer.
    let refuse: @Sendable (SessionRefusal) -> Void

    func giveUp() { refuse(late) }
  }

  /// How long a store may take.
  static let patience = Duration.seconds(5)
  /// What whoever asked it for moves is told then.
  static let lateMove = SessionRefusal.store(
    .unsure(reason: "no answer for \(patience.components.seconds) s"))

  private var questions: [UInt64: Question] = [:]

  var isEmpty: Bool { questions.isEmpty }

  mutating func insert(_ question: Question, _ number: UInt64) { questions[number] = question }

  /// Whoever asked is about to be told; nil where nobody waits any more.
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
