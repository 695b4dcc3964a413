import JSON
import Scheduling
import Serving

/// Decodes the `session` member of a body: which sessions a request uses, and how.
struct SessionDecoder {
  let document: JSONDocument

  private static let members = ["id", "begin", "fork", "replace", "at", "end", "wait"]
  /// The steps that a session may have: numbers that JSON readers hold exactly.
  private static let steps = 0...(1 << 53)

  /// Returns one use per sequence, nil for a sequence without a session. The body has a session for a single sequence,
  /// or an array of sessions for an array of sequences.
  func decode(_ node: Int, for inputs: InputBatch) throws(Fault) -> [SessionUse?] {
    guard inputs.isArray else { return [try use(node, "session")] }
    let count = inputs.sequences.count
    guard document.kind(node) == .array, document.count(node) == count else {
      throw Fault(
        BodyError.unexpected(
          path: "session", found: document.found(node), expected: .sessions(count)))
    }
    var uses: [SessionUse?] = []
    var places: [String: Int] = [:]
    var element = node + 1
    for index in 0..<count {
      let use = try use(element, "session[\(index)]")
      if let use, let place = places.updateValue(index, forKey: use.id) {
        throw Fault(
          SessionError.twice(id: use.id, path: "session[\(index)]", other: "session[\(place)]"))
      }
      uses.append(use)
      element = document.next(element)
    }
    return uses
  }

  private func use(_ node: Int, _ path: String) throws(Fault) -> SessionUse? {
    switch document.kind(node) {
    case .null: return nil
    case .string: return SessionUse(opening: .init(try id(node, path)))
    case .object: return try members(of: node, path)
    case .false, .true, .number, .numbers, .array:
      throw Fault(
        BodyError.unexpected(path: path, found: document.found(node), expected: .sessions(nil)))
    }
  }

  private func members(of node: Int, _ path: String) throws(Fault) -> SessionUse {
    let members = try BodyMembers(
      Self.members, others: .refused, at: node, of: document, path: path)
    let name = try id(try members.node("id"), members.path(of: "id"))
    let begins = try members.boolean("begin") ?? false
    var way = begins ? SessionTable.Opening.Way.begin : .resume
    if let source = members["fork"] {
      guard !begins else { throw Fault(SessionError.forkThatBegins(path: path)) }
      way = .fork(from: try id(source, members.path(of: "fork")))
    }
    let replaces = try members.boolean("replace") ?? false
    guard !replaces || way != .resume else {
      throw Fault(SessionError.replaceWithoutBegin(path: path))
    }
    let at = try members.integer("at", in: Self.steps)
    guard at == nil || way != .begin else { throw Fault(SessionError.atThatBegins(path: path)) }
    return SessionUse(
      opening: .init(name, way, at: at, replaces: replaces),
      ends: try members.boolean("end") ?? false,
      waits: try members.boolean("wait") ?? false)
  }

  private func id(_ node: Int, _ path: String) throws(Fault) -> String {
    guard document.kind(node) == .string, SessionUse.isID(document.string(node)) else {
      throw Fault(
        BodyError.unexpected(path: path, found: document.found(node), expected: .sessionID))
    }
    return document.string(node)
  }
}
