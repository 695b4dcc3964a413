import JSON
import Serving

extension JSONDocument {
  /// The number of steps to forecast that `node`, at `path`, asks for: 1 to `limit`, which is `max_horizon`.
  func horizon(_ node: Int, path: String, limit: Int) throws(Fault) -> Int {
    try stepCount(node, path: path, limit: limit, setting: "max_horizon")
  }

  /// The number of steps that `node`, at `path`, asks for: 1 to `limit`, which comes from `setting`.
  func stepCount(
    _ node: Int, path: String, limit: Int, setting: String
  ) throws(Fault) -> Int {
    guard kind(node) == .number, let steps = integer(node), steps >= 1 else {
      throw Fault(
        BodyError.unexpected(
          path: path, found: found(node), expected: .integer(1...UInt64(limit))))
    }
    guard steps <= limit else {
      throw Fault(
        InputsError.tooMany(.steps, path: path, found: steps, limit: limit, setting: setting))
    }
    return steps
  }
}
