/// The members of an answer to each sequence.
package struct AnswerMembers: OptionSet, Sendable {
  package let rawValue: Int

  package init(rawValue: Int) { self.rawValue = rawValue }

  /// The outputs' numbers.
  package static let outputs = AnswerMembers(rawValue: 1)
  /// The labels that outputs are decoded to.
  package static let labels = AnswerMembers(rawValue: 2)
  package static let scores = AnswerMembers(rawValue: 4)
  /// The errors of outputs that reconstruct an input.
  package static let errors = AnswerMembers(rawValue: 8)
  /// The quantiles of a forecast.
  package static let quantiles = AnswerMembers(rawValue: 16)

  package static let all: AnswerMembers = [.outputs, .labels, .scores, .errors, .quantiles]

  /// The members by their names in an answer.
  package static let named: [(name: String, member: AnswerMembers)] = [
    ("outputs", .outputs), ("labels", .labels), ("scores", .scores),
    ("errors", .errors), ("quantiles", .quantiles),
  ]
}
