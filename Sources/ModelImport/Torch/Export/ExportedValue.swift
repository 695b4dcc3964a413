import JSON

/// A JSON value of an exported program.
struct ExportedValue {
  private let json: JSONValue

  /// Parses a record of an archive.
  init(_ records: ZipRecords, _ record: String) throws(ImportError) {
    let bytes = try records.content(record)
    do { json = try JSONParser.parse(bytes) } catch {
      throw ImportError(file: records.path, place: record, problem: error.description)
    }
  }

  private init(_ json: JSONValue) { self.json = json }

  /// The member of an object; nil if there is none, or the value is no object.
  subscript(key: String) -> ExportedValue? {
    guard case .object(let members) = json else { return nil }
    return members.last { $0.key == key }.map { ExportedValue($0.value) }
  }

  var members: [(String, ExportedValue)] {
    guard case .object(let members) = json else { return [] }
    return members.map { ($0.key, ExportedValue($0.value)) }
  }

  /// The only member of an object, which is how unions are encoded.
  var sole: (String, ExportedValue)? { members.count == 1 ? members[0] : nil }

  /// An array's elements; empty for other values.
  var elements: [ExportedValue] {
    if case .array(let elements) = json { elements.map { ExportedValue($0) } } else { [] }
  }

  /// A string's text.
  var text: String? { if case .string(let text) = json { text } else { nil } }

  var int: Int? {
    if case .number(let text) = json { Int(text).map(SourceTensor.integer) } else { nil }
  }

  /// PyTorch writes what JSON has no numbers for as texts.
  var double: Double? {
    switch json {
    case .number(let text): Double(text)
    case .string("Infinity"): .infinity
    case .string("-Infinity"): -.infinity
    case .string("NaN"): .nan
    default: nil
    }
  }

  var isTrue: Bool { if case .bool(true) = json { true } else { false } }
}
