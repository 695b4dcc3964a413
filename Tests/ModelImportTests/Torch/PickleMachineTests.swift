import TestSupport
import Testing

@testable import ModelImport

@Suite struct PickleMachineTests {
  /// What a pickle describes, as Python would write it; calls as what would be called.
  private func text(_ pickle: String) throws -> String {
    try text([UInt8](pickle.unicodeScalars.map { UInt8($0.value) }))
  }

  private func text(_ bytes: [UInt8]) throws -> String {
    let (graph, root, end) = try PickleMachine.load(bytes)
    #expect(end == bytes.count)
    return text(root, in: graph)
  }

  private func text(_ reference: PickleGraph.Reference, in graph: PickleGraph) -> String {
    func list(_ elements: [PickleGraph.Reference]) -> String {
      elements.map { text($0, in: graph) }.joined(separator: ", ")
    }
    func list(_ entries: [PickleGraph.Entry]) -> String {
      entries.map { "\(text($0.key, in: graph)): \(text($0.value, in: graph))" }
        .joined(separator: ", ")
    }
    switch graph[reference] {
    case .none: return "None"
    case .bool(let value): return value ? "True" : "False"
    case .int(let value): return "\(value)"
    case .largeInt: return "large"
    case .float(let value): return "\(value)"
    case .text(let bytes): return "'\(String(decoding: bytes, as: UTF8.self))'"
    case .bytes(let bytes): return "b\(bytes)"
    case .tuple(let elements): return "(\(list(elements)))"
    case .list(let elements): return "[\(list(elements))]"
    case .set(let elements): return "set(\(list(elements)))"
    case .dictionary(let entries): return "{\(list(entries))}"
    case .global(let module, let name): return "\(module).\(name)"
    case .persistent(let id): return "storage \(text(id, in: graph))"
    case .call(let call):
      var result = "\(text(call.function, in: graph))\(text(call.arguments, in: graph))"
      if !call.entries.isEmpty { result += "{\(list(call.entries))}" }
      if !call.elements.isEmpty { result += "[\(list(call.elements))]" }
      return result + (call.state.map { " of \(text($0, in: graph))" } ?? "")
    }
  }

  @Test(arguments: [
    ("N.", "None"), ("\u{88}.", "True"), ("\u{89}.", "False"), ("I01\n.", "True"),
    ("I00\n.", "False"), ("I-7\n.", "-7"), ("K\u{FF}.", "255"), ("M\u{01}\u{02}.", "513"),
    ("J\u{FE}\u{FF}\u{FF}\u{FF}.", "-2"), ("L12L\n.", "12"), ("L99999999999999999999L\n.", "large"),
    ("\u{8A}\u{00}.", "0"), ("\u{8A}\u{01}\u{80}.", "-128"), ("\u{8A}\u{02}\u{80}\u{00}.", "128"),
    ("\u{8A}\u{08}\0\0\0\0\0\0\0\u{80}.", "-9223372036854775808"),
    ("\u{8A}\u{09}\0\0\0\0\0\0\0\u{80}\0.", "large"),
    ("\u{8A}\u{09}\u{FF}\u{FF}\u{FF}\u{FF}\u{FF}\u{FF}\u{FF}\u{FF}\u{FF}.", "-1"),
    ("\u{8B}\u{01}\0\0\0\u{05}.", "5"), ("F1.5\n.", "1.5"), ("G\u{3F}\u{F8}\0\0\0\0\0\0.", "1.5"),
    ("S'a\\n\\x41\\'\\\\'\n.", "'a\nA'\\'"), ("V\\u0041b\n.", "'Ab'"), ("V\u{E4}\n.", "'ä'"),
    ("U\u{02}ab.", "'ab'"), ("T\u{01}\0\0\0a.", "'a'"), ("X\u{01}\0\0\0a.", "'a'"),
    ("\u{8C}\u{01}a.", "'a'"), ("\u{8D}\u{01}\0\0\0\0\0\0\0a.", "'a'"), ("C\u{01}\u{07}.", "b[7]"),
    ("B\u{01}\0\0\0\u{07}.", "b[7]"), ("\u{8E}\u{01}\0\0\0\0\0\0\0\u{07}.", "b[7]"),
    ("\u{96}\u{01}\0\0\0\0\0\0\0\u{07}\u{98}.", "b[7]"),
    (").", "()"), ("K\u{01}\u{85}.", "(1)"), ("K\u{01}K\u{02}\u{86}.", "(1, 2)"),
    ("NNN\u{87}.", "(None, None, None)"), ("(K\u{01}NK\u{02}t.", "(1, None, 2)"),
    ("(K\u{01}l.", "[1]"), ("]K\u{01}a(K\u{02}K\u{03}e.", "[1, 2, 3]"),
    ("}K\u{01}K\u{02}s(K\u{03}Nu.", "{1: 2, 3: None}"), ("(K\u{01}Nd.", "{1: None}"),
    ("\u{8F}(K\u{01}\u{90}.", "set(1)"), ("(K\u{01}\u{91}.", "set(1)"),
    ("K\u{01}2\u{86}.", "(1, 1)"), ("K\u{01}N0.", "1"), ("K\u{01}(NN1.", "1"),
    ("(K\u{01}(0t.", "(1)"),
    ("K\u{01}q\u{05}0h\u{05}.", "1"), ("Nr\0\u{01}\0\0j\0\u{01}\0\0\u{86}.", "(None, None)"),
    ("Np300\ng300\n\u{86}.", "(None, None)"),
    ("N\u{94}K\u{01}\u{94}h\u{01}\u{87}.", "(None, 1, 1)"),
    ("\u{80}\u{04}\u{95}\u{01}\0\0\0\0\0\0\0N.", "None"),
    ("cos\nsystem\n(S'x'\ntR.", "os.system('x')"), ("(cos\nsystem\nS'x'\no.", "os.system('x')"),
    ("(S'x'\nios\nsystem\n.", "os.system('x')"), ("ca\nB\n)\u{81}}b.", "a.B() of {}"),
    ("ca\nB\n)}\u{92}.", "a.B()"), ("\u{8C}\u{01}a\u{8C}\u{01}b\u{93}.", "a.b"),
    ("ca\nB\n)RK\u{01}K\u{02}sK\u{03}a.", "a.B(){1: 2}[3]"), ("K\u{01}Q.", "storage 1"),
    ("Pkey\n.", "storage 'key'"), ("]}b.", "[]"),
  ])
  func objects(pickle: String, expected: String) throws {
    #expect(try text(pickle) == expected)
  }

  @Test(
    arguments: [
      ("", 0, .truncated), ("N", 1, .truncated), (".", 0, .emptyStack(opcode: 0x2E)),
      ("\u{7F}.", 0, .unknownOpcode(0x7F)), ("X\u{05}\0\0\0abc.", 0, .truncated),
      ("T\u{FF}\u{FF}\u{FF}\u{FF}a.", 0, .truncated),
      ("\u{8D}\0\0\0\0\0\0\0\u{FF}a.", 0, .truncated),
      ("\u{8B}\u{FF}\u{FF}\u{FF}\u{FF}.", 0, .truncated), ("t.", 0, .noMark(opcode: 0x74)),
      ("N(\u{85}.", 2, .emptyStack(opcode: 0x85)), ("(.", 1, .emptyStack(opcode: 0x2E)),
      ("h\u{03}.", 0, .unknownMemo(3)), ("Fx\n.", 0, .badNumber("x")),
      ("g-1\n.", 0, .badNumber("-1")),
      ("S'a\n.", 0, .badText), ("S'\\x4'\n.", 0, .badText), ("V\\u00\n.", 0, .badText),
      ("NNa.", 2, .wrongType(opcode: 0x61)), ("NNNs.", 3, .wrongType(opcode: 0x73)),
      ("](Nu.", 3, .emptyStack(opcode: 0x75)), ("NN\u{93}.", 2, .wrongType(opcode: 0x93)),
      ("\u{97}.", 0, .notSelfContained(opcode: 0x97)),
      ("\u{82}\u{01}.", 0, .notSelfContained(opcode: 0x82)),
      ("(o.", 1, .emptyStack(opcode: 0x6F)),
    ] as [(String, Int, PickleProblem)])
  func refused(pickle: String, offset: Int, problem: PickleProblem) throws {
    let error = #expect(throws: PickleError.self) { try text(pickle) }
    #expect(error == PickleError(offset: offset, problem: problem))
  }

  /// A list that holds itself, and one whose parts double at each of many levels, end.
  @Test func cyclesAndSharedParts() throws {
    let cycle = [UInt8]("]q\u{00}h\u{00}a.".utf8)
    let (graph, root, _) = try PickleMachine.load(cycle)
    #expect(StateDict(PickledTensors(graph), root: root).tensors.isEmpty)
    let levels = String(repeating: "]q\u{01}(h\u{00}h\u{00}h\u{00}eq\u{00}", count: 60)
    let shared = [UInt8]("]q\u{00}\(levels).".utf8)
    let (wide, top, _) = try PickleMachine.load(shared)
    #expect(StateDict(PickledTensors(wide), root: top).tensors.isEmpty)
  }

  /// A list in a list, a hundred thousand times, is read without a deep stack.
  @Test func depth() throws {
    let bytes = [UInt8](
      (String(repeating: "]", count: 100_000) + String(repeating: "a", count: 99_999) + ".").utf8)
    let (graph, root, _) = try PickleMachine.load(bytes)
    #expect(StateDict(PickledTensors(graph), root: root).tensors.isEmpty)
  }

  /// A torch.Size of a torch.Size, 400,000 deep.
  @Test func sizesOfSizes() throws {
    var pickle = Array("ctorch\nSize\nq\u{00}0)q\u{01}0".utf8)
    for _ in 0..<400_000 { pickle += Array("h\u{00}h\u{01}Rq\u{01}0".utf8) }
    let (graph, root, _) = try PickleMachine.load(pickle + Array("h\u{01}.".utf8))
    #expect(graph.elements(root) == nil)
  }
}
