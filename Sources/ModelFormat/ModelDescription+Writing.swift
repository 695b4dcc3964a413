import JSON

extension ModelDescription {
  /// Writes the description to `path`, which appears whole or not at all.
  package func write(to path: String) throws(ModelError) {
    try OpenFile.write(Array(json.utf8), to: path)
  }

  /// The text of a `model.json`, with a line for each input, node and output; it reads back as an equal description.
  ///
  /// The description's numbers have to be finite.
  package var json: String {
    var fields = [
      jsonField("format", ModelDescription.format.jsonText), jsonField("name", name.jsonText),
      jsonField("version", version.jsonText),
    ]
    if let summary { fields.append(jsonField("summary", summary.jsonText)) }
    if let source { fields.append(jsonField("source", source.jsonText)) }
    if let licence { fields.append(jsonField("licence", licence.jsonText)) }
    if let example { fields.append(jsonField("example", example)) }
    if let precision { fields.append(jsonField("precision", precision.rawValue.jsonText)) }
    fields.append(jsonField("inputs", jsonLines(inputs.map(\.json))))
    fields.append(jsonField("nodes", jsonLines(nodes.map(\.json))))
    if decoder == nil || !outputs.isEmpty {
      fields.append(jsonField("outputs", jsonLines(outputs.map(\.json))))
    }
    if let decoder { fields.append(jsonField("decoder", decoder.json)) }
    return "{\n  \(fields.joined(separator: ",\n  "))\n}\n"
  }

}

extension ModelDescription.Input {
  var json: String {
    var fields = [jsonField("name", name.jsonText)]
    switch kind {
    case .features(let size, let mean, let scale):
      fields += [jsonField("kind", "\"features\""), jsonField("size", "\(size)")]
      if let mean { fields.append(jsonField("mean", JSONText.array(mean))) }
      if let scale { fields.append(jsonField("scale", JSONText.array(scale))) }
    case .tokens(let size, let vocabulary):
      fields += [jsonField("kind", "\"tokens\""), jsonField("size", "\(size)")]
      if let vocabulary {
        let isCharacters = vocabulary.allSatisfy { $0.unicodeScalars.count == 1 }
        fields.append(
          jsonField("vocabulary", isCharacters ? vocabulary.joined().jsonText : array(vocabulary)))
      }
    case .vector(let size):
      fields += [jsonField("kind", "\"vector\""), jsonField("size", "\(size)")]
    }
    if let axis { fields.append(jsonField("axis", axis.jsonText)) }
    if let steps { fields.append(jsonField("steps", "\(steps)")) }
    return jsonObject(fields)
  }
}

extension ModelDescription.Node {
  var json: String {
    var fields = [
      jsonField("name", name.jsonText), jsonField("op", op.name.jsonText),
      jsonField("inputs", "[\(inputs.map { $0?.jsonText ?? "null" }.joined(separator: ", "))]"),
    ]
    if let weights { fields.append(jsonField("weights", weights.jsonText)) }
    if let mask { fields.append(jsonField("mask", mask.jsonText)) }
    fields += op.attributes.map { jsonField($0.key, $0.json) }
    return jsonObject(fields)
  }
}

extension ModelDescription.Output {
  var json: String {
    var fields = [jsonField("name", name.jsonText)]
    if let labels { fields.append(jsonField("labels", array(labels))) }
    if let forecasts { fields.append(jsonField("forecasts", forecasts.jsonText)) }
    if let quantiles { fields.append(jsonField("quantiles", JSONText.array(quantiles))) }
    if let feedback { fields.append(jsonField("feedback", feedback.rawValue.jsonText)) }
    if let decode { fields.append(jsonField("decode", decode.json)) }
    if let reconstructs { fields.append(jsonField("reconstructs", reconstructs.json)) }
    return jsonObject(fields)
  }
}

func jsonField(_ key: String, _ text: String) -> String { "\(key.jsonText): \(text)" }
func jsonObject(_ fields: [String]) -> String { "{ \(fields.joined(separator: ", ")) }" }
private func array(_ texts: [String]) -> String {
  "[\(texts.map(\.jsonText).joined(separator: ", "))]"
}

/// An array of objects, one on each line.
func jsonLines(_ objects: [String], indent: Int = 4) -> String {
  let margin = String(repeating: " ", count: indent)
  return objects.isEmpty
    ? "[]"
    : "[\n\(margin)\(objects.joined(separator: ",\n\(margin)"))\n\(margin.dropLast(2))]"
}
