/// Where the members of one object stand, by name, so that they may come in any order.
///
/// Members of other names are passed over: this reads schemas that let clients add some.
struct JSONMembers {
  private let document: JSONDocument
  /// The object's own place; nil for the document itself.
  private let path: String?
  private var nodes: [String: Int] = [:]

  /// Finds the members of the object at `node` that are in `names`.
  init(
    _ names: [String], at node: Int, of document: JSONDocument, path: String? = nil
  ) throws(APIError) {
    self.document = document
    self.path = path
    var name = node + 1
    for _ in 0..<document.count(node) {
      let found = document.string(name)
      if names.contains(found), nodes.updateValue(name + 1, forKey: found) != nil {
        throw .duplicate(path: self.path(of: found))
      }
      name = document.next(name + 1)
    }
  }

  /// The member's place in the body, for an error.
  func path(of name: String) -> String { path.map { "\($0).\(name)" } ?? name }

  /// The node of a member that has to be there.
  func node(_ name: String) throws(APIError) -> Int {
    guard let node = nodes[name] else { throw .missing(path: path(of: name)) }
    return node
  }

  /// The node of a member that may be absent or null.
  func optional(_ name: String) -> Int? {
    nodes[name].flatMap { document.kind($0) == .null ? nil : $0 }
  }

  /// The string that a member has to be.
  func string(_ name: String) throws(APIError) -> String {
    try string(at: try node(name), name)
  }

  /// The string that a member is where it is neither absent nor null.
  func optionalString(_ name: String) throws(APIError) -> String? {
    guard let node = optional(name) else { return nil }
    return try string(at: node, name)
  }

  private func string(at node: Int, _ name: String) throws(APIError) -> String {
    guard document.kind(node) == .string else {
      throw .unexpected(path: path(of: name), found: document.found(node), expected: .string)
    }
    return document.string(node)
  }
}
