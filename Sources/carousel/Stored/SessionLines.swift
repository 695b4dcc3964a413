import FoundationEssentials
import Glibc
import JSON
import Scheduling
import Serving
import SessionStores

/// Sessions as lines of JSON: a head line, then one line for each session.
///
/// The head is `{"carousel_sessions": 1}`, a session's line `{"model": "…", "id": "…", "version": 3, "steps": 24,
/// "created": …, "used": …, "state": "…"}`. `model` is the model's fingerprint; `version` counts how often the session
/// was advanced, and `steps` the steps that it has made; `created` and `used` are when it began and was last used, in
/// milliseconds since 1970; `state` has the floats of its state in base64, 4 bytes each, little-endian.
enum SessionLines {
  /// The first line.
  static let head = "{\"carousel_sessions\": 1}"
  /// The most bytes of a line.
  static let maxLineBytes = 256 << 20

  static func line(_ session: StoredSession) -> String {
    var state = Data(capacity: 4 * (session.floats?.count ?? 0))
    for float in session.floats ?? [] {
      for shift in stride(from: 0, to: 32, by: 8) {
        state.append(UInt8(truncatingIfNeeded: float.bitPattern >> UInt32(shift)))
      }
    }
    return """
      {"model": \(session.key.model.jsonText), "id": \(session.key.id.jsonText), "version": \(session.version), \
      "steps": \(session.steps), "created": \(session.created), "used": \(session.used), \
      "state": "\(state.base64EncodedString())"}
      """
  }

  /// Reads the session of a line.
  static func session(_ line: [UInt8], number: Int) throws(CarouselError) -> StoredSession {
    let reader = Reader(number: number, members: try members(of: line, number: number))
    try reader.checkNames()
    let model = try reader.text("model", bounds: 1...256)
    let id = try reader.text("id", bounds: 1...1024)
    guard SessionUse.isID(id) else {
      throw reader.failure(
        "id", "1 to \(SessionUse.maxIDLength) letters, digits and - . _ ~ :, but neither . nor ..")
    }
    let floats = try reader.floats("state")
    let steps = try reader.integer("steps", from: 1)
    let version = try reader.integer("version", from: 1)
    let created = try reader.integer("created", from: 0)
    return StoredSession(
      key: .init(model: model, id: id), version: version, steps: steps, created: created,
      used: try reader.integer("used", from: 0), floats: floats)
  }

  static func checkHead(_ line: [UInt8]?) throws(CarouselError) {
    guard let line else {
      throw .refused(reason: "line 1: found nothing, expected \(head) and a line for each session")
    }
    let found = (try? members(of: line, number: 1))?["carousel_sessions"]
    if case .number(let layout)? = found, layout != "1" {
      throw .refused(
        reason:
          "line 1: carousel_sessions: found \(layout), which another version of carousel wrote, expected 1"
      )
    }
    guard found == .number("1") else {
      throw .refused(
        reason:
          "line 1: found another beginning, expected \(head), as carousel sessions export prints")
    }
  }

  private static func members(
    of line: [UInt8], number: Int
  ) throws(CarouselError) -> [String: JSONValue] {
    let value: JSONValue
    do { value = try JSONParser.parse(line) } catch {
      // The parser sees this line alone, so that its errors say line 1.
      let problem = "\(error)"
      let first = "line 1, "
      throw .refused(
        reason: problem.hasPrefix(first)
          ? "line \(number), \(problem.dropFirst(first.count))" : "line \(number): \(problem)")
    }
    guard case .object(let members) = value else {
      throw .refused(reason: "line \(number): found \(value.kind), expected an object")
    }
    return Dictionary(members.map { ($0.key, $0.value) }, uniquingKeysWith: { first, _ in first })
  }

  /// Reads the members of a line; errors name the line and the member.
  private struct Reader {
    let number: Int
    let members: [String: JSONValue]

    func failure(_ name: String, _ expected: String, found: String? = nil) -> CarouselError {
      .refused(
        reason: "line \(number): \(name): found \(found ?? text(of: name)), expected \(expected)")
    }

    /// A member's value as an error quotes it: its text if that is short, else its kind and size.
    private func text(of name: String) -> String {
      guard let value = members[name] else { return "nothing" }
      let text = value.text
      return text.utf8.count <= 100 ? text : "\(value.kind) of \(text.utf8.count) bytes"
    }

    func checkNames() throws(CarouselError) {
      let names = ["model", "id", "version", "steps", "created", "used", "state"]
      if let other = members.keys.sorted().first(where: { !names.contains($0) }) {
        throw .refused(
          reason:
            "line \(number): found \(other.jsonText), expected \(names.joined(separator: ", ")) and no other"
        )
      }
    }

    func text(_ name: String, bounds: ClosedRange<Int>) throws(CarouselError) -> String {
      guard case .string(let text)? = members[name], bounds.contains(text.utf8.count) else {
        throw failure(name, "a text of \(bounds.lowerBound) to \(bounds.upperBound) bytes")
      }
      return text
    }

    func integer(_ name: String, from least: Int) throws(CarouselError) -> Int {
      guard case .number(let text)? = members[name], let value = Int(text),
        value >= least, value <= 1 << 62
      else { throw failure(name, "a whole number from \(least) to \(1 << 62)") }
      return value
    }

    func floats(_ name: String) throws(CarouselError) -> [Float] {
      let expected = "the state's floats in base64, 4 bytes each"
      guard case .string(let text)? = members[name] else { throw failure(name, expected) }
      guard let bytes = Data(base64Encoded: text) else {
        throw failure(name, expected, found: "a text of \(text.utf8.count) bytes that is no base64")
      }
      guard !bytes.isEmpty, bytes.count.isMultiple(of: 4) else {
        throw failure(name, expected, found: "\(bytes.count) bytes")
      }
      let floats = stride(from: 0, to: bytes.count, by: 4).map { start in
        var bits: UInt32 = 0
        for index in 0..<4 { bits |= UInt32(bytes[start + index]) << UInt32(8 * index) }
        return Float(bitPattern: bits)
      }
      if let place = floats.firstIndex(where: { !$0.isFinite }) {
        throw failure(name, "finite floats", found: "\(floats[place]) as float \(place)")
      }
      return floats
    }
  }
}

/// Reads standard input line by line, or another file.
final class LineReader {
  private let descriptor: Int32
  private var buffer: [UInt8] = []
  private var isAtEnd = false
  /// The lines read.
  private(set) var count = 0

  init(_ descriptor: Int32 = STDIN_FILENO) { self.descriptor = descriptor }

  /// The next line without its end; nil after the last.
  func next() throws(CarouselError) -> [UInt8]? {
    var searched = 0
    while true {
      if let end = buffer[searched...].firstIndex(of: UInt8(ascii: "\n")) {
        let line = Array(buffer[..<end])
        buffer.removeSubrange(...end)
        count += 1
        return line
      }
      searched = buffer.count
      guard buffer.count <= SessionLines.maxLineBytes else {
        throw .refused(
          reason:
            "line \(count + 1): found more than \(SessionLines.maxLineBytes) bytes, expected a session"
        )
      }
      guard !isAtEnd else {
        guard !buffer.isEmpty else { return nil }
        defer { buffer = [] }
        count += 1
        return buffer
      }
      try fill()
    }
  }

  private func fill() throws(CarouselError) {
    var chunk = [UInt8](repeating: 0, count: 1 << 16)
    // SAFETY: the call writes at most `chunk.count` bytes from the start of `chunk`.
    let found = unsafe chunk.withUnsafeMutableBytes {
      unsafe read(descriptor, $0.baseAddress, $0.count)
    }
    guard found >= 0 || errno == EINTR else { throw .file(path: "-", code: errno) }
    isAtEnd = found == 0
    buffer += chunk[..<max(0, found)]
  }
}
