/// The open questions whether a connection's peer is still there. For each, a byte was sent to the peer: its kernel
/// acknowledges the byte, or answers with a reset if the peer has closed.
///
/// The kernel does not notify of acknowledgements, so the loop looks for them.
struct PresenceQuestions {
  typealias Answer = @Sendable (_ isPresent: Bool) -> Void

  private struct Question {
    /// How many bytes of the connection, in all, have to be acknowledged.
    let count: Int
    /// When the question was asked, in nanoseconds.
    let since: Int
    var delay = PresenceQuestions.firstDelay
    var nextLook: Int
    let answer: Answer
  }

  private var questions: [Question] = []

  /// The time until the loop first looks for an acknowledgement, in nanoseconds; it doubles each time, up to `maxDelay`.
  private static let firstDelay = 500_000
  private static let maxDelay = 32_000_000

  /// When the loop looks for acknowledgements next; `.max` when there are no questions.
  var deadline: Int { questions.lazy.map(\.nextLook).min() ?? .max }

  /// Adds a question, which is answered once the peer has acknowledged `count` bytes in all.
  mutating func ask(count: Int, now: Int, _ answer: @escaping Answer) {
    questions.append(
      Question(count: count, since: now, nextLook: now + Self.firstDelay, answer: answer))
  }

  /// Whether a question has waited longer than `window` nanoseconds.
  func isOverdue(now: Int, window: Int) -> Bool { questions.contains { now - $0.since > window } }

  /// Removes the questions that `count` acknowledged bytes answer, and returns the functions to call: the peer is there.
  mutating func takeAcknowledged(_ count: Int, now: Int) -> [Answer] {
    let answers = questions.filter { $0.count <= count }.map(\.answer)
    questions.removeAll { $0.count <= count }
    for index in questions.indices where questions[index].nextLook <= now {
      questions[index].delay = min(2 * questions[index].delay, Self.maxDelay)
      questions[index].nextLook = now + questions[index].delay
    }
    return answers
  }

  /// Removes all questions, and returns the functions to call.
  mutating func takeAll() -> [Answer] {
    defer { questions = [] }
    return questions.map(\.answer)
  }
}
