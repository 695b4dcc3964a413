/// The syntax of TorchScript's serialized code, a subset of Python.
enum ScriptSyntax {
  indirect enum Expression: Equatable {
    case name(String)
    case int(Int)
    case float(Double)
    case text(String)
    case bool(Bool)
    case none
    case list([Expression])
    case tuple([Expression])
    case attribute(Expression, String)
    case element(Expression, Expression)
    case call(Expression, [Expression], [Keyword])
    /// `{"key": value}`
    case dictionary([Keyword])
    /// An expression whose value is not needed, such as a dictionary of other keys.
    case other(String)
  }

  struct Keyword: Equatable {
    let name: String
    let value: Expression
  }

  struct Statement: Equatable {
    /// The line in the file.
    let line: Int
    let kind: Kind
  }

  indirect enum Kind: Equatable {
    case assign([String], Expression)
    case expression(Expression)
    case `return`(Expression?)
    case `if`(Expression, then: [Statement], else: [Statement])
    /// `for name in range(count):`
    case loop(name: String, count: Expression, body: [Statement])
    case pass
    /// `self.name = …`
    case setAttribute(String)
    /// Another loop, or another unsupported statement, with its first word.
    case control(String)
  }

  struct Function: Equatable {
    let name: String
    let line: Int
    let parameters: [Parameter]
    /// The type of the result, without spaces; empty if there is none.
    let result: String
    let body: [Statement]
  }

  struct Parameter: Equatable {
    let name: String
    /// The type's text, without spaces.
    let type: String
    let fallback: Expression?
  }

  struct Class: Equatable {
    let name: String
    /// Attributes whose values are in the code (`Final`).
    var constants: [String: Expression] = [:]
    var methods: [String: Function] = [:]
  }

  struct File: Equatable {
    var classes: [String: Class] = [:]
    var functions: [String: Function] = [:]
  }
}

extension ScriptSyntax.Function {
  /// Whether it takes no tensors and no module and answers nothing, so that all it can do is raise an error.
  var onlyChecks: Bool {
    result == "NoneType"
      && parameters.allSatisfy { parameter in
        ["int", "float", "bool", "str", "List[int]", "List[float]"].contains(parameter.type)
      }
  }
}

extension ScriptSyntax.Statement {
  /// Whether it does nothing, or only warns.
  var isIdle: Bool {
    switch kind {
    case .pass: true
    case .expression(.call(.attribute(.name("torch"), "warn"), _, _)): true
    default: false
    }
  }

  /// The number of values into which the result of an assignment is unpacked, there or in the statement behind it:
  /// `_1 = torch.split(x, 3, 1)` and `a, b, = _1`; nil if it is not.
  func partCount(unpackedIn next: ScriptSyntax.Statement?) -> Int? {
    guard case .assign(let names, _) = kind else { return nil }
    if names.count > 1 { return names.count }
    guard case .assign(let parts, .name(let name))? = next?.kind, names == [name], parts.count > 1
    else { return nil }
    return parts.count
  }

  /// Whether the block raises an error.
  var raises: Bool {
    if case .expression(let expression) = kind { expression.raises } else { false }
  }
}

extension ScriptSyntax.Expression {
  /// `ops.prim.RaiseException(…)`
  var raises: Bool {
    guard case .call(.attribute(.attribute(.name("ops"), "prim"), "RaiseException"), _, _) = self
    else { return false }
    return true
  }
}

/// An error about unsupported code, with its line.
struct ScriptError: Error, Equatable {
  let line: Int
  let problem: String
}
