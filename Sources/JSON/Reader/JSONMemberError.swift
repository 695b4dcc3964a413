/// Why an object's members are not those that are read.
package enum JSONMemberError: Error, Equatable, Sendable {
  /// `others` are names of members that nothing reads, the first few.
  case missing(path: String, others: [String])
  /// A name that is not among `known`; `path` is the object's, nil for the document itself.
  case unknown(String, path: String?, known: [String])
  case duplicate(path: String)
  case unexpected(path: String, found: JSONDocument.Found, expected: Expectation)

  /// What would have been right.
  package enum Expectation: Equatable, Sendable {
    case string
    case boolean
    /// A whole number within bounds.
    case integer(ClosedRange<UInt64>)
  }
}

/// The errors of whoever reads members: made from those of `JSONMembers` in one place.
package protocol JSONMemberFailure: Error {
  init(_ error: JSONMemberError)
}

extension JSONMemberError: JSONMemberFailure {
  package init(_ error: JSONMemberError) { self = error }
}
