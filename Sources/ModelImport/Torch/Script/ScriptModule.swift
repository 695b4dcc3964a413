import ModelFormat

/// A TorchScript archive: the module and its submodules, with their code.
struct ScriptModule {
  let file: TorchFile
  /// The objects of `constants.pkl`, by number.
  private let constants: TorchFile?
  private let classes: [String: ScriptSyntax.Class]
  private let functions: [String: ScriptSyntax.Function]
  /// The file of each class and function, for errors.
  private let paths: [String: String]
  private let traced: TorchFile?
  private let constantWeights: ScriptWeights?
  /// The errors of code files that can't be parsed, by module; thrown if they are needed.
  private var problems: [String: ImportError] = [:]
  /// Whether the code calls an embedding.
  private(set) var callsEmbedding = false

  /// Whether an archive is TorchScript's.
  static func isThere(in records: ZipRecords) -> Bool {
    records.names.contains("constants.pkl") && records.names.contains { $0.hasPrefix("code/") }
  }

  init(_ source: SourceFile, _ records: ZipRecords) throws(ImportError) {
    file = try TorchFile(source)
    let constants = try? TorchFile(records, pickle: "constants.pkl", storages: "constants/")
    self.constants = constants
    constantWeights = constants.map { ScriptWeights($0, fileBytes: source.bytes.count) }
    traced = try? TorchFile(records, pickle: "traced_inputs.pkl", storages: "traced_inputs/")
    var classes: [String: ScriptSyntax.Class] = [:]
    var functions: [String: ScriptSyntax.Function] = [:]
    var paths: [String: String] = [:]
    for name in records.names.sorted() where name.hasPrefix("code/") && name.hasSuffix(".py") {
      let module = name.dropFirst("code/".count).dropLast(".py".count)
        .split(separator: "/").joined(separator: ".")
      let code = try records.content(name)
      callsEmbedding = callsEmbedding || Self.contains(code, "torch.embedding(")
      let parsed: ScriptSyntax.File
      do throws(ScriptError) { parsed = try ScriptParser.parse(code) } catch {
        problems[module] = ImportError(
          file: source.path, place: "\(name), line \(error.line)", problem: error.problem)
        continue
      }
      for (key, value) in parsed.classes {
        classes["\(module).\(key)"] = value
        paths["\(module).\(key)"] = name
      }
      for (key, value) in parsed.functions {
        functions["\(module).\(key)"] = value
        paths["\(module).\(key)"] = name
      }
    }
    self.classes = classes
    self.functions = functions
    self.paths = paths
  }

  private static func contains(_ code: [UInt8], _ text: String) -> Bool {
    String(decoding: code, as: UTF8.self).split(separator: "\n").contains { $0.contains(text) }
  }

  func function(_ name: String) -> ScriptSyntax.Function? { functions[name] }

  /// Why a class or a function is unknown: the error of its file; nil if there is no such file.
  func problem(of name: String) -> ImportError? {
    let parts = name.split(separator: ".")
    return problems[parts.dropLast().joined(separator: ".")]
  }

  func path(of name: String) -> String { paths[name] ?? name }

  /// The class of an object of the pickle, and its name.
  func type(
    of object: PickleGraph.Reference
  ) -> (name: String, definition: ScriptSyntax.Class)? {
    guard case .call(let call) = file.graph[object],
      let name = file.graph.globalName(call.function),
      let definition = classes[name]
    else { return nil }
    return (name, definition)
  }

  /// The tensor with a number in `constants.pkl`; nil if there is none.
  func constant(_ index: Int, place: String) throws(ImportError) -> SourceConstant? {
    guard let constants, let elements = constants.graph.elements(constants.root),
      elements.indices.contains(index)
    else { return nil }
    return try constantWeights?.constant(elements[index], name: "constant \(index)", place: place)
  }

  /// The tensors with which `forward` was traced; nil if it was not traced.
  func tracedInputs() -> [StridedTensor]? {
    guard let traced else { return nil }
    // Lists and dictionaries are wrapped with their types: `restore_type_tag(value, 'List[Any]')`.
    func untagged(_ reference: PickleGraph.Reference) -> PickleGraph.Reference {
      guard case .call(let call) = traced.graph[reference],
        let first = traced.graph.elements(call.arguments)?.first
      else { return reference }
      return first
    }
    guard let inputs = traced.graph.value("forward", of: untagged(traced.root)) else { return nil }
    let state = StateDict(PickledTensors(traced.graph), root: untagged(inputs))
    return state.tensors.isEmpty ? nil : state.tensors.map(\.tensor)
  }

  /// An attribute of an object.
  func attribute(
    _ name: String, of object: PickleGraph.Reference
  ) -> PickleGraph.Reference? {
    guard case .call(let call) = file.graph[object], let state = call.state else { return nil }
    return file.graph.value(name, of: state)
  }
}
