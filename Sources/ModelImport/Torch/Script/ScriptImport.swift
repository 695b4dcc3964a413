/// Imports a TorchScript archive.
struct ScriptImport {
  private let module: ScriptModule
  private let weights: ScriptWeights
  private let forward: ScriptSyntax.Function

  init(_ source: SourceFile, _ records: ZipRecords) throws(ImportError) {
    module = try ScriptModule(source, records)
    weights = ScriptWeights(module.file, fileBytes: source.bytes.count)
    guard let (_, definition) = module.type(of: module.file.root),
      let forward = definition.methods["forward"]
    else {
      throw ImportError(
        file: source.path, problem: "found no forward in the archive's code",
        remedy: "its weights are read with a graph: --graph model.json")
    }
    self.forward = forward
  }

  func draft(
    named name: String, options: GraphTranslation.Options
  ) throws(ImportError) -> FolderDraft {
    try options.checkNames(ScriptInputs.names(of: forward))
    // That a number of elements is not told tells more than what readings with other axes are refused for.
    var unsized: ImportError?
    do throws(ImportError) {
      return try InputAlternatives.folder(options) { options throws(ImportError) in
        try translated(name, options, unsized: &unsized)
      }
    } catch { throw unsized.map(told) ?? error }
  }

  /// - Parameter unsized: becomes the error where a number of elements would be a guess.
  private func translated(
    _ name: String, _ options: GraphTranslation.Options, unsized: inout ImportError?
  ) throws(ImportError) -> FolderDraft {
    var first: ImportError?
    var options = options
    options.takesWholeNumbers = module.tracedInputs() != nil
    for inputs in try candidates(options.shapes) {
      do throws(ImportError) {
        let draft = try InputAlternatives(inputs: inputs).folder(named: name, options: options) {
          inputs throws(ImportError) in
          try ScriptExecution.graph(module, weights, inputs: inputs)
        }
        let sized = inputs.map { $0.taking(sizesOf: draft) }
        guard let input = sized.first(where: { isOfAnySize($0, among: sized) }) else {
          return draft
        }
        let error = ImportError(
          file: "",
          problem:
            "found nothing that tells how many elements the input \(input.name) has: the module computes with any number"
        )
        unsized = unsized ?? error
        throw error
      } catch {
        first = first ?? error
        // Read as one sequence without its batch, other operators would be carried than those of what the module is called with.
        if module.tracedInputs() == nil, options.shapes.isEmpty, runs(inputs) {
          throw told(error)
        }
      }
    }
    let error = first ?? ImportError(file: "", problem: "found a forward without tensors")
    throw options.shapes.isEmpty ? told(error) : error
  }

  /// Whether the module computes just as well with one more element of `input`, whose number is guessed: then no operator
  /// needs this number, and a part of the elements would be passed over.
  private func isOfAnySize(
    _ input: InputAlternatives.Input, among inputs: [InputAlternatives.Input]
  ) -> Bool {
    guard input.isGuessed, let size = input.sizes.last ?? nil else { return false }
    let wider = InputAlternatives.Input(
      name: input.name, kind: input.kind, sizes: input.sizes.dropLast() + [size + 1])
    let others = inputs.map { $0 == input ? wider : $0 }
    // Ids may be numbers of the folder, but are none of the module.
    return runs(others) || runs(others, as: .integer)
  }

  /// Whether the module computes sequences of a batch of these sizes, so that it is made for such.
  ///
  /// - Parameter kind: what its inputs are in their stead, which are numbers.
  private func runs(
    _ inputs: [InputAlternatives.Input], as kind: SourceTensor.Kind = .float
  ) -> Bool {
    guard inputs.allSatisfy({ $0.kind == .float && $0.sizes.count == 3 && $0.sizes[2] != nil })
    else { return false }
    var tensors: [String: SourceTensor] = [:]
    let fixed = inputs.map { input in
      let sizes = zip(input.sizes, [2, 5, 1]).map { $0 ?? $1 }
      tensors[input.name] = SourceTensor(
        repeating: kind == .float ? 0.5 : 0, shape: sizes, kind: kind)
      return SourceGraph.Input(name: input.name, kind: kind, dimensions: sizes.map { .fixed($0) })
    }
    var interpreter = GraphInterpreter(
      opset: AtenTranslation.opset, inputs: tensors, budget: GraphInterpreter.checkBudget)
    do {
      try interpreter.run(try ScriptExecution.graph(module, weights, inputs: fixed))
      return true
    } catch { return false }
  }

  private func told(_ error: ImportError) -> ImportError {
    var error = error
    // Sizes that don't fit may be wrong guesses; other errors are so with any.
    let isRaised = error.problem.contains("would raise")
    let isOfSizes = [
      "[", "values for", "axes", "how many elements", "indices", "ids", "booleans", " steps",
    ].contains { error.problem.contains($0) }
    if module.tracedInputs() == nil, isRaised || isOfSizes {
      let others = error.remedy.map { "; if it is refused then too: \($0)" }
      error.remedy =
        "a scripted module does not say the sizes of its inputs: give those with which it runs in PyTorch, for each axis, 0 for the batch and the steps: \(shapeForms); "
        + "or trace it: torch.jit.trace(model.eval(), (x,))" + (others ?? "")
    } else if error.remedy == nil, isRaised {
      error.remedy =
        "trace the model with an input for which it raises none: torch.jit.trace(model.eval(), (x,))"
    }
    return error
  }

  /// The options for the inputs' shapes: the forms that they may have, the likeliest first.
  private var shapeForms: String {
    let names = ScriptInputs.names(of: forward)
    var forms: [(sizes: String, meaning: String)] = [
      ("0,0,N", "steps of N numbers"), ("0,0", "ids"), ("0,N", "a vector"),
      ("0,C,H,W", "an image"),
    ]
    if isText { forms.swapAt(0, 1) } else if hasImages { forms.swapAt(0, 3) }
    let all = names.prefix(4).map { "--shape '\($0)=\(forms[0].sizes)'" }
      .joined(separator: " ")
    let others = forms.dropFirst().map { "\($0.sizes) for \($0.meaning)" }
    return "\(all) for \(forms[0].meaning) (\(others.joined(separator: ", ")))"
  }

  /// Whether the module has a convolution of images.
  private var hasImages: Bool {
    module.file.graph.nodes.contains { node in
      if case .global(_, let name) = node { name == "Conv2d" } else { false }
    }
  }

  /// The possible inputs: those of the trace, or guesses from the weights; with the person's sizes.
  private func candidates(
    _ shapes: [String: [Int]]
  ) throws(ImportError) -> [[InputAlternatives.Input]] {
    var found: [[InputAlternatives.Input]] = []
    for inputs in alternatives() {
      let given = inputs.map { input in
        // Sizes that were guessed give way to the person's.
        guard let sizes = shapes[input.name],
          module.tracedInputs() == nil || sizes.count != input.sizes.count
        else {
          var input = input
          input.isGuessed = module.tracedInputs() == nil
          return input
        }
        return InputAlternatives.Input(
          name: input.name, kind: input.kind, sizes: sizes.map { $0 == 0 ? nil : $0 })
      }
      if !found.contains(given) { found.append(given) }
    }
    return found
  }

  private func alternatives() -> [[InputAlternatives.Input]] {
    let names = ScriptInputs.names(of: forward)
    if let traced = module.tracedInputs(), traced.count >= names.count, !names.isEmpty {
      return [
        zip(names, traced).map { name, tensor in
          let kind: SourceTensor.Kind =
            tensor.type == .bool ? .boolean : tensor.type.isConvertible ? .float : .integer
          return InputAlternatives.Input(name: name, kind: kind, sizes: tensor.shape)
        }
      ]
    }
    func all(_ kind: SourceTensor.Kind, rank: Int) -> [InputAlternatives.Input] {
      names.map { .init(name: $0, kind: kind, sizes: Array(repeating: nil, count: rank)) }
    }
    let ids = [2, 1].map { all(.integer, rank: $0) }
    let sizes = module.file.inputSizes
    var found: [[InputAlternatives.Input]] = []
    // Inputs may differ in size: a state has as many elements as there are units.
    for choice in Self.choices(of: Array(sizes.prefix(4)), count: names.count) {
      for lead in [[nil, nil], [nil]] as [[Int?]] {
        found.append(zip(names, choice).map { .init(name: $0, kind: .float, sizes: lead + [$1]) })
      }
      // Inputs after the first may be states of one layer and direction.
      guard names.count > 1 else { continue }
      found.append(
        zip(names, choice).enumerated().map { index, input in
          .init(name: input.0, kind: .float, sizes: [index == 0 ? nil : 1, nil, input.1])
        })
    }
    // The weights of a frozen module have no names; the operator that uses an input tells its size.
    found += [3, 2].map { all(.float, rank: $0) }
    if names.count > 1 {
      // Ids or steps, with vectors or sequence lengths.
      for (kind, rank) in [(SourceTensor.Kind.integer, 2), (.float, 3)] {
        for (other, otherRank) in [(SourceTensor.Kind.integer, 1), (.float, 2)] {
          found.append(
            Array(all(kind, rank: rank).prefix(1)) + all(other, rank: otherRank).dropFirst())
        }
      }
    }
    return isText ? ids + found : found + ids
  }

  /// All choices of `count` sizes, first those with one size for all; only these if there would be too many.
  private static func choices(of sizes: [Int], count: Int) -> [[Int]] {
    var choices = sizes.map { Array(repeating: $0, count: count) }
    guard count > 1, count <= 3 else { return choices }
    var all: [[Int]] = [[]]
    for _ in 0..<count { all = all.flatMap { choice in sizes.map { choice + [$0] } } }
    choices += all.filter { Set($0).count > 1 }
    return choices
  }

  /// Whether the module has an embedding, or had one before it was frozen.
  private var isText: Bool {
    module.callsEmbedding
      || module.file.graph.nodes.contains { node in
        if case .global(_, let name) = node { name == "Embedding" } else { false }
      }
  }
}

extension InputAlternatives.Input {
  /// The input with the number of elements that a step of it has in the folder, if none was known; behind a batch, also where the
  /// folder reads ids of two axes as one sequence.
  fileprivate func taking(sizesOf draft: FolderDraft) -> Self {
    guard sizes.count == 3 || kind == .integer && sizes.count == 2, sizes.last == .some(nil),
      case .features(let size, _, _)? = draft.description.inputs.first(where: { $0.name == name })?
        .kind
    else { return self }
    var input = Self(name: name, kind: .float, sizes: [nil, nil, size])
    input.isGuessed = isGuessed
    return input
  }
}

extension TorchFile {
  /// The input sizes of the file's weights, in order: the sizes that an input may have.
  fileprivate var inputSizes: [Int] {
    var sizes: [Int] = []
    for (_, tensor) in StateDict(PickledTensors(graph), root: root).tensors {
      guard tensor.shape.count >= 2, !sizes.contains(tensor.shape[1]) else { continue }
      sizes.append(tensor.shape[1])
    }
    return sizes
  }
}
