import ModelFormat

/// Tables whose rows are chosen by elements of steps or vectors: several ids a step, or a category beside numbers.
enum KerasLookup {
  /// The rows for a value's elements; the table has `size` columns.
  static func rows(
    of value: KerasValue, weights: String?, size: Int, _ translation: inout KerasTranslation,
    _ call: KerasCall
  ) throws(ImportError) -> KerasValue {
    var numbers = value
    switch value.content {
    case .input: break
    case .wholeNumbers: numbers.content = .floats
    default:
      guard value.content == .floats, value.isExact(in: translation) else {
        throw call.layer.refusal(
          "found ids that the graph makes, expected those of an input of the model",
          remedy: "save a model whose input has the ids as they are")
      }
    }
    let node = try translation.add(.lookup, [numbers], for: call, weights: weights)
    return value.with(name: node, axes: value.axes + [.size(size)])
  }

  static func refusal(_ layer: KerasLayer) -> ImportError {
    layer.refusal(
      "found floats that are cut to whole numbers, which tables alone read: no op rounds",
      remedy: KerasComparisons.remedyToRound)
  }
}

extension KerasValue {
  /// Whether its elements are an input's, selected and moved. Of numbers that are computed, Keras's and the folder's may lie on
  /// either side of a whole one.
  func isSelected(in translation: KerasTranslation) -> Bool {
    translation.draft.isSelected(name, from: translation.inputs.map(\.name))
  }

  /// Whether they are so, or whole numbers that are made of whole numbers: then those of Keras and of the folder are the same.
  func isExact(in translation: KerasTranslation) -> Bool {
    isSelected(in: translation) || WholeNumbers(translation).contain(name)
  }
}
