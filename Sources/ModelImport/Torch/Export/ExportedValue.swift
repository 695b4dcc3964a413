import JSON

/// A value of the JSON that an exported program is written in.
struct ExportedValue {
  private let json: JSONValue

  /// The document in a record of an archive.
  init(_ records: ZipRecords, _ record: String) throws(ImportError) {
    let bytes = try records.content(record)
    do { json = try JSONParser.parse(bytes) } catch {
      throw ImportError(file: records.path, place: record, problem: error.description)
    }
  }

  private init(_ json: JSONValue) { self.json = json }

  /// The member of an object; nil where there is none, or no object.
  subscript(key: String) -> ExportedValue? {
    guard case .object(let members) = json else { return nil }
    return members.last { $0.key == key }.map { ExportedValue($0.value) }
  }

  var members: [(String, ExportedValue)] {
    guard case .object(let members) = json else { return [] }
    return members.map { ($0.key, ExportedValue($0.value)) }
  }

  /// The only member of an object, as unions are written.
  var sole: (String, ExportedValue)? { members.count == 1 ? members[0] : nil }

  /// An array's elements; none of anything else.
  var elements: [ExportedValue] {
    if case .array(let elements) = json { elements.map { ExportedValue($0) } } else { [] }
  }

  /// A string's text.
  var text: String? { if case .string(let text) = json { text } else { nil } }

  var int: Int? { if case .number(let text) = json { Int(text) } else { nil } }

  var double: Double? { if case .number(let text) = json { Double(text) } else { nil } }

  var isTrue: Bool { if case .bool(true) = json { true } else { false } }
}
