import JSON

extension ModelDescription {
  /// The value of `format` that this version reads and writes.
  static let format = "carousel/1"

  private static let keys = [
    "format", "name", "version", "summary", "source", "licence", "example", "precision", "inputs",
    "nodes", "outputs", "decoder",
  ]

  /// Reads a `model.json`.
  package init(path: String) throws(ModelError) {
    let file = try OpenFile(path: path)
    guard file.size <= ModelLimits.descriptionBytes else {
      throw .fileTooLarge(path: path, found: file.size, limit: ModelLimits.descriptionBytes)
    }
    let bytes = try file.read()
    do { try self.init(json: bytes) } catch { throw .inFile(path: path, error) }
  }

  /// Reads the bytes of a `model.json`: syntax, keys and types. `Model` checks the graph.
  package init(json bytes: [UInt8]) throws(ModelError) {
    let root = try JSONField(document: bytes)
    let object = try root.object(known: ModelDescription.keys)
    let formatField = try object.required("format", expected: ModelDescription.format.jsonText)
    guard try formatField.string() == ModelDescription.format else {
      throw formatField.unexpected(ModelDescription.format.jsonText)
    }
    var inputs: [Input] = []
    for field in try object.required("inputs", expected: "an array").array() {
      inputs.append(try Input(field))
    }
    var nodes: [Node] = []
    for field in try object.required("nodes", expected: "an array").array() {
      nodes.append(try Node(field))
    }
    var outputs: [Output] = []
    let decoder = try object["decoder"].map { (field) throws(ModelError) in try Decoder(field) }
    if decoder == nil || object["outputs"] != nil {
      for field in try object.required("outputs", expected: "an array").array() {
        outputs.append(try Output(field))
      }
    }
    self.init(
      name: try object.required("name", expected: "a string").string(),
      version: try object.required("version", expected: "a string").string(),
      summary: try object["summary"]?.string(), source: try object["source"]?.string(),
      licence: try object["licence"]?.string(), example: object["example"]?.value.text,
      precision: try object["precision"]?.precision(), inputs: inputs, nodes: nodes,
      outputs: outputs, decoder: decoder)
  }
}

extension JSONField {
  fileprivate func precision() throws(ModelError) -> Precision {
    guard let precision = Precision(rawValue: try string()) else {
      throw unexpected("\"f32\", \"f16\" or \"int8\"")
    }
    return precision
  }
}

extension ModelDescription.Input {
  init(_ field: JSONField) throws(ModelError) {
    let kindField = try field.object().required("kind", expected: "a string")
    let kind: Kind
    switch try kindField.string() {
    case "features":
      let object = try field.object(known: [
        "name", "kind", "size", "mean", "scale", "axis", "steps",
      ])
      let size = try object.size()
      kind = .features(
        size: size, mean: try object["mean"]?.floats(spreadOver: size),
        scale: try object["scale"]?.floats(spreadOver: size))
    case "tokens":
      let object = try field.object(known: ["name", "kind", "size", "vocabulary", "axis", "steps"])
      let vocabulary = try object["vocabulary"]?.vocabulary()
      if let vocabulary, object["size"] == nil {
        kind = .tokens(size: vocabulary.count, vocabulary: vocabulary)
      } else {
        kind = .tokens(size: try object.size(), vocabulary: vocabulary)
      }
    case "vector":
      kind = .vector(size: try field.object(known: ["name", "kind", "size"]).size())
    default: throw kindField.unexpected("\"features\", \"tokens\" or \"vector\"")
    }
    self.init(
      name: try field.object().required("name", expected: "a string").string(), kind: kind,
      axis: try field.object()["axis"]?.string(), steps: try field.object()["steps"]?.integer())
  }
}

extension ModelDescription.Node {
  init(_ field: JSONField) throws(ModelError) {
    let opField = try field.object().required("op", expected: "a string")
    let opName = try opField.string()
    guard var op = ModelDescription.Op.all.first(where: { $0.name == opName }) else {
      let known = ModelDescription.Op.all.map(\.name).joined(separator: ", ")
      throw opField.unexpected("one of \(known)")
    }
    let object = try field.object(
      known: ["name", "op", "inputs", "weights"] + (op.maskedInput == nil ? [] : ["mask"])
        + op.attributeKeys)
    try op.read(object)
    var inputs: [String?] = []
    for field in try object.required("inputs", expected: "an array of names").array() {
      if case .null = field.value { inputs.append(nil) } else { inputs.append(try field.string()) }
    }
    self.init(
      name: try object.required("name", expected: "a string").string(), op: op, inputs: inputs,
      weights: try object["weights"]?.string(), mask: try object["mask"]?.string())
  }
}

extension ModelDescription.Output {
  init(_ field: JSONField) throws(ModelError) {
    let object = try field.object(
      known: ["name", "labels", "forecasts", "quantiles", "feedback", "decode", "reconstructs"])
    self.init(
      name: try object.required("name", expected: "a string").string(),
      labels: try object["labels"]?.strings(), forecasts: try object["forecasts"]?.string())
    if let field = object["decode"] { decode = try ModelDescription.Decode(field) }
    if let field = object["reconstructs"] {
      reconstructs = try ModelDescription.Reconstruction(field)
    }
    quantiles = try object["quantiles"]?.floats()
    if let field = object["feedback"] {
      guard let known = ModelDescription.Feedback(rawValue: try field.string()) else {
        throw field.unexpected("\"mean\" or \"median\"")
      }
      feedback = known
    }
  }
}

extension JSONObject {
  fileprivate func size() throws(ModelError) -> Int {
    try required("size", expected: "a whole number").count()
  }
}

extension JSONField {
  /// An array of numbers, or one number to repeat `size` times.
  fileprivate func floats(spreadOver size: Int) throws(ModelError) -> [Float] {
    guard case .number = value, size <= ModelLimits.size else { return try floats() }
    return Array(repeating: try float(), count: size)
  }

  /// An array of strings, or one string whose Unicode scalars are the tokens.
  fileprivate func vocabulary() throws(ModelError) -> [String] {
    guard case .string(let text) = value else { return try strings() }
    return text.unicodeScalars.map { String($0) }
  }
}
