import Inference
import ModelFormat
import TestSupport
import Testing

@testable import ModelImport

/// TorchScript and exported programs against what PyTorch answers: see Tests/Fixtures/scripts/torch_graphs.py.
@Suite struct TorchGraphTests {
  static let files: [String] = Fixtures.folders("torch_graphs").flatMap { folder in
    Fixtures.folders("torch_graphs/\(folder)").filter { !$0.hasSuffix(".json") }
      .map { "\(folder)/\($0)" }
  }

  @Test func filesAreThere() { #expect(Self.files.count >= 22) }

  @Test(arguments: files)
  func imported(file: String) throws {
    let draft = try importedFolder(ImportRequest(files: [Fixtures.path("torch_graphs/\(file)")]))
    let graph = try ModelGraph(draft.model())
    let folder = file.split(separator: "/")[0]
    let cases = try Fixtures.cases("torch_graphs/\(folder)/io.json")
    for expected in cases {
      // States that are kept with a sequence are no inputs: their cases begin with others than zero.
      let isStateful = expected.inputs.count > graph.model.description.inputs.count
      guard !isStateful else { continue }
      let found = SoleRider.answer(graph, try sequence(expected, graph.model))
      for (index, found) in found.enumerated() {
        let reference = try #require(expected.outputs["\(index)"])
        // What is answered at every step, where PyTorch does for the last one.
        let found = found.suffix(reference.values.count)
        try #require(found.count == reference.values.count)
        for (a, b) in zip(found, reference.values) {
          #expect(abs(a - b) <= 1e-5 * max(1, abs(b)), "output \(index)")
        }
      }
    }
  }

  /// A scripted module does not say how its input lies. One that runs with a batch is not read as one for a single sequence,
  /// whose axes mean something else.
  @Test func aScriptedModuleIsReadWithItsBatch() {
    let request = ImportRequest(files: [Fixtures.path("torch_scripts/scores_of_steps.pt")])
    let error = #expect(throws: ImportError.self) { try importedFolder(request) }
    #expect(error?.description.contains("over the steps") == true)
  }

  /// Where the weights do not tell how many elements an input has, the shape is asked for in the forms that it may have;
  /// also where the module takes the elements one by one, and would compute with the numbers that weights suggest.
  @Test(arguments: ["ramps", "selected"]) func aScriptedModuleIsReadWithAShape(name: String) throws
  {
    var request = ImportRequest(files: [Fixtures.path("torch_scripts/\(name).pt")])
    let error = #expect(throws: ImportError.self) { try importedFolder(request) }
    for form in ["--shape 'x=0,0,N'", "0,0 for ids", "0,N for a vector", "0,C,H,W for an image"] {
      #expect(error?.remedy?.contains(form) == true)
    }
    request.shapes = ["x=0,0,3"]
    #expect(try importedFolder(request).description.inputs.map(\.steps) == [nil])
  }

  /// Ids of two axes would be read as one sequence without its batch, whose letters are summed otherwise.
  @Test func theLettersOfAScriptedModuleAreAskedFor() throws {
    var request = ImportRequest(files: [Fixtures.path("torch_scripts/letters.pt")])
    let error = #expect(throws: ImportError.self) { try importedFolder(request) }
    #expect(error?.problem.contains("how many elements the input x has") == true)
    request.shapes = ["x=0,0,4"]
    let size = try importedFolder(request).description.inputs[0].kind
    #expect(size == .features(size: 4, mean: nil, scale: nil))
  }

  /// No size that is guessed makes steps of a vector: the second input is a number for each sequence.
  @Test func aScriptedModuleOfLengths() throws {
    let request = ImportRequest(files: [Fixtures.path("torch_scripts/masked_mean.pt")])
    let draft = try importedFolder(request)
    #expect(draft.description.inputs.map(\.name) == ["x"])
    #expect(draft.description.inputs.map(\.steps) == [nil])
  }

  /// Functions that only check sizes, and branches that only warn, are passed over, also where the sizes are not known.
  @Test(arguments: ["spectral", "selected"]) func aScriptedModuleOfGivenSizes(name: String) throws {
    var request = ImportRequest(files: [Fixtures.path("torch_scripts/\(name).pt")])
    request.shapes = ["x=0,0,3"]
    let graph = try ModelGraph(try importedFolder(request).model())
    for expected in try Fixtures.cases("torch_scripts/\(name).json") {
      let found = SoleRider.answer(graph, try sequence(expected, graph.model))[0]
      let reference = try #require(expected.outputs["0"]).values
      try #require(found.count == reference.count)
      for (a, b) in zip(found, reference) { #expect(abs(a - b) <= 1e-5) }
    }
  }

  /// Ids among the numbers of a step, and of the whole sequence; those that the model computes are refused.
  @Test(arguments: ["traced.pt", "exported.pt2"])
  func idsAmongNumbersAreTold(file: String) throws {
    let draft = try importedFolder(
      ImportRequest(files: [Fixtures.path("torch_graphs/categories/\(file)")]))
    #expect(draft.description.inputs.map(\.kind).last == .vector(size: 2))
    #expect(draft.description.inputs.map { draft.tableRows(of: $0.name) } == [4, 3])
    for (input, last) in zip(draft.description.inputs, [3, 2]) {
      #expect(draft.notes.contains { $0.contains("\"\(input.name)\" are ids, from 0 to \(last)") })
    }
  }

  /// Numbers of which ids are made are told as such.
  @Test(arguments: ["traced.pt", "exported.pt2"])
  func idsThatAreMadeAreTold(file: String) throws {
    let draft = try importedFolder(
      ImportRequest(files: [Fixtures.path("torch_graphs/interactions/\(file)")]))
    #expect(draft.description.inputs.map { draft.tableRows(of: $0.name) } == [20, 2])
    #expect(draft.notes.contains { $0.contains("of the input \"q\" are ids, from 0 to 19") })
    #expect(draft.notes.contains { $0.contains("of the input \"r\" the model makes ids") })
  }

  /// What --check compares: the file's own graph, at the batch and length of the exporter's example where its shapes have them.
  @Test(arguments: files)
  func valuesAreThoseOfTheGraph(file: String) throws {
    let draft = try importedFolder(ImportRequest(files: [Fixtures.path("torch_graphs/\(file)")]))
    let reference = try #require(draft.reference)
    let steps = draft.comparedSteps ?? 6
    let graph = try ModelGraph(draft.model())
    var noise = Noise(seed: 7)
    let random = try noise.sequence(for: graph.model, steps: steps, isEqual: true)
    var values = random.values
    var numbers: [String: [Float]] = [:]
    for (index, input) in draft.description.inputs.enumerated() {
      // Of what chooses rows of tables, indices.
      func indices(_ own: [Float]) -> [Float] {
        guard let rows = draft.tableRows(of: input.name) else { return own }
        return own.map { Float(Int($0.magnitude * 10) % rows) }
      }
      switch values[index] {
      case .features(let own):
        numbers[input.name] = indices(own)
        values[index] = .features(indices(own))
      case .vector(let own):
        numbers[input.name] = indices(own)
        values[index] = .vector(indices(own))
      case .tokens(let ids): numbers[input.name] = ids.map { Float($0) }
      }
    }
    let sequence = try InputSequence(values, for: graph.model)
    let expected = try reference.values(for: numbers, steps: steps)
    let answers = SoleRider.answer(graph, sequence)
    for (output, answer) in zip(draft.description.outputs, answers) {
      let value = try #require(expected.last { $0.name == output.name })
      try #require(!value.numbers.isEmpty && answer.count % value.numbers.count == 0)
      for (a, b) in zip(answer.suffix(value.numbers.count), value.numbers) {
        #expect(abs(Double(a) - b) <= 1e-4 * max(1, abs(b)), "\(output.name)")
      }
    }
  }

  /// What PyTorch computed of the example's length holds for that alone.
  @Test(arguments: [
    "positions/exported.pt2", "deviation/exported.pt2", "pieces/traced.pt", "pieces/exported.pt2",
    "each_step/traced.pt", "each_step/exported.pt2", "written_end/exported.pt2",
    "ramps/exported.pt2", "spectral_layer/traced.pt", "spectral_layer/exported.pt2",
  ])
  func theExamplesLengthIsKept(file: String) throws {
    let path = Fixtures.path("torch_graphs/\(file)")
    let draft = try importedFolder(ImportRequest(files: [path]))
    #expect(draft.description.inputs.map(\.steps) == [6])
    #expect(draft.notes.contains { $0.contains("exactly 6 steps") }, "\(draft.notes)")
  }

  /// A trace has the positions as rows of a table, as many as there are steps.
  @Test func tracedPositionsAreForAnyLength() throws {
    let path = Fixtures.path("torch_graphs/positions/traced.pt")
    let draft = try importedFolder(ImportRequest(files: [path]))
    #expect(draft.description.inputs.map(\.steps) == [nil])
    #expect(draft.notes.contains { $0.contains("the first 16 steps") }, "\(draft.notes)")
  }

  /// TorchScript has the length as a call of `size`: it is computed for each sequence.
  @Test(arguments: [
    "deviation/traced.pt", "written_end/traced.pt", "written_end/scripted.pt", "ramps/traced.pt",
  ])
  func aTracedLengthIsAValue(file: String) throws {
    let path = Fixtures.path("torch_graphs/\(file)")
    let draft = try importedFolder(ImportRequest(files: [path]))
    #expect(draft.description.inputs.map(\.steps) == [nil])
  }

  /// States that were trained are weights, and the network can be served in pieces.
  @Test(arguments: ["traced.pt", "exported.pt2"])
  func statesThatWereTrained(file: String) throws {
    let draft = try importedFolder(
      ImportRequest(files: [Fixtures.path("torch_graphs/learned_states/\(file)")]))
    #expect(try ModelGraph(draft.model()).isStreamable)
    #expect(draft.description.nodes.map(\.op.name) == ["lstm", "lstm", "gru"])
  }

  /// Cells that are written as arithmetic are networks, which keep their states; where the caller is to keep them, arithmetic.
  @Test(arguments: ["traced.pt", "exported.pt2"])
  func cellsThatAreWritten(file: String) throws {
    var request = ImportRequest(files: [Fixtures.path("torch_graphs/written_cells/\(file)")])
    let draft = try importedFolder(request)
    #expect(draft.description.nodes.map(\.op.name) == ["lstm", "gru", "gru", "linear"])
    request.keepsStates = true
    let written = try importedFolder(request)
    #expect(written.description.inputs.count == 5 && written.description.outputs.count == 5)
    #expect(!written.description.nodes.contains { $0.op.name == "lstm" })
  }

  /// A decoder whose attention asks with the state before the token answers one a request, and attends to any number of steps.
  @Test(arguments: ["traced.pt", "exported.pt2"])
  func aStateThatAttentionReads(file: String) throws {
    let path = Fixtures.path("torch_graphs/permuted_state/\(file)")
    let draft = try importedFolder(ImportRequest(files: [path]))
    let inputs = draft.description.inputs
    #expect(inputs.map(\.steps) == [1, nil, nil])
    #expect(
      inputs.map(\.kind) == [
        .tokens(size: 7, vocabulary: nil), .vector(size: 4),
        .features(size: 4, mean: nil, scale: nil),
      ])
    #expect(draft.callersStates == ["hidden"])
    #expect(draft.notes.contains { $0.contains("a request is one step") }, "\(draft.notes)")
  }

  /// An id of the whole sequence is an input of one step, on an axis of its own.
  @Test(arguments: ["traced.pt", "exported.pt2"])
  func oneIDForASequence(file: String) throws {
    let path = Fixtures.path("torch_graphs/series/\(file)")
    let inputs = try importedFolder(ImportRequest(files: [path])).description.inputs
    #expect(inputs.map(\.steps) == [nil, 1])
    #expect(inputs[0].axis != inputs[1].axis)
  }

  /// A vector becomes steps only where no other reading of the input's axes gives some.
  @Test func aConvolutionOverStepsIsNoVector() throws {
    let file = Fixtures.path("torch_graphs/convolved/traced.pt")
    let draft = try importedFolder(ImportRequest(files: [file]))
    #expect(draft.description.inputs.map(\.kind) == [.features(size: 3, mean: nil, scale: nil)])
  }

  /// The case's inputs in the order of the model's, which may be called otherwise.
  private func sequence(_ given: ModelCase, _ model: Model) throws -> InputSequence {
    let inputs = model.description.inputs
    guard inputs.count == 1, let value = given.inputs.values.first else {
      return try given.sequence(for: model)
    }
    switch inputs[0].kind {
    case .tokens: return try InputSequence([.tokens(value.tokens ?? [])], for: model)
    case .features: return try InputSequence([.features(value.numbers)], for: model)
    case .vector: return try InputSequence([.vector(value.numbers)], for: model)
    }
  }
}

@Suite struct ScriptParserTests {
  private func parse(_ code: String) throws -> ScriptSyntax.File {
    try ScriptParser.parse(Array(code.utf8))
  }

  private func statements(_ lines: String) throws -> [ScriptSyntax.Kind] {
    let body = lines.split(separator: "\n").map { "  \($0)\n" }.joined()
    return try #require(parse("def f(x: Tensor) -> Tensor:\n\(body)").functions["f"]).body.map(
      \.kind)
  }

  /// What is applied to one another is nested, however it is written.
  @Test(arguments: [".a", "(x)", "[0]"]) func chainsAreBounded(link: String) throws {
    #expect(try statements("y = x" + String(repeating: link, count: 100)).count == 1)
    #expect(throws: ScriptError.self) {
      try self.statements("y = x" + String(repeating: link, count: 100_000))
    }
  }

  @Test func expressions() throws {
    let x = ScriptSyntax.Expression.name("x")
    #expect(try statements("y = -1") == [.assign(["y"], .int(-1))])
    #expect(try statements("y = 1.0000000000000001e-05") == [.assign(["y"], .float(1e-5))])
    #expect(try statements("y = 2.") == [.assign(["y"], .float(2))])
    #expect(try statements("a, b, = x") == [.assign(["a", "b"], x)])
    #expect(try statements("return (x, (x)[0])") == [.return(.tuple([x, .element(x, .int(0))]))])
    #expect(try statements("return (x,)") == [.return(.tuple([x]))])
    #expect(
      try statements("y = torch.add(x, x, alpha=2)") == [
        .assign(
          ["y"],
          .call(.attribute(.name("torch"), "add"), [x, x], [.init(name: "alpha", value: .int(2))]))
      ])
    #expect(
      try statements("return (self.fc).forward(x, )") == [
        .return(.call(.attribute(.attribute(.name("self"), "fc"), "forward"), [x], []))
      ])
    #expect(try statements("pass\nreturn None") == [.pass, .return(ScriptSyntax.Expression.none)])
    #expect(try statements("for i in y:\n  y = x\nreturn x") == [.control("for"), .return(x)])
    let round = ScriptSyntax.Kind.assign(["y"], x)
    let loop = try statements("for i in range(3):\n  y = x\nreturn x")
    guard case .loop("i", .int(3), let body)? = loop.first else {
      Issue.record("\(loop)")
      return
    }
    #expect(body.map(\.kind) == [round])
    #expect(
      try statements("return {\"a\": x}") == [.return(.dictionary([.init(name: "a", value: x)]))])
  }

  /// However many there are, they leave the depth of what follows as it was.
  @Test func constantsThatAreNoExpressionsArePassedOver() throws {
    let constants = (0..<250).map { "  c\($0) : List[int] = [1 2]\n" }.joined()
    let file = try parse(
      "class A(Module):\n\(constants)  def forward(self) -> int:\n    return [1]\n")
    #expect(file.classes["A"]?.methods["forward"] != nil)
  }

  @Test func classes() throws {
    let file = try parse(
      """
      class A(Module):
        __parameters__ = ["w", ]
        w : Tensor
        size : Final[int] = 3
        def forward(self: __torch__.A,
          x: Tensor,
          hx: Optional[Tuple[Tensor, Tensor]]=None) -> Tuple[Tensor, Tensor]:
          if torch.__is__(hx, None):
            y = x
          else:
            y = x
          return (y, y)
      """)
    let found = try #require(file.classes["A"])
    #expect(found.constants["size"] == .int(3))
    let forward = try #require(found.methods["forward"])
    #expect(
      forward.parameters.map(\.type) == ["__torch__.A", "Tensor", "Optional[Tuple[Tensor,Tensor]]"])
    #expect(forward.line == 5 && forward.body.map(\.line) == [8, 12])
  }

  @Test(arguments: [
    ("def f(x", 1), ("def f(x: Tensor) -> Tensor:\n  y = (x", 2), ("def f(x):\n  y = \"a", 2),
    ("def f(x):\n  1 = x", 2), ("def f(x):\n  y = {a", 2), ("def f(x):\n  y = 1.2.3", 2),
    ("class", 1), ("def f(x):\n  y = \(String(repeating: "(", count: 500))", 2),
  ])
  func refused(code: String, line: Int) throws {
    let error = #expect(throws: ScriptError.self) { try parse(code) }
    #expect(error?.line == line)
  }
}
