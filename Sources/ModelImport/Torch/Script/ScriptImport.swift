/// From a TorchScript archive to a model folder.
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
    var first: ImportError?
    for inputs in try candidates() {
      do throws(ImportError) {
        return try InputAlternatives(inputs: inputs).folder(named: name, options: options) {
          inputs throws(ImportError) in
          try ScriptExecution.graph(module, weights, inputs: inputs)
        }
      } catch {
        first = first ?? error
      }
    }
    throw first ?? ImportError(file: "", problem: "found a forward without tensors")
  }

  /// What the inputs may be: as they were traced, or by what the weights are for.
  private func candidates() throws(ImportError) -> [[InputAlternatives.Input]] {
    let names = ScriptInputs.names(of: forward)
    if let traced = module.tracedInputs(), traced.count >= names.count, !names.isEmpty {
      return [
        zip(names, traced).map { name, tensor in
          InputAlternatives.Input(
            name: name, kind: tensor.type.isConvertible ? .float : .integer, sizes: tensor.shape)
        }
      ]
    }
    let sizes = module.file.inputSizes
    var found: [[InputAlternatives.Input]] = [[], []]
    for rank in [2, 1] {
      found[2 - rank] = names.map {
        .init(name: $0, kind: .integer, sizes: Array(repeating: nil, count: rank))
      }
    }
    // Each input may have elements of its own: a state as many as there are units.
    for choice in Self.choices(of: Array(sizes.prefix(4)), count: names.count) {
      for lead in [[nil, nil], [nil]] as [[Int?]] {
        found.append(zip(names, choice).map { .init(name: $0, kind: .float, sizes: lead + [$1]) })
      }
      // Behind the first, states of one layer and direction.
      guard names.count > 1 else { continue }
      found.append(
        zip(names, choice).enumerated().map { index, input in
          .init(name: input.0, kind: .float, sizes: [index == 0 ? nil : 1, nil, input.1])
        })
    }
    return isText ? found : Array(found.dropFirst(2)) + found.prefix(2)
  }

  /// Every choice of `count` sizes, those of one size for all first; only these where there would be too many.
  private static func choices(of sizes: [Int], count: Int) -> [[Int]] {
    var choices = sizes.map { Array(repeating: $0, count: count) }
    guard count > 1, count <= 3 else { return choices }
    var all: [[Int]] = [[]]
    for _ in 0..<count { all = all.flatMap { choice in sizes.map { choice + [$0] } } }
    choices += all.filter { Set($0).count > 1 }
    return choices
  }

  /// Whether a part of the module is an embedding.
  private var isText: Bool {
    module.file.graph.nodes.contains { node in
      if case .global(_, let name) = node { name == "Embedding" } else { false }
    }
  }
}

extension TorchFile {
  /// What the weights of the file take in, in its order: the sizes that the elements of an input may have.
  fileprivate var inputSizes: [Int] {
    var sizes: [Int] = []
    for (_, tensor) in StateDict(PickledTensors(graph), root: root).tensors {
      guard tensor.shape.count >= 2, !sizes.contains(tensor.shape[1]) else { continue }
      sizes.append(tensor.shape[1])
    }
    return sizes
  }
}
