/// Those who wait to hear whether a connection's peer is there: a byte was sent to it, which it acknowledges, or its kernel
/// answers with a reset.
///
/// The kernel tells nobody that an acknowledgement has come, so it is looked for.
struct PresenceQuestions {
  typealias Answer = @Sendable (_ isPresent: Bool) -> Void

  private struct Question {
    /// How many bytes have to be acknowledged.
    let count: Int
    let since: Int
    var delay = PresenceQuestions.firstDelay
    var nextLook: Int
    let answer: Answer
  }

  private var questions: [Question] = []

  /// An acknowledgement is looked for so soon, and then after twice as long each time.
  private static let firstDelay = 500_000
  private static let maxDelay = 32_000_000

  /// When it is to be looked for next; `.max` where nobody waits.
  var deadline: Int { questions.lazy.map(\.nextLook).min() ?? .max }

  /// Has `answer` called once the peer has acknowledged `count` bytes in all.
  mutating func ask(count: Int, now: Int, _ answer: @escaping Answer) {
    questions.append(
      Question(count: count, since: now, nextLook: now + Self.firstDelay, answer: answer))
  }

  /// Whether somebody has waited for `window` or longer.
  func isOverdue(now: Int, window: Int) -> Bool { questions.contains { now - $0.since > window } }

  /// Takes out those who are to be told that the peer is there: it has acknowledged `count` bytes.
  mutating func takeAcknowledged(_ count: Int, now: Int) -> [Answer] {
    let answers = questions.filter { $0.count <= count }.map(\.answer)
    questions.removeAll { $0.count <= count }
    for index in questions.indices where questions[index].nextLook <= now {
      questions[index].delay = min(2 * questions[index].delay, Self.maxDelay)
      questions[index].nextLook = now + questions[index].delay
    }
    return answers
  }

  /// Takes out everybody.
  mutating func takeAll() -> [Answer] {
    defer { questions = [] }
    return questions.map(\.answer)
  }
}
