/// The members of one object by name, in whatever order they came.
///
/// `Failure` is the caller's error type, made from `JSONMemberError`. Everything is inlinable, so that the caller's module
/// specialises the code for its `Failure`: unspecialised generic code costs a short request half a microsecond.
package struct JSONMembers<Failure: JSONMemberFailure> {
  /// What to do with members whose names are not expected.
  package enum Others {
    case refused
    /// Ignores them, as the schema lets clients add members. An unexpected name is refused all the same if it is a
    /// likely misspelling of a member that is absent: else the client's member would be ignored in silence.
    case allowed
  }

  package let document: JSONDocument
  /// The path of the object in the document, for errors; nil for the root.
  @usableFromInline let path: String?
  @usableFromInline let names: [String]
  /// The members found. A list, as there are few of them as a rule.
  @usableFromInline var found: [(name: String, node: Int)] = []
  /// The names of the first ignored members, for errors.
  @usableFromInline var others: [String] = []

  /// The most ignored members that an error names.
  @inlinable static var maxReportedOthers: Int { 5 }
  /// The most unexpected names that are compared with the expected ones.
  @inlinable static var maxCompared: Int { 100 }
  /// The shortest expected name, in bytes, that another name can be a misspelling of: short names are near to many words.
  @inlinable static var minCorrectedBytes: Int { 5 }

  /// Finds the members of the object at `node` that are in `names`.
  @inlinable package init(
    _ names: [String], others: Others, at node: Int = 0, of document: JSONDocument,
    path: String? = nil
  ) throws(Failure) {
    self.document = document
    self.path = path
    self.names = names
    let long = others == .allowed ? names.filter { $0.utf8.count >= Self.minCorrectedBytes } : []
    var otherCount = 0
    var misspelt: [(found: String, meant: String)] = []
    var name = node + 1
    for _ in 0..<document.count(node) {
      let found = document.string(name)
      if names.contains(found) {
        guard given(found) == nil else { throw Failure(.duplicate(path: self.path(of: found))) }
        self.found.append((found, name + 1))
      } else if others == .refused {
        throw Failure(.unknown(found, path: path, known: names))
      } else {
        if self.others.count < Self.maxReportedOthers { self.others.append(found) }
        otherCount += 1
        if otherCount <= Self.maxCompared, let meant = nearestName(to: found, among: long) {
          misspelt.append((found, meant))
        }
      }
      name = document.next(name + 1)
    }
    for (found, meant) in misspelt where given(meant) == nil {
      throw Failure(.unknown(found, path: path, known: names))
    }
  }

  /// The member's path in the document, for an error.
  @inlinable package func path(of name: String) -> String { path.map { "\($0).\(name)" } ?? name }

  /// The node of an optional member; nil where the member is absent or null, which mean the same.
  @inlinable package subscript(name: String) -> Int? {
    given(name).flatMap { document.kind($0) == .null ? nil : $0 }
  }

  /// The node of a required member; throws where the member is absent.
  @inlinable package func node(_ name: String) throws(Failure) -> Int {
    guard let node = given(name) else {
      throw Failure(.missing(path: path(of: name), others: others))
    }
    return node
  }

  /// The node of a member, which may be null; nil where the member is absent.
  @inlinable package func given(_ name: String) -> Int? {
    assert(names.contains(name), "no member \(name)")
    for index in found.indices where found[index].name == name { return found[index].node }
    return nil
  }

  /// The value of a required string.
  @inlinable package func string(_ name: String) throws(Failure) -> String {
    try string(at: try node(name), name)
  }

  /// The value of an optional string; nil where the member is absent or null.
  @inlinable package func optionalString(_ name: String) throws(Failure) -> String? {
    guard let node = self[name] else { return nil }
    return try string(at: node, name)
  }

  /// The exact value of an optional whole number within `bounds`; nil where the member is absent or null.
  @inlinable package func integer<Integer: FixedWidthInteger>(
    _ name: String, in bounds: ClosedRange<Integer>
  ) throws(Failure) -> Integer? {
    guard let node = self[name] else { return nil }
    guard document.kind(node) == .number, let number = document.integer(node, as: Integer.self),
      bounds.contains(number)
    else {
      throw unexpected(
        node, name, .integer(UInt64(bounds.lowerBound)...UInt64(bounds.upperBound)))
    }
    return number
  }

  /// The value of an optional boolean; nil where the member is absent or null.
  @inlinable package func boolean(_ name: String) throws(Failure) -> Bool? {
    guard let node = self[name] else { return nil }
    guard case .boolean(let value) = document.found(node) else {
      throw unexpected(node, name, .boolean)
    }
    return value
  }

  @inlinable package func string(at node: Int, _ name: String) throws(Failure) -> String {
    guard document.kind(node) == .string else {
      throw unexpected(node, name, .string)
    }
    return document.string(node)
  }

  @inlinable package func unexpected(
    _ node: Int, _ name: String, _ expected: JSONMemberError.Expectation
  ) -> Failure {
    Failure(.unexpected(path: path(of: name), found: document.found(node), expected: expected))
  }
}
