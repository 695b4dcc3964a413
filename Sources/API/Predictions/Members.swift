/// The members of a body, found by name: they come in any order, so all are found before any is read.
struct Members {
  let document: JSONDocument
  private let known: [String]
  private var nodes: [Int?]

  /// - Parameter known: the names that there are.
  init(_ document: JSONDocument, known: [String]) throws(APIError) {
    self.document = document
    self.known = known
    nodes = Array(repeating: nil, count: known.count)
    var node = 1
    for _ in 0..<document.count(0) {
      let name = document.string(node)
      guard let index = known.firstIndex(of: name) else {
        throw .unknown(name, path: nil, known: known)
      }
      guard nodes[index] == nil else { throw .duplicate(path: name) }
      nodes[index] = node + 1
      node = document.next(node + 1)
    }
  }

  /// The node of the member called `name`, which is one of those known; nil where the body has none.
  subscript(name: String) -> Int? {
    guard let index = known.firstIndex(of: name) else { preconditionFailure("no member \(name)") }
    return nodes[index]
  }

  /// The model that the body or else the path names, or the default one.
  func model(path: String?, models: ModelCatalogue) throws(APIError) -> ServedModel {
    guard let node = self["model"] else {
      if let path { return try models.model(path) }
      guard let defaultModel = models.defaultModel else { throw .noModels }
      return defaultModel
    }
    guard document.kind(node) == .string else {
      throw .unexpected(path: "model", found: document.found(node), expected: .string)
    }
    let name = document.string(node)
    if let path, path != name { throw .otherModel(inPath: path, inBody: name) }
    return try models.model(name)
  }

  /// What `timeout_ms` asks for.
  func timeout() throws(APIError) -> Duration? {
    try integer("timeout_ms", in: ServiceSettings.timeoutMilliseconds).map { .milliseconds($0) }
  }

  /// A whole number within bounds; nil where there is none.
  func integer(_ name: String, in bounds: ClosedRange<Int>) throws(APIError) -> Int? {
    guard let node = self[name] else { return nil }
    guard case .number(let number) = document.found(node), let integer = Int(exactly: number),
      bounds.contains(integer)
    else {
      throw .unexpected(path: name, found: document.found(node), expected: .integer(bounds))
    }
    return integer
  }

  /// A number that `isRight` admits; nil where there is none.
  func number(
    _ name: String, expected: APIError.Expectation, _ isRight: (Double) -> Bool
  ) throws(APIError) -> Double? {
    guard let node = self[name] else { return nil }
    guard case .number(let number) = document.found(node), isRight(number) else {
      throw .unexpected(path: name, found: document.found(node), expected: expected)
    }
    return number
  }

  /// True or false; nil where there is neither.
  func boolean(_ name: String) throws(APIError) -> Bool? {
    guard let node = self[name] else { return nil }
    guard case .boolean(let value) = document.found(node) else {
      throw .unexpected(path: name, found: document.found(node), expected: .boolean)
    }
    return value
  }
}
