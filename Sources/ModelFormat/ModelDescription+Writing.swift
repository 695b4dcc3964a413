import JSON

extension ModelDescription {
  /// Writes the description to `path`, which appears whole or not at all.
  package func write(to path: String) throws(ModelError) {
    try OpenFile.write(Array(json.utf8), to: path)
  }

  /// The text of a `model.json`, one line an input, node and output; it reads back as an equal description.
  ///
  /// The description's numbers must be finite, as `Model` demands.
  package var json: String {
    var fields = [
      field("format", ModelDescription.format.jsonText), field("name", name.jsonText),
      field("version", version.jsonText),
    ]
    if let summary { fields.append(field("summary", summary.jsonText)) }
    if let source { fields.append(field("source", source.jsonText)) }
    if let licence { fields.append(field("licence", licence.jsonText)) }
    if let example { fields.append(field("example", example)) }
    if let precision { fields.append(field("precision", precision.rawValue.jsonText)) }
    fields.append(field("inputs", lines(inputs.map(\.json))))
    fields.append(field("nodes", lines(nodes.map(\.json))))
    fields.append(field("outputs", lines(outputs.map(\.json))))
    return "{\n  \(fields.joined(separator: ",\n  "))\n}\n"
  }

  private func lines(_ objects: [String]) -> String {
    objects.isEmpty ? "[]" : "[\n    \(objects.joined(separator: ",\n    "))\n  ]"
  }
}

extension ModelDescription.Input {
  fileprivate var json: String {
    var fields = [field("name", name.jsonText)]
    switch kind {
    case .features(let size, let mean, let scale):
      fields += [field("kind", "\"features\""), field("size", "\(size)")]
      if let mean { fields.append(field("mean", JSONText.array(mean))) }
      if let scale { fields.append(field("scale", JSONText.array(scale))) }
    case .tokens(let size, let vocabulary):
      fields += [field("kind", "\"tokens\""), field("size", "\(size)")]
      if let vocabulary {
        let isCharacters = vocabulary.allSatisfy { $0.unicodeScalars.count == 1 }
        fields.append(
          field("vocabulary", isCharacters ? vocabulary.joined().jsonText : array(vocabulary)))
      }
    case .vector(let size):
      fields += [field("kind", "\"vector\""), field("size", "\(size)")]
    }
    if let axis { fields.append(field("axis", axis.jsonText)) }
    return object(fields)
  }
}

extension ModelDescription.Node {
  fileprivate var json: String {
    var fields = [
      field("name", name.jsonText), field("op", op.name.jsonText),
      field("inputs", "[\(inputs.map { $0?.jsonText ?? "null" }.joined(separator: ", "))]"),
    ]
    if let weights { fields.append(field("weights", weights.jsonText)) }
    fields += op.attributes.map { field($0.key, $0.json) }
    return object(fields)
  }
}

extension ModelDescription.Output {
  fileprivate var json: String {
    var fields = [field("name", name.jsonText)]
    if let labels { fields.append(field("labels", array(labels))) }
    if let forecasts { fields.append(field("forecasts", forecasts.jsonText)) }
    if let decode { fields.append(field("decode", decode.json)) }
    if let reconstructs { fields.append(field("reconstructs", reconstructs.json)) }
    return object(fields)
  }
}

private func field(_ key: String, _ text: String) -> String { "\(key.jsonText): \(text)" }
private func object(_ fields: [String]) -> String { "{ \(fields.joined(separator: ", ")) }" }
private func array(_ texts: [String]) -> String {
  "[\(texts.map(\.jsonText).joined(separator: ", "))]"
}
