/// Parses a file of TorchScript's serialized code: classes with their methods, and functions.
struct ScriptParser {
  private let places: [ScriptLexer.Place]
  private var at = 0
  /// The depth of nested expressions and blocks.
  private var depth = 0

  private static let maxDepth = 200

  static func parse(_ bytes: [UInt8]) throws(ScriptError) -> ScriptSyntax.File {
    var parser = ScriptParser(places: try ScriptLexer.tokens(bytes))
    var file = ScriptSyntax.File()
    while case .indent(let indent) = parser.token {
      parser.at += 1
      if parser.skip("class") {
        let found = try parser.classDefinition(indent)
        file.classes[found.name] = found
      } else if parser.skip("def") {
        let function = try parser.function(indent)
        file.functions[function.name] = function
      } else {
        parser.skipLine()
      }
    }
    return file
  }

  private init(places: [ScriptLexer.Place]) { self.places = places }

  // MARK: Tokens

  private var token: ScriptLexer.Token { places[min(at, places.count - 1)].token }
  private var line: Int { places[min(at, places.count - 1)].line }

  private mutating func skip(_ word: String) -> Bool {
    guard token == .word(word) else { return false }
    at += 1
    return true
  }

  private mutating func skip(sign: Unicode.Scalar) -> Bool {
    guard token == .sign(UInt8(ascii: sign)) else { return false }
    at += 1
    return true
  }

  private mutating func expect(_ sign: Unicode.Scalar) throws(ScriptError) {
    guard skip(sign: sign) else { throw failure("expected '\(sign)'") }
  }

  private mutating func name() throws(ScriptError) -> String {
    guard case .word(let name) = token else { throw failure("expected a name") }
    at += 1
    return name
  }

  private func failure(_ problem: String) -> ScriptError {
    ScriptError(line: line, problem: problem)
  }

  private mutating func skipLine() {
    while token != .lineEnd, token != .end { at += 1 }
    if token == .lineEnd { at += 1 }
  }

  private mutating func nested<Value>(
    _ body: (inout ScriptParser) throws(ScriptError) -> Value
  ) throws(ScriptError) -> Value {
    depth += 1
    // What fails within a class's constants is passed over.
    defer { depth -= 1 }
    guard depth <= Self.maxDepth else { throw failure("more than \(Self.maxDepth) levels") }
    return try body(&self)
  }

  // MARK: Definitions

  private mutating func classDefinition(_ indent: Int) throws(ScriptError) -> ScriptSyntax.Class {
    var result = ScriptSyntax.Class(name: try name())
    skipLine()
    while case .indent(let inner) = token, inner > indent {
      at += 1
      if skip("def") {
        let method = try function(inner)
        result.methods[method.name] = method
        continue
      }
      // name : Final[int] = 5
      if case .word(let name) = token {
        at += 1
        if skip(sign: ":") {
          _ = type(until: ["="])
          if skip(sign: "="), let value = try? expression() { result.constants[name] = value }
        }
      }
      skipLine()
    }
    return result
  }

  private mutating func function(_ indent: Int) throws(ScriptError) -> ScriptSyntax.Function {
    let start = line
    let name = try name()
    try expect("(")
    var parameters: [ScriptSyntax.Parameter] = []
    while !skip(sign: ")") {
      let parameter = try self.name()
      let type = skip(sign: ":") ? self.type(until: [",", "=", ")"]) : ""
      let fallback = skip(sign: "=") ? try expression() : nil
      parameters.append(.init(name: parameter, type: type, fallback: fallback))
      if !skip(sign: ",") {
        try expect(")")
        break
      }
    }
    let result = token == .arrow ? type(until: [":"]).replacing("->", with: "") : ""
    try expect(":")
    return .init(
      name: name, line: start, parameters: parameters, result: result, body: try block(indent))
  }

  /// The text of a type, up to one of the signs outside its brackets.
  private mutating func type(until ends: [Unicode.Scalar]) -> String {
    var text = ""
    var brackets = 0
    while true {
      switch token {
      case .lineEnd, .end, .indent: return text
      case .sign(let byte):
        let sign = Unicode.Scalar(byte)
        if brackets == 0, ends.contains(sign) { return text }
        if "[({".unicodeScalars.contains(sign) { brackets += 1 }
        if "])}".unicodeScalars.contains(sign) { brackets -= 1 }
        text.unicodeScalars.append(sign)
      case .word(let word): text += word
      case .int(let value): text += "\(value)"
      case .text(let value): text += "\"\(value)\""
      case .arrow: text += "->"
      case .float: break
      }
      at += 1
    }
  }

  // MARK: Statements

  private mutating func block(_ indent: Int) throws(ScriptError) -> [ScriptSyntax.Statement] {
    try nested { parser throws(ScriptError) in
      guard parser.token == .lineEnd else { throw parser.failure("expected a line's end") }
      parser.at += 1
      var statements: [ScriptSyntax.Statement] = []
      while case .indent(let inner) = parser.token, inner > indent {
        parser.at += 1
        let line = parser.line
        statements.append(.init(line: line, kind: try parser.statement(inner)))
      }
      return statements
    }
  }

  private mutating func statement(_ indent: Int) throws(ScriptError) -> ScriptSyntax.Kind {
    if skip("return") {
      let value = token == .lineEnd ? nil : try expressions()
      skipLine()
      return .return(value)
    }
    if skip("pass") {
      skipLine()
      return .pass
    }
    if skip("if") {
      let condition = try expression()
      try expect(":")
      let then = try block(indent)
      var otherwise: [ScriptSyntax.Statement] = []
      if case .indent(indent) = token, at + 1 < places.count, places[at + 1].token == .word("else")
      {
        at += 2
        try expect(":")
        otherwise = try block(indent)
      }
      return .if(condition, then: then, else: otherwise)
    }
    if let loop = countedLoop(indent) { return loop }
    if case .word(let word) = token, ["for", "while", "with", "raise", "assert"].contains(word) {
      // The body is skipped.
      skipLine()
      while case .indent(let inner) = token, inner > indent { skipLine() }
      return .control(word)
    }
    let first = try expressions()
    guard skip(sign: "=") else {
      // An annotation: `x: Tensor = …`.
      if skip(sign: ":") {
        _ = type(until: ["="])
        if skip(sign: "="), case .name(let name) = first {
          let value = try expressions()
          skipLine()
          return .assign([name], value)
        }
      }
      skipLine()
      return .expression(first)
    }
    let value = try expressions()
    guard token == .lineEnd else { throw failure("expected a line's end") }
    skipLine()
    switch first {
    case .name(let name): return .assign([name], value)
    case .attribute(_, let name): return .setAttribute(name)
    case .tuple(let elements):
      let names = elements.compactMap { element -> String? in
        if case .name(let name) = element { name } else { nil }
      }
      guard names.count == elements.count else {
        for case .attribute(_, let name) in elements { return .setAttribute(name) }
        throw failure("expected names before '='")
      }
      return .assign(names, value)
    case .element: return .control("an assignment to an element")
    default: throw failure("expected a name before '='")
    }
  }

  /// `for name in range(count):`; nil where something else stands.
  private mutating func countedLoop(_ indent: Int) -> ScriptSyntax.Kind? {
    let start = at
    if skip("for"), let name = try? name(), skip("in"), skip("range"), skip(sign: "("),
      let count = try? expressions(closing: ")"), count.count == 1, skip(sign: ":"),
      let body = try? block(indent)
    {
      return .loop(name: name, count: count[0], body: body)
    }
    at = start
    return nil
  }

  /// One expression, or a tuple: `a, b,`.
  private mutating func expressions() throws(ScriptError) -> ScriptSyntax.Expression {
    let first = try expression()
    guard token == .sign(UInt8(ascii: ",")) else { return first }
    var elements = [first]
    while skip(sign: ",") {
      if token == .lineEnd || token == .sign(UInt8(ascii: "=")) { break }
      elements.append(try expression())
    }
    return .tuple(elements)
  }

  // MARK: Expressions

  private mutating func expression() throws(ScriptError) -> ScriptSyntax.Expression {
    try nested { parser throws(ScriptError) in
      var value = try parser.operand()
      // Each is applied to all before it, and so a level more.
      for _ in 0..<Self.maxDepth {
        if parser.skip(sign: ".") {
          value = .attribute(value, try parser.name())
        } else if parser.skip(sign: "(") {
          let (arguments, keywords) = try parser.arguments()
          value = .call(value, arguments, keywords)
        } else if parser.skip(sign: "[") {
          let index = try parser.expressions(closing: "]")
          value = .element(value, index.count == 1 ? index[0] : .tuple(index))
        } else {
          return value
        }
      }
      throw parser.failure("more than \(Self.maxDepth) levels")
    }
  }

  private mutating func operand() throws(ScriptError) -> ScriptSyntax.Expression {
    switch token {
    case .int(let value):
      at += 1
      return .int(value)
    case .float(let value):
      at += 1
      return .float(value)
    case .text(let value):
      at += 1
      return .text(value)
    case .word(let word):
      at += 1
      switch word {
      case "True": return .bool(true)
      case "False": return .bool(false)
      case "None": return .none
      default: return .name(word)
      }
    case .sign(UInt8(ascii: "-")):
      at += 1
      switch token {
      case .int(let value):
        at += 1
        return .int(-value)
      case .float(let value):
        at += 1
        return .float(-value)
      case .word("inf"):
        at += 1
        return .float(-.infinity)
      default: throw failure("expected a number behind '-'")
      }
    case .sign(UInt8(ascii: "[")):
      at += 1
      return .list(try expressions(closing: "]"))
    case .sign(UInt8(ascii: "(")):
      at += 1
      let start = at
      let elements = try expressions(closing: ")")
      let isTuple = elements.count != 1 || places[at - 2].token == .sign(UInt8(ascii: ","))
      return isTuple && at > start ? .tuple(elements) : elements[0]
    case .sign(UInt8(ascii: "{")):
      at += 1
      if let entries = entries() { return .dictionary(entries) }
      var brackets = 1
      while brackets > 0 {
        if token == .sign(UInt8(ascii: "{")) { brackets += 1 }
        if token == .sign(UInt8(ascii: "}")) { brackets -= 1 }
        if token == .end { throw failure("expected '}'") }
        at += 1
      }
      return .other("a dictionary")
    default: throw failure("expected a value")
    }
  }

  /// The rest of a dictionary whose keys are texts; nil for another.
  private mutating func entries() -> [ScriptSyntax.Keyword]? {
    let start = at
    var entries: [ScriptSyntax.Keyword] = []
    while case .text(let key) = token {
      at += 1
      guard skip(sign: ":"), let value = try? expression() else { break }
      entries.append(.init(name: key, value: value))
      if skip(sign: "}") { return entries }
      guard skip(sign: ",") else { break }
      if skip(sign: "}") { return entries }
    }
    at = start
    return nil
  }

  private mutating func expressions(
    closing end: Unicode.Scalar
  ) throws(ScriptError) -> [ScriptSyntax.Expression] {
    var elements: [ScriptSyntax.Expression] = []
    while !skip(sign: end) {
      elements.append(try expression())
      if !skip(sign: ",") {
        try expect(end)
        break
      }
    }
    return elements
  }

  private mutating func arguments() throws(ScriptError) -> (
    [ScriptSyntax.Expression], [ScriptSyntax.Keyword]
  ) {
    var arguments: [ScriptSyntax.Expression] = []
    var keywords: [ScriptSyntax.Keyword] = []
    while !skip(sign: ")") {
      if case .word(let name) = token, at + 1 < places.count,
        places[at + 1].token == .sign(UInt8(ascii: "="))
      {
        at += 2
        keywords.append(.init(name: name, value: try expression()))
      } else {
        arguments.append(try expression())
      }
      if !skip(sign: ",") {
        try expect(")")
        break
      }
    }
    return (arguments, keywords)
  }
}
