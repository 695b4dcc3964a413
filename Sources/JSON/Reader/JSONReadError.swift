import CSimdJSON

/// Why bytes can't be read as a JSON object.
package enum JSONReadError: Error, Equatable, Sendable {
  /// The text is empty or white space.
  case empty
  case outOfMemory
  case invalidUTF8
  /// A string holds a control character that is not escaped.
  case controlCharacter
  /// The text ends inside a string, an array or an object.
  case incomplete(offset: Int)
  case syntax(offset: Int, path: String, found: String)
  /// More text follows the object, from `offset`.
  case trailing(offset: Int, found: String)
  /// The text begins as something other than an object.
  case notObject(found: String)
  case tooDeep(path: String, limit: Int)
  /// NaN, an infinity, or a number beyond the range of a float (outside arrays: of a double).
  case notFinite(path: String, found: String)
  /// Something other than a number after numbers of the same array.
  case mixed(path: String, found: String)

  init(_ status: csj_status, maxDepth: Int, offset: Int, path: String, found: String) {
    self =
      switch status {
      case .ok: preconditionFailure("a document that was read is no error")
      case .empty: .empty
      case .too_large, .out_of_memory: .outOfMemory
      case .not_utf8: .invalidUTF8
      case .control_character: .controlCharacter
      case .incomplete: .incomplete(offset: offset)
      case .syntax: .syntax(offset: offset, path: path, found: found)
      case .trailing: .trailing(offset: offset, found: found)
      case .not_object: .notObject(found: found)
      case .too_deep: .tooDeep(path: path, limit: maxDepth)
      case .not_finite: .notFinite(path: path, found: found)
      case .mixed: .mixed(path: path, found: found)
      }
  }
}
