/// Splits TorchScript's code into words, numbers, strings and signs, with the indentation of each line.
struct ScriptLexer {
  enum Token: Equatable {
    case word(String)
    case int(Int)
    case float(Double)
    case text(String)
    case sign(UInt8)
    /// `->`
    case arrow
    /// The end of a line, outside of brackets.
    case lineEnd
    /// The indentation of a line, before its first token.
    case indent(Int)
    case end
  }

  struct Place: Equatable {
    let token: Token
    let line: Int
  }

  /// A limit above the tokens of any model's code.
  private static let maxTokens = 2_000_000

  private let bytes: [UInt8]
  private var at = 0
  private var line = 1
  private var brackets = 0

  static func tokens(_ bytes: [UInt8]) throws(ScriptError) -> [Place] {
    var lexer = ScriptLexer(bytes: bytes)
    var places: [Place] = []
    while true {
      try lexer.next(into: &places)
      guard places.count <= maxTokens else {
        throw ScriptError(line: lexer.line, problem: "the code is longer than \(maxTokens) words")
      }
      if places.last?.token == .end { return places }
    }
  }

  private init(bytes: [UInt8]) { self.bytes = bytes }

  private var current: UInt8? { at < bytes.count ? bytes[at] : nil }

  private mutating func next(into places: inout [Place]) throws(ScriptError) {
    let isLineStart = brackets == 0 && (places.isEmpty || places.last?.token == .lineEnd)
    var spaces = 0
    while let byte = current, byte == 0x20 || byte == 0x0D || byte == 0x09 {
      spaces += 1
      at += 1
    }
    guard let byte = current else {
      if !isLineStart { places.append(Place(token: .lineEnd, line: line)) }
      places.append(Place(token: .end, line: line))
      return
    }
    if byte == UInt8(ascii: "#") {
      while let byte = current, byte != 0x0A {
        _ = byte
        at += 1
      }
      return
    }
    if byte == 0x0A {
      at += 1
      line += 1
      if brackets == 0, !isLineStart { places.append(Place(token: .lineEnd, line: line - 1)) }
      return
    }
    if isLineStart { places.append(Place(token: .indent(spaces), line: line)) }
    places.append(Place(token: try token(byte), line: line))
  }

  private mutating func token(_ byte: UInt8) throws(ScriptError) -> Token {
    if Self.isLetter(byte) { return .word(word()) }
    if Self.isDigit(byte) { return try number() }
    if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'") { return .text(try text(byte)) }
    at += 1
    switch byte {
    case UInt8(ascii: "("), UInt8(ascii: "["), UInt8(ascii: "{"): brackets += 1
    case UInt8(ascii: ")"), UInt8(ascii: "]"), UInt8(ascii: "}"): brackets = max(0, brackets - 1)
    case UInt8(ascii: "-") where current == UInt8(ascii: ">"):
      at += 1
      return .arrow
    default: break
    }
    return .sign(byte)
  }

  private static func isLetter(_ byte: UInt8) -> Bool {
    (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte) || byte == 0x5F || byte >= 0x80
  }

  private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }

  private mutating func word() -> String {
    let start = at
    while let byte = current, Self.isLetter(byte) || Self.isDigit(byte) { at += 1 }
    return String(decoding: bytes[start..<at], as: UTF8.self)
  }

  /// `12`, `12.`, `0.5`, `1.0000000000000001e-05`.
  private mutating func number() throws(ScriptError) -> Token {
    let start = at
    var isFloat = false
    while let byte = current {
      if byte == UInt8(ascii: ".") || byte == UInt8(ascii: "e") || byte == UInt8(ascii: "E") {
        isFloat = true
      } else if byte == UInt8(ascii: "-") || byte == UInt8(ascii: "+") {
        guard bytes[at - 1] | 0x20 == UInt8(ascii: "e") else { break }
      } else if !Self.isDigit(byte) {
        break
      }
      at += 1
    }
    let text = String(decoding: bytes[start..<at], as: UTF8.self)
    if !isFloat, let value = Int(text) { return .int(SourceTensor.integer(value)) }
    guard let value = Double(text.hasSuffix(".") ? text + "0" : text) else {
      throw ScriptError(line: line, problem: "\"\(text.prefix(40))\" is no number")
    }
    return .float(value)
  }

  private mutating func text(_ quote: UInt8) throws(ScriptError) -> String {
    at += 1
    var content: [UInt8] = []
    while let byte = current, byte != quote {
      guard byte != 0x0A else { break }
      at += 1
      if byte == UInt8(ascii: "\\"), let escaped = current {
        at += 1
        content.append(escaped == UInt8(ascii: "n") ? 0x0A : escaped)
      } else {
        content.append(byte)
      }
    }
    guard current == quote else { throw ScriptError(line: line, problem: "a string has no end") }
    at += 1
    return String(decoding: content, as: UTF8.self)
  }
}
