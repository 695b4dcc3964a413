/// Why an object's members are not the expected ones.
package enum JSONMemberError: Error, Equatable, Sendable {
  /// A required member is absent; `others` are the names of the first ignored members.
  case missing(path: String, others: [String])
  /// A name that is not among `known`; `path` is the object's, nil for the root.
  case unknown(String, path: String?, known: [String])
  case duplicate(path: String)
  case unexpected(path: String, found: JSONDocument.Found, expected: Expectation)

  /// The value that was expected.
  package enum Expectation: Equatable, Sendable {
    case string
    case boolean
    /// A whole number within bounds.
    case integer(ClosedRange<UInt64>)
  }
}

/// An error type that can carry the errors of `JSONMembers`.
package protocol JSONMemberFailure: Error {
  init(_ error: JSONMemberError)
}

extension JSONMemberError: JSONMemberFailure {
  package init(_ error: JSONMemberError) { self = error }
}
