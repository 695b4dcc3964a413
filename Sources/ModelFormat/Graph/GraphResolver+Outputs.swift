import JSON

extension GraphResolver {
  func resolve(
    _ output: ModelDescription.Output, path: String, key: String = "name",
    use: String = "an output"
  ) throws(ModelError) -> Model.ResolvedOutput {
    let argument = try argument(output.name, path: "\(path).\(key)")
    guard let size = argument.form.size else {
      throw .inputForm(
        path: "\(path).\(key)", op: use, name: output.name, found: argument.form,
        expected: "a sequence or a vector")
    }
    if let labels = output.labels, labels.count != size {
      throw .unexpected(
        path: "\(path).labels", found: "\(labels.count)",
        expected: "\(size) labels, one an element of \(output.name.jsonExcerpt)")
    }
    var forecasts: Int?
    if let name = output.forecasts {
      forecasts = try forecast(of: name, outputSize: size, path: "\(path).forecasts")
    }
    var foretoldSize: Int?
    if let forecasts, case .features(let size, _, _) = description.inputs[forecasts].kind {
      foretoldSize = size
    }
    try Model.Forecast.check(output, size: foretoldSize, outputSize: size, path: path)
    var resolved = Model.ResolvedOutput(
      name: output.name, value: argument.value, form: argument.form,
      axis: argument.axis.flatMap { axes.axes.firstIndex(of: $0) }, labels: output.labels,
      forecasts: forecasts, decode: output.decode, labelTexts: output.labels)
    if let forecasts, output.labels == nil,
      case .tokens(_, let vocabulary) = description.inputs[forecasts].kind
    {
      resolved.labelTexts = vocabulary
    }
    if let decode = output.decode {
      resolved.tensors = try decode.resolve(
        resolved, inputs: description.inputs, tensors: tensors, path: "\(path).decode")
      resolved.mask = try decode.mask.map { (name) throws(ModelError) in
        try mask(named: name, of: argument, path: "\(path).decode.mask")
      }
    }
    if let reconstruction = output.reconstructs {
      resolved.reconstructs = try reconstruction.resolve(
        argument, inputs: description.inputs, axes: axes, path: "\(path).reconstructs")
    }
    return resolved
  }

  private func forecast(
    of name: String, outputSize: Int, path: String
  ) throws(ModelError) -> Int {
    let inputs = description.inputs.filter(\.kind.hasSteps).map { $0.name.jsonExcerpt }
    let expected = "the name of a features or tokens input (\(inputs.joined(separator: ", ")))"
    guard let index = description.inputs.firstIndex(where: { $0.name == name }) else {
      throw .unexpected(path: path, found: name.jsonExcerpt, expected: expected)
    }
    let size = description.inputs[index].kind.size
    switch description.inputs[index].kind {
    case .vector:
      throw .unexpected(path: path, found: name.jsonExcerpt, expected: expected)
    case .tokens:
      guard outputSize != size else { return index }
      throw .unexpected(
        path: path, found: "an input of \(size) tokens",
        expected: "one of as many as the output has scores, \(outputSize)")
    case .features: break
    }
    guard outputSize % size == 0 else {
      throw .unexpected(
        path: path, found: "an input of size \(size)",
        expected: "an input whose size divides the output's, \(outputSize)")
    }
    return index
  }
}
