/// Executes TorchScript's code symbolically from its entry: inlines calls of the archive's functions and modules, evaluates
/// conditions that are constant, and makes every other operator a node of a source graph. Tensors are not computed.
struct ScriptExecution {
  private let module: ScriptModule
  private let weights: ScriptWeights
  var translation: AtenTranslation
  private var constants: [PickleGraph.Reference: AtenTensor] = [:]
  /// The path of each module, and of the module whose code is being executed.
  private var modulePaths: [PickleGraph.Reference: String] = [:]
  private var modulePath = ""
  var statements = 0
  /// The lists of the function being executed.
  var lists = ScriptLists()
  private var depth = 0
  private var listRoom = AtenListRoom()

  /// The most statements that are executed, and the most nested calls.
  static let maxStatements = 200_000
  private static let maxDepth = 40

  /// The value of a name.
  enum Value {
    case plain(AtenValue)
    /// A module.
    case object(PickleGraph.Reference)
    /// A function of the archive or an operator, by its full name.
    case callable(String)
  }

  typealias Scope = [String: Value]

  /// How a block ends.
  enum Flow {
    case next
    case returned(Value)
    case raised
  }

  /// The place of a statement.
  struct Place {
    let path: String
    var line: Int
    var text: String { "\(path), line \(line)" }
  }

  init(_ module: ScriptModule, _ weights: ScriptWeights) {
    self.module = module
    self.weights = weights
    translation = AtenTranslation(maxConstants: weights.maxElements, computesLengths: true)
  }

  // MARK: The entry

  /// The source graph of `forward` for inputs of these kinds and sizes, in the order of its parameters.
  static func graph(
    _ module: ScriptModule, _ weights: ScriptWeights, inputs: [SourceGraph.Input]
  ) throws(ImportError) -> SourceGraph {
    var execution = ScriptExecution(module, weights)
    guard let (type, definition) = module.type(of: module.file.root),
      let forward = definition.methods["forward"]
    else {
      throw ImportError(
        file: "", problem: "found no forward in the archive's code",
        remedy: "torch.jit.save(torch.jit.trace(model, (x,)), 'model.pt') writes one")
    }
    var arguments: [Value] = [.object(module.file.root)]
    var rest = inputs[...]
    let place = Place(path: module.path(of: type), line: forward.line)
    for parameter in forward.parameters.dropFirst() {
      switch ScriptInputs.kind(of: parameter) {
      case .tensors(let count, let isTuple):
        let tensors = rest.prefix(count).map {
          AtenValue.tensor(execution.translation.addInput($0))
        }
        rest = rest.dropFirst(count)
        arguments.append(.plain(isTuple ? .list(tensors) : tensors[0]))
      case .fallback(let expression):
        arguments.append(try execution.evaluate(expression, [:], place))
      case .unknown:
        throw ImportError(
          file: "", place: place.text,
          problem:
            "found the parameter \(parameter.name) of type \(parameter.type), expected Tensor",
          remedy: "trace the model with tensors alone: torch.jit.trace(model, (x,))")
      }
    }
    let result = try execution.run(forward, arguments, [:], path: module.path(of: type), at: place)
    try ScriptOutputs.add(result.plain, to: &execution.translation, place: place.text)
    return try execution.translation.finished()
  }

  // MARK: Functions

  private mutating func run(
    _ function: ScriptSyntax.Function, _ arguments: [Value], _ named: [String: Value], path: String,
    at place: Place
  ) throws(ImportError) -> Value {
    depth += 1
    guard depth <= Self.maxDepth else {
      throw ImportError(
        file: "", place: place.text,
        problem: "found more than \(Self.maxDepth) calls within each other")
    }
    let outer = lists
    lists = ScriptLists()
    defer { (depth, lists) = (depth - 1, outer) }
    var scope: Scope = [:]
    for (index, parameter) in function.parameters.enumerated() {
      if index < arguments.count {
        scope[parameter.name] = arguments[index]
      } else if let value = named[parameter.name] {
        scope[parameter.name] = value
      } else if let fallback = parameter.fallback {
        scope[parameter.name] = try evaluate(fallback, [:], place)
      }
    }
    switch try run(function.body, &scope, Place(path: path, line: function.line)) {
    case .returned(let value): return value
    case .next: return .plain(.none)
    case .raised:
      throw ImportError(
        file: "", place: place.text,
        problem: "found that \(function.name) would raise an error for inputs of such sizes")
    }
  }

  mutating func run(
    _ block: [ScriptSyntax.Statement], _ scope: inout Scope, _ start: Place
  ) throws(ImportError) -> Flow {
    var place = start
    for (index, statement) in block.enumerated() {
      place.line = statement.line
      try count(place)
      switch statement.kind {
      case .pass: break
      case .return(let expression):
        guard let expression else { return .returned(.plain(.none)) }
        return .returned(try evaluate(expression, scope, place))
      case .expression(let expression):
        if expression.raises { return .raised }
        if try append(expression, &scope, place) { continue }
        _ = try evaluate(expression, scope, place)
      case .assign(let names, let expression):
        if try append(expression, &scope, place) { continue }
        try assign(
          names, expression, &scope, place,
          resultCount: statement.partCount(unpackedIn: block.dropFirst(index + 1).first))
      case .loop(let name, let count, let body):
        let flow = try loop(name, count, body, &scope, place)
        if case .next = flow { continue }
        return flow
      case .if(let condition, let then, let otherwise):
        let flow: Flow
        let value = try evaluate(condition, scope, place).plain
        if try ScriptBranches.takesFirst(value, then, otherwise, place: place.text) {
          flow = try run(then, &scope, place)
        } else {
          flow = try run(otherwise, &scope, place)
        }
        if case .next = flow { break }
        return flow
      case .setAttribute(let name):
        throw ImportError(
          file: "", place: place.text,
          problem: "found self.\(name) = …: a module that keeps something from call to call",
          remedy:
            "let forward take the state as an argument and return the new one, or take the model as ONNX where its package has it: the state becomes the sequence's"
        )
      case .control(let word):
        throw ImportError(
          file: "", place: place.text, problem: "found \(word): control flow is not carried",
          remedy: Remedy.withoutControl
        )
      }
    }
    return .next
  }

  private mutating func assign(
    _ names: [String], _ expression: ScriptSyntax.Expression, _ scope: inout Scope, _ place: Place,
    resultCount: Int?
  ) throws(ImportError) {
    let value = try evaluate(expression, scope, place, resultCount: resultCount)
    lists.record(names, expression)
    guard names.count > 1 else {
      // `a, = …` unpacks a list of one; a name without comma gets the list.
      scope[names[0]] = value
      return
    }
    guard case .plain(.list(let values)) = value, values.count == names.count else {
      throw ImportError(
        file: "", place: place.text,
        problem:
          "found something else than \(names.count) values for \(names.joined(separator: ", "))")
    }
    for (name, value) in zip(names, values) { scope[name] = .plain(value) }
  }

  // MARK: Expressions

  mutating func evaluate(
    _ expression: ScriptSyntax.Expression, _ scope: Scope, _ place: Place, resultCount: Int? = nil
  ) throws(ImportError) -> Value {
    switch expression {
    case .int(let value): return .plain(.int(value))
    case .float(let value): return .plain(.float(value))
    case .text(let text): return .plain(.text(text))
    case .bool(let value): return .plain(.bool(value))
    case .none: return .plain(.none)
    case .other(let what): return .plain(.other(what))
    case .list(let elements), .tuple(let elements):
      var values: [AtenValue] = []
      for element in elements { values.append(try evaluate(element, scope, place).plain) }
      return .plain(try listRoom.taking(.list(values), place.text))
    case .dictionary(let entries):
      var values: [(key: String, value: AtenValue)] = []
      for entry in entries {
        values.append((entry.name, try evaluate(entry.value, scope, place).plain))
      }
      return .plain(try listRoom.taking(.dictionary(values), place.text))
    case .name(let name):
      if let value = scope[name] { return value }
      if name == "inf" { return .plain(.float(.infinity)) }
      return name == "nan" ? .plain(.float(.nan)) : .callable(name)
    case .attribute(let base, let name):
      switch try evaluate(base, scope, place) {
      case .object(let object): return try attribute(name, of: object, place)
      case .callable("CONSTANTS"): return try constant(name, place)
      case .callable(let path): return .callable("\(path).\(name)")
      case .plain: return .plain(.other(name))
      }
    case .element(let base, let index):
      let value = try evaluate(base, scope, place).plain
      let place = try evaluate(index, scope, place).plain
      if case .dictionary(let entries) = value, case .text(let key) = place {
        return .plain(entries.last { $0.key == key }?.value ?? .other("an element"))
      }
      guard case .list(let values) = value, case .int(let given) = place,
        values.indices.contains(given < 0 ? given + values.count : given)
      else { return .plain(.other("an element")) }
      return .plain(values[given < 0 ? given + values.count : given])
    case .call(let function, let arguments, let keywords):
      return try call(function, arguments, keywords, scope, place, resultCount)
    }
  }

  private mutating func attribute(
    _ name: String, of object: PickleGraph.Reference, _ place: Place
  ) throws(ImportError) -> Value {
    if let reference = module.attribute(name, of: object) {
      let value = try value(of: reference, name, place)
      if case .object(let part) = value, modulePaths[part] == nil {
        let parent = modulePaths[object] ?? ""
        modulePaths[part] = parent.isEmpty ? name : "\(parent).\(name)"
      }
      return value
    }
    guard let (_, definition) = module.type(of: object), let expression = definition.constants[name]
    else {
      throw ImportError(
        file: "", place: place.text, problem: "found \(name), which its module has not")
    }
    return try evaluate(expression, [:], place)
  }

  /// An object of the file as a value.
  private mutating func value(
    of reference: PickleGraph.Reference, _ name: String, _ place: Place, depth: Int = 0
  ) throws(ImportError) -> Value {
    if module.type(of: reference) != nil { return .object(reference) }
    if let tensor = constants[reference] { return .plain(.tensor(tensor)) }
    if let constant = try weights.constant(reference, name: name, place: place.text) {
      let tensor = translation.constant(constant, named: weights.name(of: reference) ?? name)
      constants[reference] = tensor
      return .plain(.tensor(tensor))
    }
    switch module.file.graph[reference] {
    case .none: return .plain(.none)
    case .bool(let value): return .plain(.bool(value))
    case .int(let value): return .plain(.int(value))
    case .float(let value): return .plain(.float(value))
    case .text(let bytes): return .plain(.text(String(decoding: bytes, as: UTF8.self)))
    case .tuple(let elements), .list(let elements):
      guard depth < 8 else { return .plain(.other(name)) }
      var values: [AtenValue] = []
      for element in elements {
        values.append(try self.value(of: element, name, place, depth: depth + 1).plain)
      }
      return .plain(try listRoom.taking(.list(values), place.text))
    case .call(let call):
      // `restore_type_tag(list, 'List[int]')`, `build_intlist([…])` and the like return their first argument.
      guard depth < 8,
        module.file.graph.globalName(call.function)?.hasPrefix("torch.jit._pickle.") ?? false,
        let first = module.file.graph.elements(call.arguments)?.first
      else { return .plain(.other(name)) }
      return try value(of: first, name, place, depth: depth + 1)
    case .largeInt, .bytes, .set, .dictionary, .global, .persistent: return .plain(.other(name))
    }
  }

  /// `CONSTANTS.c0`
  private mutating func constant(_ name: String, _ place: Place) throws(ImportError) -> Value {
    guard let index = Int(name.dropFirst()),
      let constant = try module.constant(index, place: place.text)
    else {
      throw ImportError(
        file: "", place: place.text, problem: "found CONSTANTS.\(name), which constants.pkl has not"
      )
    }
    return .plain(.tensor(translation.constant(constant, named: "constant.\(index)")))
  }

  // MARK: Calls

  private mutating func call(
    _ function: ScriptSyntax.Expression, _ arguments: [ScriptSyntax.Expression],
    _ keywords: [ScriptSyntax.Keyword], _ scope: Scope, _ place: Place, _ resultCount: Int?
  ) throws(ImportError) -> Value {
    var values: [Value] = []
    for argument in arguments { values.append(try evaluate(argument, scope, place)) }
    var named: [String: Value] = [:]
    for keyword in keywords { named[keyword.name] = try evaluate(keyword.value, scope, place) }
    if case .attribute(let base, let method) = function,
      case .object(let object) = try evaluate(base, scope, place)
    {
      guard let (type, definition) = module.type(of: object), let found = definition.methods[method]
      else {
        throw ImportError(
          file: "", place: place.text,
          problem: "found a call of \(method), which its module has not")
      }
      let caller = modulePath
      modulePath = modulePaths[object] ?? caller
      defer { modulePath = caller }
      return try run(
        found, [.object(object)] + values, named, path: module.path(of: type), at: place)
    }
    guard case .callable(let name) = try evaluate(function, scope, place) else {
      throw ImportError(
        file: "", place: place.text, problem: "found a call of something that is no function")
    }
    if let found = module.function(name) {
      // Its loops need not be run.
      if found.onlyChecks { return .plain(.none) }
      return try run(found, values, named, path: module.path(of: name), at: place)
    }
    if let value = ScriptBuiltins.value(of: name, values) { return value }
    switch name {
    case "getattr":
      guard values.count == 2, case .object(let object) = values[0],
        case .plain(.text(let name)) = values[1]
      else { break }
      return try attribute(name, of: object, place)
    default: break
    }
    guard
      name.hasPrefix("torch.") || name.hasPrefix("ops.")
        || ["int", "float", "bool", "len"].contains(name)
    else {
      throw ImportError(
        file: "", place: place.text, problem: "found a call of \(name), which is not carried")
    }
    if name == "float" || name == "bool", let first = values.first { return first }
    let op = name.split(separator: ".").last.map(String.init) ?? name
    return .plain(
      try translation.call(
        AtenCall(
          op, values.map(\.plain), named.mapValues(\.plain), place: place.text, module: modulePath,
          resultCount: resultCount)))
  }
}
