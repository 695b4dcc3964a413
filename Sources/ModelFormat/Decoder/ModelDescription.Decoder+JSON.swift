import JSON

extension ModelDescription.Decoder {
  init(_ field: JSONField) throws(ModelError) {
    let object = try field.object(known: [
      "inputs", "nodes", "outputs", "start", "end", "max_steps", "separator",
    ])
    var inputs: [Input] = []
    for field in try object.required("inputs", expected: "an array").array() {
      inputs.append(try Input(field))
    }
    var nodes: [ModelDescription.Node] = []
    for field in try object.required("nodes", expected: "an array").array() {
      nodes.append(try ModelDescription.Node(field))
    }
    var outputs: [ModelDescription.Output] = []
    for field in try object.required("outputs", expected: "an array").array() {
      outputs.append(try ModelDescription.Output(field))
    }
    var end: [Token] = []
    if let field = object["end"] {
      if case .array = field.value {
        for field in try field.array() { end.append(try field.token()) }
      } else {
        end = [try field.token()]
      }
    }
    self.init(
      inputs: inputs, nodes: nodes, outputs: outputs,
      start: try object.required("start", expected: JSONField.tokenForms).token(), end: end,
      maxSteps: try object.required("max_steps", expected: "a whole number").count(),
      separator: try object["separator"]?.string())
  }

  var json: String {
    var fields = [
      jsonField("inputs", jsonLines(inputs.map(\.json), indent: 6)),
      jsonField("nodes", jsonLines(nodes.map(\.json), indent: 6)),
      jsonField("outputs", jsonLines(outputs.map(\.json), indent: 6)),
      jsonField("start", start.json),
    ]
    if !end.isEmpty {
      fields.append(
        jsonField(
          "end",
          end.count == 1 ? end[0].json : "[\(end.map(\.json).joined(separator: ", "))]"))
    }
    fields.append(jsonField("max_steps", "\(maxSteps)"))
    if let separator { fields.append(jsonField("separator", separator.jsonText)) }
    return "{\n    \(fields.joined(separator: ",\n    "))\n  }"
  }
}

extension ModelDescription.Decoder.Input {
  fileprivate init(_ field: JSONField) throws(ModelError) {
    let all = try field.object()
    let name = try all.required("name", expected: "a string").string()
    guard all["kind"] == nil else {
      let kindField = try all.required("kind", expected: "\"tokens\"")
      guard try kindField.string() == "tokens" else {
        throw kindField.unexpected("\"tokens\"; other inputs say what they are \"from\"")
      }
      guard case .tokens(let size, let vocabulary) = try ModelDescription.Input(field).kind else {
        preconditionFailure("an input of tokens is read as another kind")
      }
      self.init(name: name, source: .tokens(size: size, vocabulary: vocabulary))
      return
    }
    guard let next = all["next"] else {
      let object = try field.object(known: ["name", "from"])
      let from = try object.required(
        "from", expected: "the name of a value of the encoder, or \"kind\": \"tokens\"")
      self.init(name: name, source: .encoder(try from.string()))
      return
    }
    _ = try field.object(known: ["name", all["from"] == nil ? "size" : "from", "next"])
    if let from = all["from"] {
      self.init(
        name: name,
        source: .feedback(of: try next.string(), first: .encoder(try from.string())))
    } else {
      let size = try all.required("size", expected: "a whole number, or \"from\"").count()
      self.init(name: name, source: .feedback(of: try next.string(), first: .zeros(size: size)))
    }
  }

  fileprivate var json: String {
    var fields = [jsonField("name", name.jsonText)]
    switch source {
    case .tokens(let size, let vocabulary):
      return ModelDescription.Input(
        name: name, kind: .tokens(size: size, vocabulary: vocabulary)
      ).json
    case .encoder(let from): fields.append(jsonField("from", from.jsonText))
    case .feedback(let next, let first):
      switch first {
      case .encoder(let from): fields.append(jsonField("from", from.jsonText))
      case .zeros(let size): fields.append(jsonField("size", "\(size)"))
      }
      fields.append(jsonField("next", next.jsonText))
    }
    return jsonObject(fields)
  }
}

extension ModelDescription.Decoder.Token {
  fileprivate var json: String {
    switch self {
    case .id(let id): "\(id)"
    case .text(let text): text.jsonText
    }
  }
}

extension JSONField {
  fileprivate static let tokenForms = "an id, or a text of the vocabulary"

  fileprivate func token() throws(ModelError) -> ModelDescription.Decoder.Token {
    switch value {
    case .number: .id(try count())
    case .string(let text): .text(text)
    default: throw unexpected(Self.tokenForms)
    }
  }
}
