import Inference

extension ModelGraph {
  /// The number of rows of an output's answer for a sequence; nil if the answer is one vector.
  ///
  /// - Parameter stepCounts: the number of steps for each of the model's `inputAxes`.
  package func rowCount(
    ofOutput index: Int, selection: Selection, stepCounts: [Int]
  ) -> Int? {
    guard answersSteps(ofOutput: index, selection: selection) else { return nil }
    return model.axes[model.outputs[index].axis ?? 0].count(stepCounts)
  }

  /// The number of floats in the answer for a sequence, without its state; with a horizon, only the forecast's.
  package func answerFloatCount(
    selection: Selection, stepCounts: [Int], horizon: Int? = nil
  ) -> Int {
    if let horizon, let forecast {
      return horizon * forecast.size * forecast.parts.count
    }
    return model.outputs.enumerated().reduce(0) { sum, output in
      let rows = rowCount(ofOutput: output.offset, selection: selection, stepCounts: stepCounts)
      return sum + (rows ?? 1) * output.element.size
    }
  }
}
