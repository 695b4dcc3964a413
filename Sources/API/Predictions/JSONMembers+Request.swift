/// The members that every request may have.
extension JSONMembers {
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
}
