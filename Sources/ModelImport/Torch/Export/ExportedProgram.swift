import ModelFormat

/// A graph of `torch.export.save` (.pt2): a list of calls of PyTorch's operators, and a signature of its inputs.
struct ExportedProgram {
  private let path: String
  private let graph: ExportedValue
  private let signature: ExportedValue
  private let weights: ExportedWeights

  /// The name of the program's record.
  static func record(in records: ZipRecords) -> String? {
    records.names.filter { name in
      name == "serialized_exported_program.json"
        || (name.hasPrefix("models/") && name.hasSuffix(".json"))
    }.min()
  }

  init(_ source: SourceFile, _ records: ZipRecords, record: String) throws(ImportError) {
    path = record
    let value = try ExportedValue(records, record)
    guard let module = value["graph_module"], let graph = module["graph"],
      let signature = module["signature"]
    else {
      throw ImportError(
        file: source.path, place: record,
        problem: "found no graph_module with a graph and a signature")
    }
    self.graph = graph
    self.signature = signature
    weights = try ExportedWeights(source, records, program: record)
  }

  // MARK: Inputs

  /// The inputs of the model, from the graph.
  func inputs() throws(ImportError) -> [InputAlternatives.Input] {
    var inputs: [InputAlternatives.Input] = []
    for spec in signature["input_specs"]?.elements ?? [] {
      guard let name = spec["user_input"]?["arg"]?["as_tensor"]?["name"]?.text else { continue }
      let meta = tensorMeta(name)
      let kind: SourceTensor.Kind =
        meta.isBoolean ? .boolean : meta.isWhole ? .integer : .float
      inputs.append(.init(name: name, kind: kind, sizes: meta.sizes, hints: meta.hints))
    }
    return inputs
  }

  private struct TensorMeta {
    var sizes: [Int?] = []
    var hints: [Int?] = []
    var (isWhole, isBoolean, isKnown) = (false, false, false)
  }

  private func tensorMeta(_ name: String) -> TensorMeta {
    guard let meta = graph["tensor_values"]?[name] else { return TensorMeta() }
    var result = TensorMeta()
    let sizes = meta["sizes"]?.elements ?? []
    result.sizes = sizes.map { $0["as_int"]?.int }
    result.hints = sizes.map { $0["as_expr"]?["hint"]?["as_int"]?.int }
    result.isKnown = true
    if let type = meta["dtype"]?.int.map(Self.atenType) {
      result.isWhole = !AtenShapes.floatTypes.contains(type)
      result.isBoolean = type == AtenShapes.booleanType
    }
    return result
  }

  /// PyTorch's number of a type, from that of the file: one less, but for bfloat16.
  private static func atenType(_ number: Int) -> Int { number == 13 ? 15 : number - 1 }

  // MARK: The graph

  /// The source graph, for inputs with the given axes.
  func sourceGraph(_ inputs: [SourceGraph.Input]) throws(ImportError) -> SourceGraph {
    var translation = AtenTranslation(maxConstants: weights.maxElements)
    var values: [String: AtenValue] = [:]
    var rest = inputs[...]
    for spec in signature["input_specs"]?.elements ?? [] {
      if let name = spec["user_input"]?["arg"]?["as_tensor"]?["name"]?.text {
        guard let input = rest.popFirst() else { continue }
        values[name] = .tensor(translation.addInput(input))
        continue
      }
      for (kind, key) in [
        ("parameter", "parameter_name"), ("buffer", "buffer_name"),
        ("tensor_constant", "tensor_constant_name"),
      ] {
        guard let found = spec[kind], let name = found["arg"]?["name"]?.text,
          let weight = found[key]?.text
        else { continue }
        values[name] = .tensor(translation.constant(try weights.constant(weight), named: weight))
      }
    }
    for (index, node) in (graph["nodes"]?.elements ?? []).enumerated() {
      try translate(node, index, &translation, &values)
    }
    for (index, spec) in (signature["output_specs"]?.elements ?? []).enumerated() {
      guard let argument = spec["user_output"]?["arg"] else { continue }
      guard case .tensor(let tensor) = try value(argument, values, "output \(index)") else {
        continue
      }
      try translation.addOutput(tensor, named: tensor.name)
    }
    return try translation.finished()
  }

  private func translate(
    _ node: ExportedValue, _ index: Int, _ translation: inout AtenTranslation,
    _ values: inout [String: AtenValue]
  ) throws(ImportError) {
    let target = node["target"]?.text ?? ""
    let place = "node \(index), \(target)"
    let outputs = node["outputs"]?.elements ?? []
    var (positional, named): ([AtenValue], [String: AtenValue]) = ([], [:])
    for input in node["inputs"]?.elements ?? [] {
      guard let argument = input["arg"] else { continue }
      let value = try value(argument, values, place)
      if let name = input["name"]?.text { named[name] = value }
      if input["kind"]?.int != 2 { positional.append(value) }
    }
    let parts = target.split(separator: ".").map(String.init)
    let name = target.hasPrefix("torch.ops.") && parts.count > 3 ? parts[3] : parts.last ?? target
    guard target.hasPrefix("torch.ops.aten.") || target.hasPrefix("_operator.") else {
      throw ImportError(
        file: "", place: place,
        problem: "found an operator that is none of PyTorch's own, or control flow",
        remedy:
          "save the state_dict, write the graph as model.json and give both: --graph model.json")
    }
    if [
      "_assert_tensor_metadata", "_assert_scalar", "sym_constrain_range",
      "sym_constrain_range_for_size",
    ].contains(name) {
      return
    }
    var names: [String?] = []
    for output in outputs {
      if let list = output["as_tensors"]?.elements {
        names += list.map { $0["name"]?.text }
      } else {
        names.append(
          output["as_tensor"]?["name"]?.text ?? output["as_sym_int"]?["as_name"]?.text
            ?? output["as_sym_bool"]?["as_name"]?.text ?? output["as_sym_float"]?["as_name"]?.text)
      }
    }
    // PyTorch's squeeze leaves axes of another size than 1 as they are.
    if name.hasPrefix("squeeze"), case .tensor(let x)? = positional.first,
      let name = names.first ?? nil, tensorMeta(name).isKnown,
      tensorMeta(name).sizes.count == x.rank
    {
      values[name] = .tensor(x)
      return
    }
    let result = try translation.call(
      AtenCall(
        name, positional, named, place: place, module: Self.module(of: node),
        resultCount: names.count > 1 ? names.count : nil))
    var results = [result]
    if case .list(let list) = result, names.count > 1 || list.count == names.count {
      results = list
    }
    for (name, result) in zip(names, results) {
      guard let name else { continue }
      guard case .tensor(var tensor) = result else {
        values[name] = result
        continue
      }
      let meta = tensorMeta(name)
      if meta.isKnown {
        tensor.rank = meta.sizes.count
        tensor.isWhole = meta.isWhole
        translation.recordExample(meta.sizes, of: tensor)
      }
      values[name] = .tensor(tensor)
    }
  }

  /// The path of a node's module: the last in `L__self__,,Model;L__self__fc,fc,torch.nn.modules.linear.Linear`.
  private static func module(of node: ExportedValue) -> String {
    let stack = node["metadata"]?["nn_module_stack"]?.text ?? ""
    let last = stack.split(separator: ";").last ?? ""
    let parts = last.split(separator: ",", omittingEmptySubsequences: false)
    return parts.count > 1 ? String(parts[1]) : ""
  }

  /// An argument of a call.
  private func value(
    _ argument: ExportedValue, _ values: [String: AtenValue], _ place: String
  ) throws(ImportError) -> AtenValue {
    guard let (kind, content) = argument.sole else { return .other("an argument") }
    func named(_ value: ExportedValue?) throws(ImportError) -> AtenValue {
      guard let name = value?.text else { return .none }
      guard let found = values[name] else {
        throw ImportError(
          file: "", place: place,
          problem: "found \"\(name.prefix(100))\", which no node before this one computes")
      }
      return found
    }
    switch kind {
    case "as_none": return .none
    case "as_tensor": return try named(content["name"])
    case "as_int": return content.int.map { .int($0) } ?? .other(kind)
    case "as_float": return content.double.map { .float($0) } ?? .other(kind)
    case "as_bool": return .bool(content.isTrue)
    case "as_string": return content.text.map { .text($0) } ?? .other(kind)
    // These numbers are PyTorch's plus one.
    case "as_scalar_type": return content.int.map { .int(Self.atenType($0)) } ?? .other(kind)
    case "as_sym_int", "as_sym_bool", "as_sym_float":
      if let name = content["as_name"] { return try named(name) }
      return try value(content, values, place)
    case "as_tensors":
      var list: [AtenValue] = []
      for element in content.elements { list.append(try named(element["name"])) }
      return .list(list)
    case "as_ints", "as_floats", "as_bools":
      return .list(
        content.elements.map { element in
          if kind == "as_ints" { return element.int.map { .int($0) } ?? .other(kind) }
          if kind == "as_bools" { return .bool(element.isTrue) }
          return element.double.map { .float($0) } ?? .other(kind)
        })
    case "as_sym_ints", "as_optional_tensors":
      var list: [AtenValue] = []
      for element in content.elements {
        if let name = element["as_name"] {
          list.append(try named(name))
        } else {
          list.append(try value(element, values, place))
        }
      }
      return .list(list)
    case "as_graph":
      throw ImportError(
        file: "", place: place, problem: "found control flow, which is not carried",
        remedy: "export the model for inputs that need none")
    default: return .other(kind)
    }
  }
}
