/// Where the members of one object stand, by name, so that they may come in any order.
///
/// `Failure` is the error type of its caller, made from its own errors. All is inlinable, so that the caller's module compiles
/// it for its `Failure`; generic code would cost a short request half a microsecond.
package struct JSONMembers<Failure: JSONMemberFailure> {
  /// How members of other names are treated.
  package enum Others {
    case refused
    /// Passed over: the schema lets clients add some. One whose name is a slip away from that of a member that is missing
    /// is refused all the same: it would be ignored, and its client not told.
    case allowed
  }

  package let document: JSONDocument
  /// The object's own place; nil for the document itself.
  @usableFromInline let path: String?
  @usableFromInline let names: [String]
  /// The members that are there: few as a rule, however many there may be.
  @usableFromInline var found: [(name: String, node: Int)] = []
  /// Names of members that are passed over, the first few.
  @usableFromInline var others: [String] = []

  /// Members that are passed over and that an error may name.
  @inlinable static var maxOthers: Int { 5 }
  /// Members whose names are compared with those that are known.
  @inlinable static var maxCompared: Int { 100 }
  /// The characters of a name from which on another one is taken for it: short words are near to many.
  @inlinable static var minMisspelt: Int { 5 }

  /// Finds the members of the object at `node` that are in `names`.
  @inlinable package init(
    _ names: [String], others: Others, at node: Int = 0, of document: JSONDocument,
    path: String? = nil
  ) throws(Failure) {
    self.document = document
    self.path = path
    self.names = names
    let long = others == .allowed ? names.filter { $0.utf8.count >= Self.minMisspelt } : []
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
        if self.others.count < Self.maxOthers { self.others.append(found) }
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

  /// The member's place in the body, for an error.
  @inlinable package func path(of name: String) -> String { path.map { "\($0).\(name)" } ?? name }

  /// The node of a member that may be left out; nil where it is absent or null, which mean the same.
  @inlinable package subscript(name: String) -> Int? {
    given(name).flatMap { document.kind($0) == .null ? nil : $0 }
  }

  /// The node of a member that has to be there.
  @inlinable package func node(_ name: String) throws(Failure) -> Int {
    guard let node = given(name) else {
      throw Failure(.missing(path: path(of: name), others: others))
    }
    return node
  }

  /// The node of a member, null or not; nil where there is none.
  @inlinable package func given(_ name: String) -> Int? {
    assert(names.contains(name), "no member \(name)")
    for index in found.indices where found[index].name == name { return found[index].node }
    return nil
  }

  /// The string that a member has to be.
  @inlinable package func string(_ name: String) throws(Failure) -> String {
    try string(at: try node(name), name)
  }

  /// The string that a member is where it is neither absent nor null.
  @inlinable package func optionalString(_ name: String) throws(Failure) -> String? {
    guard let node = self[name] else { return nil }
    return try string(at: node, name)
  }

  /// A whole number within bounds, read to the last digit; nil where there is none.
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

  /// True or false; nil where there is neither.
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
