import JSON

/// A JSON value with its path (`nodes[2].inputs[0]`), which errors name.
struct JSONField {
  let path: String
  let value: JSONValue

  init(path: String, value: JSONValue) {
    self.path = path
    self.value = value
  }

  /// The root of a document. Syntax errors become `ModelError`s here.
  init(document bytes: [UInt8], path: String = "") throws(ModelError) {
    do { self.init(path: path, value: try JSONParser.parse(bytes)) } catch {
      throw .syntax(error)
    }
  }

  /// An object's fields; throws if a key is not among `known`.
  func object(known: [String]) throws(ModelError) -> JSONObject {
    let object = try object()
    for key in object.keys where !known.contains(key) {
      throw .unknownKey(key, path: path, known: known)
    }
    return object
  }

  /// An object's fields, with any keys.
  func object() throws(ModelError) -> JSONObject {
    guard case .object(let members) = value else { throw unexpected("an object") }
    return JSONObject(path: path, members: members)
  }

  func array() throws(ModelError) -> [JSONField] {
    guard case .array(let elements) = value else { throw unexpected("an array") }
    return elements.enumerated().map { JSONField(path: "\(path)[\($0.offset)]", value: $0.element) }
  }

  func string() throws(ModelError) -> String {
    guard case .string(let text) = value else { throw unexpected("a string") }
    return text
  }

  func strings() throws(ModelError) -> [String] {
    var texts: [String] = []
    for element in try array() { texts.append(try element.string()) }
    return texts
  }

  func bool() throws(ModelError) -> Bool {
    guard case .bool(let value) = value else { throw unexpected("true or false") }
    return value
  }

  /// A whole number of at least 0, written without point or exponent.
  func count() throws(ModelError) -> Int {
    guard case .number(let text) = value, let count = Int(text), count >= 0 else {
      throw unexpected("a whole number of 0 or more")
    }
    return count
  }

  /// A whole number, written without point or exponent.
  func integer() throws(ModelError) -> Int {
    guard case .number(let text) = value, let number = Int(text) else {
      throw unexpected("a whole number")
    }
    return number
  }

  /// An array of whole numbers; a single number counts as an array of one.
  func integers() throws(ModelError) -> [Int] {
    if case .number = value { return [try integer()] }
    guard case .array = value else { throw unexpected("a whole number or an array of them") }
    var numbers: [Int] = []
    for element in try array() { numbers.append(try element.integer()) }
    return numbers
  }

  /// The float nearest to the number; throws if the number is beyond the range of a float.
  func float() throws(ModelError) -> Float {
    guard case .number(let text) = value, let number = Float(text), number.isFinite else {
      throw unexpected("a number within a float's range")
    }
    return number
  }

  /// An array of numbers; a single number counts as an array of one.
  func floats() throws(ModelError) -> [Float] {
    if case .number = value { return [try float()] }
    guard case .array = value else { throw unexpected("a number or an array of numbers") }
    var numbers: [Float] = []
    for element in try array() { numbers.append(try element.float()) }
    return numbers
  }

  /// The error that this value is not what was expected.
  func unexpected(_ expected: String) -> ModelError {
    .unexpected(path: path, found: value.kind, expected: expected)
  }
}

/// The fields of a JSON object.
struct JSONObject {
  let path: String
  private let members: [JSONValue.Member]

  init(path: String, members: [JSONValue.Member]) {
    self.path = path
    self.members = members
  }

  var keys: [String] { members.map(\.key) }

  /// Each field, in the order of the file.
  var fields: [(key: String, field: JSONField)] {
    members.map { ($0.key, JSONField(path: path(to: $0.key), value: $0.value)) }
  }

  /// The field at `key`; nil if it is absent.
  subscript(key: String) -> JSONField? {
    members.first { $0.key == key }.map { JSONField(path: path(to: key), value: $0.value) }
  }

  /// The field at `key`; throws if it is absent.
  func required(_ key: String, expected: String) throws(ModelError) -> JSONField {
    guard let field = self[key] else {
      throw .unexpected(path: path(to: key), found: "nothing", expected: expected)
    }
    return field
  }

  private func path(to key: String) -> String { path.isEmpty ? key : "\(path).\(key)" }
}
