/// What an answer has of its predictions.
package struct AnswerMembers: OptionSet, Sendable {
  package let rawValue: Int

  package init(rawValue: Int) { self.rawValue = rawValue }

  /// The numbers.
  package static let outputs = AnswerMembers(rawValue: 1)
  /// What outputs are decoded to.
  package static let labels = AnswerMembers(rawValue: 2)
  package static let scores = AnswerMembers(rawValue: 4)
  /// How far off outputs that reconstruct an input are.
  package static let errors = AnswerMembers(rawValue: 8)
  /// The quantiles of a forecast.
  package static let quantiles = AnswerMembers(rawValue: 16)

  package static let all: AnswerMembers = [.outputs, .labels, .scores, .errors, .quantiles]

  /// The members by the names that they have in an answer.
  package static let named: [(name: String, member: AnswerMembers)] = [
    ("outputs", .outputs), ("labels", .labels), ("scores", .scores),
    ("errors", .errors), ("quantiles", .quantiles),
  ]
}
