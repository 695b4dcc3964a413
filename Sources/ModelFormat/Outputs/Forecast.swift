import JSON

extension ModelDescription {
  /// The forecast that is fed back as the input of the next steps.
  package enum Feedback: String, Sendable, CaseIterable {
    case mean, median
  }
}

extension Model {
  /// How a model forecasts its only input, which has to be a features input.
  package struct Forecast: Sendable, Equatable {
    /// The elements of an output that form one forecast: element `first` and every `stride`-th after it.
    package struct Part: Sendable, Equatable {
      package let output: Int
      package let first: Int
      package let stride: Int

      package func elements(of row: [Float]) -> [Float] {
        guard stride > 1 else { return row }
        return Swift.stride(from: first, to: row.count, by: stride).map { row[$0] }
      }
    }

    package struct Quantile: Sendable, Equatable {
      package let level: Float
      package let part: Part

      /// The level as it is written in `model.json`.
      package var text: String { level.description }
    }

    /// The input that is forecast, an index in `description.inputs`.
    package let input: Int
    /// The number of elements of a step.
    package let size: Int
    /// The number of steps of one forecast.
    package let stepCount: Int
    /// The part that is answered as the forecast: the mean, or else the median.
    package let point: Part
    /// The part that becomes the input of the next steps.
    package let feedback: Part
    /// The quantiles, from the lowest level.
    package let quantiles: [Quantile]

    /// The point, then the quantiles.
    package var parts: [Part] { [point] + quantiles.map(\.part) }
  }
}

extension Model.Forecast {
  /// The forecast of a model; nil if it has other inputs, or no output that forecasts features.
  init?(
    of description: ModelDescription, outputs: [Model.ResolvedOutput]
  ) throws(ModelError) {
    guard description.inputs.count == 1,
      case .features(let size, _, _) = description.inputs[0].kind
    else { return nil }
    let series = outputs.indices.filter { outputs[$0].forecasts != nil }
    guard let first = series.first else { return nil }
    func stepCount(_ output: Int) -> Int {
      outputs[output].size / size / Swift.max(1, description.outputs[output].quantiles?.count ?? 1)
    }
    var quantiles: [Quantile] = []
    for output in series {
      let levels = description.outputs[output].quantiles ?? []
      for (index, level) in levels.enumerated() {
        let path = "outputs[\(output)].quantiles[\(index)]"
        if quantiles.contains(where: { $0.level == level }) {
          throw .unexpected(
            path: path, found: "\(level)", expected: "a quantile that no other forecast is")
        }
        quantiles.append(
          Quantile(
            level: level,
            part: Part(output: output, first: index, stride: levels.count)))
      }
      guard levels.isEmpty || stepCount(output) == stepCount(first) else {
        throw .unexpected(
          path: "outputs[\(output)].quantiles", found: "\(stepCount(output)) steps",
          expected: "\(stepCount(first)) steps, as \(outputs[first].name.jsonExcerpt) has")
      }
    }
    let mean = series.first { description.outputs[$0].quantiles == nil }
      .map { Part(output: $0, first: 0, stride: 1) }
    let median = quantiles.first { $0.level == 0.5 }?.part
    guard let point = mean ?? median else {
      throw .unexpected(
        path: "outputs[\(first)].quantiles", found: "neither the median nor the mean",
        expected: "0.5 among the quantiles, or an output that forecasts without quantiles: "
          + "it goes in again as the next steps")
    }
    let asked = series.filter { description.outputs[$0].feedback != nil }
    if let other = asked.first(where: {
      description.outputs[$0].feedback != description.outputs[asked[0]].feedback
    }) {
      throw .unexpected(
        path: "outputs[\(other)].feedback",
        found: description.outputs[other].feedback!.rawValue.jsonText,
        expected: "what outputs[\(asked[0])].feedback says")
    }
    var feedback = point
    if let output = asked.first, let asked = description.outputs[output].feedback {
      guard let part = asked == .mean ? mean : median else {
        throw .unexpected(
          path: "outputs[\(output)].feedback", found: asked.rawValue.jsonText,
          expected: asked == .mean
            ? "\"median\", as no output forecasts without quantiles"
            : "\"mean\", as no quantile is 0.5")
      }
      feedback = part
    }
    self.init(
      input: 0, size: size, stepCount: stepCount(point.output), point: point, feedback: feedback,
      quantiles: quantiles.sorted { $0.level < $1.level })
  }
}

extension Model.Forecast {
  /// Checks an output's attributes for forecasts. `size` is the size of the features input that it forecasts; nil if it
  /// forecasts none.
  static func check(
    _ output: ModelDescription.Output, size: Int?, outputSize: Int, path: String
  ) throws(ModelError) {
    if let feedback = output.feedback, size == nil {
      throw .unexpected(
        path: "\(path).feedback", found: feedback.rawValue.jsonText,
        expected: "nothing, as the output does not forecast features")
    }
    guard let quantiles = output.quantiles else { return }
    guard let size else {
      throw .unexpected(
        path: "\(path).quantiles", found: "\(quantiles.count)",
        expected: "nothing, as the output does not forecast features")
    }
    guard (1...ModelLimits.quantiles).contains(quantiles.count) else {
      throw .unexpected(
        path: "\(path).quantiles", found: "\(quantiles.count)",
        expected: "1 to \(ModelLimits.quantiles) numbers")
    }
    if let index = quantiles.firstIndex(where: { !($0 > 0 && $0 < 1) }) {
      throw .unexpected(
        path: "\(path).quantiles[\(index)]", found: "\(quantiles[index])",
        expected: "a number between 0 and 1")
    }
    guard outputSize.isMultiple(of: size * quantiles.count) else {
      throw .unexpected(
        path: "\(path).quantiles", found: "\(quantiles.count)",
        expected: "so many that the output's \(outputSize) elements are a number for each of them "
          + "and each of the input's \(size)")
    }
  }
}
