/// Layers that are called with `training=True`: they draw random numbers, or take statistics of the batch, at inference too.
enum KerasTraining {
  private static let drawing: Set<String> = [
    "Dropout", "SpatialDropout1D", "SpatialDropout2D", "GaussianNoise", "GaussianDropout",
    "AlphaDropout",
  ]

  /// Notes that the folder does not draw where the call says that Keras does; throws for statistics of the batch.
  static func check(
    _ translation: inout KerasTranslation, _ call: KerasCall
  ) throws(ImportError) {
    guard isTraining(call) else { return }
    let layer = call.layer
    // The predict() of Keras 3 overrides the argument; that of Keras 1 and 2 does not.
    let isKept = layer.source.version < 3
    if isKept, contains(layer, where: { $0.className.hasPrefix("BatchNormalization") }) {
      throw layer.refusal(
        "training: found true, by which answers depend on the other sequences of a batch",
        remedy:
          "call it without training and save the model again: the answers then take the mean and variance of the training"
      )
    }
    guard contains(layer, where: draws) else { return }
    translation.note(
      "\(layer.place) is called with training=True: Keras draws random numbers "
        + (isKept ? "at each call" : "where the model is called, though not in predict()")
        + ", the folder never: its answers are those without dropout, not samples")
  }

  private static func isTraining(_ call: KerasCall) -> Bool {
    if case .constant(let value)? = call["training"] {
      return value == .bool(true) || value.integer == 1
    }
    // Of these, training is the second argument.
    guard drawing.contains(call.layer.className) || call.layer.isModel, call.arguments.count > 1,
      case .constant(.bool(true)) = call.arguments[1]
    else { return false }
    return true
  }

  private static func draws(_ layer: KerasLayer) -> Bool {
    drawing.contains(layer.className)
      || ["dropout", "recurrent_dropout", "dropout_rate"].contains {
        layer[$0]?.number ?? 0 > 0
      }
  }

  /// Whether the layer, one inside it or one of its cells is such.
  private static func contains(_ layer: KerasLayer, where isSuch: (KerasLayer) -> Bool) -> Bool {
    if isSuch(layer) { return true }
    let inner =
      ["layer", "backward_layer", "cell"].compactMap { layer[$0] }
      + ["layers", "cells"].flatMap { layer[$0]?.elements ?? [] }
    return inner.contains { value in
      guard let one = try? KerasLayer(value, in: layer.path, source: layer.source) else {
        return false
      }
      return contains(one, where: isSuch)
    }
  }
}
