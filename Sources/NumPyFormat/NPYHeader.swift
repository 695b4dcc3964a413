import ModelFormat

/// A .npy file's header: the literal of a Python dictionary with three keys
/// (NumPy Enhancement Proposal 1).
package struct NPYHeader: Sendable, Equatable {
  package let elementType: ElementType
  package let shape: [Int]

  /// Whether the first axis varies fastest (Fortran order).
  package let isFortran: Bool

  /// The most axes of an array; more than any input or weight has.
  static let maxAxes = 8

  /// - Parameters:
  ///   - text: the header's bytes, padding included.
  ///   - offset: the offset of `text` in the file, for errors.
  package init(_ text: ArraySlice<UInt8>, offset: Int) throws(NumPyError) {
    var scanner = NPYHeaderScanner(text, offset: offset)
    var elementType: ElementType?
    var isFortran = false
    var shape: [Int]?
    var keys: Set<String> = []
    try scanner.expect("{")
    while !scanner.skip("}") {
      let key = try scanner.string()
      guard keys.insert(key).inserted else { throw scanner.failure(.key(key)) }
      try scanner.expect(":")
      switch key {
      case "descr":
        let name = try scanner.string()
        elementType = ElementType(numpy: name)
        if elementType == nil { throw scanner.failure(.elementType(name)) }
      case "fortran_order":
        isFortran = try scanner.boolean()
      case "shape":
        shape = try scanner.tuple()
      default:
        throw scanner.failure(.key(key))
      }
      if !scanner.skip(",") {
        try scanner.expect("}")
        break
      }
    }
    try scanner.expectEnd()
    guard let elementType else { throw scanner.failure(.missingKey("descr")) }
    guard let shape else { throw scanner.failure(.missingKey("shape")) }
    guard keys.contains("fortran_order") else {
      throw scanner.failure(.missingKey("fortran_order"))
    }
    guard shape.count <= Self.maxAxes else {
      throw scanner.failure(.tooManyAxes(found: shape.count, limit: Self.maxAxes))
    }
    // An empty array can't be an input. With a shape like (10**15, 0), which takes no bytes, reading the rows would
    // never end.
    guard !shape.contains(0) else { throw scanner.failure(.emptyAxis) }
    self.elementType = elementType
    self.shape = shape
    self.isFortran = isFortran
  }

  /// The shape as NumPy writes it: `(10, 3)`, `(10,)`.
  package var shapeText: String {
    "(\(shape.map { "\($0)" }.joined(separator: ", "))\(shape.count == 1 ? "," : ""))"
  }

  /// For each axis, the distance in elements from one index to the next.
  package var strides: [Int] {
    shape.indices.map { axis in
      (isFortran ? shape[..<axis] : shape[(axis + 1)...]).reduce(1, *)
    }
  }

  /// The number of elements and of their bytes; nil if an Int can't hold them, or the shape is too large for an empty array.
  package var counts: (elements: Int, bytes: Int)? {
    guard let elements = ArrayShape.count(shape) else { return nil }
    let (bytes, overflow) = elements.multipliedReportingOverflow(by: elementType.bits / 8)
    return overflow ? nil : (elements, bytes)
  }
}

extension ElementType {
  /// The type of NumPy's `descr`: byte order (little-endian only), kind, size in bytes. Nil for types that are not
  /// supported.
  package init?(numpy name: String) {
    switch name {
    case "|b1", "<b1": self = .bool
    case "|u1", "<u1": self = .u8
    case "|i1", "<i1": self = .i8
    case "<u2": self = .u16
    case "<u4": self = .u32
    case "<u8": self = .u64
    case "<i2": self = .i16
    case "<i4": self = .i32
    case "<i8": self = .i64
    case "<f2": self = .f16
    case "<f4": self = .f32
    case "<f8": self = .f64
    default: return nil
    }
  }
}

/// Reads the Python literals of a .npy header.
private struct NPYHeaderScanner {
  private var rest: ArraySlice<UInt8>
  private let origin: Int

  init(_ text: ArraySlice<UInt8>, offset: Int) {
    rest = text
    origin = offset - text.startIndex
  }

  func failure(_ problem: NPYProblem) -> NumPyError {
    .npy(offset: origin + rest.startIndex, problem: problem)
  }

  /// Skips white space, then `character`; returns whether `character` was there.
  mutating func skip(_ character: Unicode.Scalar) -> Bool {
    rest = rest.drop { $0 == 0x20 || $0 == 0x09 || $0 == 0x0A }
    guard rest.first.map(Unicode.Scalar.init) == character else { return false }
    rest.removeFirst()
    return true
  }

  mutating func expect(_ character: Unicode.Scalar) throws(NumPyError) {
    guard skip(character) else { throw failure(.syntax(expected: "'\(character)'")) }
  }

  mutating func expectEnd() throws(NumPyError) {
    _ = skip("\n")
    guard rest.isEmpty else { throw failure(.syntax(expected: "the header's end")) }
  }

  /// Reads a string in single or double quotes, of printable ASCII without escapes.
  mutating func string() throws(NumPyError) -> String {
    let quote: UInt8
    if skip("'") {
      quote = UInt8(ascii: "'")
    } else if skip("\"") {
      quote = UInt8(ascii: "\"")
    } else {
      throw failure(.syntax(expected: "a string"))
    }
    let text = rest.prefix { $0 != quote && $0 >= 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "\\") }
    rest = rest[text.endIndex...]
    guard rest.first == quote else { throw failure(.syntax(expected: "a closing quote")) }
    rest.removeFirst()
    return String(decoding: text, as: UTF8.self)
  }

  mutating func boolean() throws(NumPyError) -> Bool {
    _ = skip(" ")
    for (word, value) in [("True", true), ("False", false)] where rest.starts(with: word.utf8) {
      rest = rest.dropFirst(word.utf8.count)
      return value
    }
    throw failure(.syntax(expected: "True or False"))
  }

  /// Reads a tuple of lengths: `()`, `(3,)`, `(3, 4)`.
  mutating func tuple() throws(NumPyError) -> [Int] {
    var numbers: [Int] = []
    try expect("(")
    while !skip(")") {
      let digits = rest.prefix { $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }
      guard !digits.isEmpty, let number = Int(String(decoding: digits, as: UTF8.self)) else {
        throw failure(.syntax(expected: "a length"))
      }
      numbers.append(number)
      rest = rest[digits.endIndex...]
      if !skip(",") {
        try expect(")")
        break
      }
    }
    return numbers
  }
}
