import ModelFormat

/// The difference between the steps of a sequence and their reconstruction by an output.
package struct ReconstructionError: Sendable, Equatable {
  /// For each step, the mean error of its elements.
  package let steps: [Float]
  /// The mean error of all steps.
  package let sequence: Float

  /// - Parameters:
  ///   - output: all steps of the output.
  ///   - values: the floats of the input, as the client sent them.
  ///   - kind: the kind of the input.
  package init(
    of output: [Float], from values: [Float], _ kind: ModelDescription.Input.Kind,
    by reconstruction: Model.ResolvedReconstruction
  ) {
    guard case .features(let size, let mean, let scale) = kind else {
      preconditionFailure("only features are reconstructed")
    }
    var steps: [Float] = []
    steps.reserveCapacity(values.count / size)
    var total = 0.0
    for start in stride(from: 0, to: values.count, by: size) {
      var sum = 0.0
      for k in 0..<size {
        var value = values[start + k]
        // Normalised with the same rounding as in the graph.
        if reconstruction.units == .normalised, mean != nil || scale != nil {
          value = (value - (mean?[k] ?? 0)) / (scale?[k] ?? 1)
        }
        let difference = Double(output[start + k]) - Double(value)
        switch reconstruction.error {
        case .squared: sum += difference * difference
        case .absolute: sum += abs(difference)
        }
      }
      steps.append(Float(sum / Double(size)))
      total += sum
    }
    self.steps = steps
    sequence = Float(total / Double(values.count))
  }
}
