/// Reads a pickle of protocols 0 to 5 (Python's pickletools) into a graph of the objects that it describes.
///
/// Nothing is imported, called or instantiated. Each operation takes bounded time and makes at most one object, so that time
/// and memory are proportional to the file's size.
struct PickleMachine {
  private var graph = PickleGraph()
  private var cursor: PickleCursor
  private var stack: [PickleGraph.Reference] = []
  /// The stack's height at each mark.
  private var marks: [Int] = []
  private var memo: [Int: PickleGraph.Reference] = [:]

  /// Reads the pickle in `bytes`; returns its graph and the offset after it.
  static func load(
    _ bytes: [UInt8], at offset: Int = 0
  ) throws(PickleError) -> (graph: PickleGraph, root: PickleGraph.Reference, end: Int) {
    var machine = PickleMachine(cursor: PickleCursor(bytes, at: offset))
    while true {
      let start = machine.cursor.offset
      do {
        let code = try machine.cursor.byte()
        guard code != UInt8(ascii: ".") else {
          return (machine.graph, try machine.pop(code), machine.cursor.offset)
        }
        try machine.execute(code)
      } catch {
        throw PickleError(offset: start, problem: error.problem)
      }
    }
  }

  private init(cursor: PickleCursor) { self.cursor = cursor }

  private mutating func execute(_ code: UInt8) throws(PickleError) {
    if try pushScalar(code) { return }
    if try pushString(code) { return }
    if try build(code) { return }
    switch Unicode.Scalar(code) {
    // Stack and memo
    case "(": marks.append(stack.count)
    case "0":
      if marks.last == stack.count { marks.removeLast() } else { _ = try pop(code) }
    case "1": _ = try popToMark(code)
    case "2": stack.append(try top(code))
    case "g": try recall(Int(try decimal()))
    case "h": try recall(Int(try cursor.byte()))
    case "j": try recall(try cursor.number(4))
    case "p": memo[Int(try decimal())] = try top(code)
    case "q": memo[Int(try cursor.byte())] = try top(code)
    case "r": memo[try cursor.number(4)] = try top(code)
    case "\u{94}": memo[memo.count] = try top(code)
    // Framing
    case "\u{80}": _ = try cursor.byte()
    case "\u{95}": _ = try cursor.take(8)
    case "\u{98}": _ = try top(code)
    case "\u{82}", "\u{83}", "\u{84}", "\u{97}":
      throw cursor.failure(.notSelfContained(opcode: code))
    default: throw cursor.failure(.unknownOpcode(code))
    }
  }

  // MARK: Scalars

  private mutating func pushScalar(_ code: UInt8) throws(PickleError) -> Bool {
    switch Unicode.Scalar(code) {
    case "N": try push(.none)
    case "\u{88}": try push(.bool(true))
    case "\u{89}": try push(.bool(false))
    case "K": try push(.int(Int(try cursor.byte())))
    case "M": try push(.int(try cursor.number(2)))
    case "J": try push(.int(try cursor.int32()))
    case "\u{8A}":
      let count = Int(try cursor.byte())
      try push(try cursor.integer(count).map { .int($0) } ?? .largeInt)
    case "\u{8B}":
      let count = try cursor.int32()
      try push(try cursor.integer(count).map { .int($0) } ?? .largeInt)
    case "I":
      let text = try cursor.textLine()
      // Booleans of protocol 0.
      if text == "00" || text == "01" {
        try push(.bool(text == "01"))
      } else {
        try push(try integer(text))
      }
    case "L":
      let text = try cursor.textLine()
      try push(try integer(text.hasSuffix("L") ? String(text.dropLast()) : text))
    case "F":
      let text = try cursor.textLine()
      guard let value = Double(text) else { throw cursor.failure(.badNumber(excerpt(text))) }
      try push(.float(value))
    case "G": try push(.float(try cursor.double()))
    default: return false
    }
    return true
  }

  private mutating func pushString(_ code: UInt8) throws(PickleError) -> Bool {
    let count: Int
    switch Unicode.Scalar(code) {
    case "S", "V":
      let line = try cursor.line()
      let text = code == UInt8(ascii: "S") ? PickleText.unquoted(line) : PickleText.unescaped(line)
      guard let text else { throw cursor.failure(.badText) }
      try push(.text(text))
      return true
    case "U", "\u{8C}", "C": count = Int(try cursor.byte())
    case "T": count = try cursor.int32()
    case "X", "B": count = try cursor.number(4)
    case "\u{8D}", "\u{8E}", "\u{96}": count = try cursor.number(8)
    default: return false
    }
    let content = Array(try cursor.take(count))
    let isBytes = ["B", "C", "\u{8E}", "\u{96}"].contains(Unicode.Scalar(code))
    try push(isBytes ? .bytes(content) : .text(content))
    return true
  }

  private func integer(_ text: String) throws(PickleError) -> PickleGraph.Node {
    if let value = Int(text) { return .int(value) }
    let digits = text.hasPrefix("-") ? text.dropFirst() : text[...]
    guard !digits.isEmpty, digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
      throw cursor.failure(.badNumber(excerpt(text)))
    }
    return .largeInt
  }

  private mutating func decimal() throws(PickleError) -> UInt32 {
    let text = try cursor.textLine()
    guard let number = UInt32(text) else { throw cursor.failure(.badNumber(excerpt(text))) }
    return number
  }

  private func excerpt(_ text: String) -> String { String(text.prefix(40)) }

  // MARK: Containers and calls

  private mutating func build(_ code: UInt8) throws(PickleError) -> Bool {
    switch Unicode.Scalar(code) {
    case ")": try push(.tuple([]))
    case "]": try push(.list([]))
    case "}": try push(.dictionary([]))
    case "\u{8F}": try push(.set([]))
    case "t": try push(.tuple(try popToMark(code)))
    case "l": try push(.list(try popToMark(code)))
    case "\u{91}": try push(.set(try popToMark(code)))
    case "d": try push(.dictionary(try entries(try popToMark(code), code)))
    case "\u{85}": try push(.tuple(try pop(1, code)))
    case "\u{86}": try push(.tuple(try pop(2, code)))
    case "\u{87}": try push(.tuple(try pop(3, code)))
    case "a":
      let element = try pop(code)
      try extend(try top(code), by: [element], code)
    case "e", "\u{90}":
      let elements = try popToMark(code)
      try extend(try top(code), by: elements, code)
    case "s":
      let pair = try pop(2, code)
      try insert(try entries(pair, code), into: try top(code), code)
    case "u":
      let pairs = try popToMark(code)
      try insert(try entries(pairs, code), into: try top(code), code)
    case "c":
      let module = try cursor.textLine()
      try push(.global(module: module, name: try cursor.textLine()))
    case "\u{93}":
      let names = try pop(2, code)
      guard let module = graph.text(names[0]), let name = graph.text(names[1]) else {
        throw cursor.failure(.wrongType(opcode: code))
      }
      try push(.global(module: module, name: name))
    case "R", "\u{81}":
      let parts = try pop(2, code)
      try push(.call(.init(function: parts[0], arguments: parts[1])))
    case "\u{92}":
      let parts = try pop(3, code)
      try push(.call(.init(function: parts[0], arguments: parts[1])))
    case "i":
      let module = try cursor.textLine()
      let name = try cursor.textLine()
      let arguments = try popToMark(code)
      try call(try add(.global(module: module, name: name)), arguments)
    case "o":
      let parts = try popToMark(code)
      guard let function = parts.first else { throw cursor.failure(.emptyStack(opcode: code)) }
      try call(function, Array(parts.dropFirst()))
    case "b":
      let state = try pop(code)
      // BUILD on anything but a call's result can't affect tensors.
      _ = graph.change(try top(code)) { node in
        guard case .call(var call) = node else { return false }
        call.state = state
        node = .call(call)
        return true
      }
    case "Q": try push(.persistent(try pop(code)))
    case "P":
      let id = try add(.text(Array(try cursor.line())))
      try push(.persistent(id))
    default: return false
    }
    return true
  }

  private mutating func call(
    _ function: PickleGraph.Reference, _ arguments: [PickleGraph.Reference]
  ) throws(PickleError) {
    let tuple = try add(.tuple(arguments))
    try push(.call(.init(function: function, arguments: tuple)))
  }

  private func entries(
    _ flat: [PickleGraph.Reference], _ code: UInt8
  ) throws(PickleError) -> [PickleGraph.Entry] {
    guard flat.count.isMultiple(of: 2) else { throw cursor.failure(.emptyStack(opcode: code)) }
    return stride(from: 0, to: flat.count, by: 2).map {
      PickleGraph.Entry(key: flat[$0], value: flat[$0 + 1])
    }
  }

  private mutating func extend(
    _ container: PickleGraph.Reference, by more: [PickleGraph.Reference], _ code: UInt8
  ) throws(PickleError) {
    let isExtended = graph.change(container) { node in
      switch node {
      case .list(var elements):
        node = .none
        elements += more
        node = .list(elements)
      case .set(var elements):
        node = .none
        elements += more
        node = .set(elements)
      case .call(var call):
        node = .none
        call.elements += more
        node = .call(call)
      case .none, .bool, .int, .largeInt, .float, .text, .bytes, .tuple, .dictionary, .global,
        .persistent:
        return false
      }
      return true
    }
    guard isExtended else { throw cursor.failure(.wrongType(opcode: code)) }
  }

  private mutating func insert(
    _ more: [PickleGraph.Entry], into container: PickleGraph.Reference, _ code: UInt8
  ) throws(PickleError) {
    let isExtended = graph.change(container) { node in
      switch node {
      case .dictionary(var entries):
        node = .none
        entries += more
        node = .dictionary(entries)
      case .call(var call):
        node = .none
        call.entries += more
        node = .call(call)
      case .none, .bool, .int, .largeInt, .float, .text, .bytes, .tuple, .list, .set, .global,
        .persistent:
        return false
      }
      return true
    }
    guard isExtended else { throw cursor.failure(.wrongType(opcode: code)) }
  }

  // MARK: Stack

  private mutating func add(
    _ node: PickleGraph.Node
  ) throws(PickleError) -> PickleGraph.Reference {
    guard let reference = graph.add(node) else {
      throw cursor.failure(.tooManyObjects(limit: PickleGraph.maxNodes))
    }
    return reference
  }

  private mutating func push(_ node: PickleGraph.Node) throws(PickleError) {
    stack.append(try add(node))
  }

  /// The lowest index of the stack that operations may touch: the last mark's.
  private var floor: Int { marks.last ?? 0 }

  private func top(_ code: UInt8) throws(PickleError) -> PickleGraph.Reference {
    guard stack.count > floor, let top = stack.last else {
      throw cursor.failure(.emptyStack(opcode: code))
    }
    return top
  }

  private mutating func pop(_ code: UInt8) throws(PickleError) -> PickleGraph.Reference {
    try pop(1, code)[0]
  }

  private mutating func pop(
    _ count: Int, _ code: UInt8
  ) throws(PickleError) -> [PickleGraph.Reference] {
    guard stack.count - count >= floor else { throw cursor.failure(.emptyStack(opcode: code)) }
    defer { stack.removeLast(count) }
    return Array(stack.suffix(count))
  }

  private mutating func popToMark(_ code: UInt8) throws(PickleError) -> [PickleGraph.Reference] {
    guard let mark = marks.popLast() else { throw cursor.failure(.noMark(opcode: code)) }
    defer { stack.removeLast(stack.count - mark) }
    return Array(stack[mark...])
  }

  private mutating func recall(_ index: Int) throws(PickleError) {
    guard let reference = memo[index] else { throw cursor.failure(.unknownMemo(index)) }
    stack.append(reference)
  }
}
