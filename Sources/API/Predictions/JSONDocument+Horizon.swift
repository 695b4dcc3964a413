extension JSONDocument {
  /// The steps to forecast that `node`, at `path`, asks for: from 1 to `limit`, which is `max_horizon`.
  func horizon(_ node: Int, path: String, limit: Int) throws(APIError) -> Int {
    let found = found(node)
    guard case .number(let number) = found, let steps = Int(exactly: number), steps >= 1 else {
      throw .unexpected(path: path, found: found, expected: .integer(1...limit))
    }
    guard steps <= limit else {
      throw .tooMany(.steps, path: path, found: steps, limit: limit, setting: "max_horizon")
    }
    return steps
  }
}
