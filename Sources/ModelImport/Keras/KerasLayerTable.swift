import JSON

/// A class of Keras's layers: what its weights are counted as, and which nodes it becomes.
struct KerasLayerKind: Sendable {
  typealias Translate =
    @Sendable (inout KerasTranslation, KerasCall) throws(ImportError) -> [KerasValue]

  /// The class, and what it is called elsewhere.
  let classes: [String]
  let weightCount: @Sendable (KerasLayer) -> KerasWeightCount
  let translate: Translate

  init(
    _ classes: String...,
    weights: @escaping @Sendable (KerasLayer) -> KerasWeightCount = { _ in KerasWeightCount() },
    translate: @escaping Translate
  ) {
    self.classes = classes
    weightCount = weights
    self.translate = translate
  }
}

/// The layers that are carried. A new one is a function in a file of `Layers`, and a row.
enum KerasLayerTable {
  static let all: [KerasLayerKind] =
    KerasIdentityLayers.all + KerasDenseLayers.all + KerasActivationLayers.all
    + KerasRecurrentLayers.all + KerasMergeLayers.all + KerasShapeLayers.all
    + KerasNormalizationLayers.all + KerasConvolutionLayers.all + KerasPoolingLayers.all
    + KerasAttentionLayers.all + KerasWrapperLayers.all

  private static let byClass: [String: KerasLayerKind] = Dictionary(
    all.flatMap { kind in kind.classes.map { ($0, kind) } }
  ) { first, _ in first }

  static func kind(of layer: KerasLayer) -> KerasLayerKind? {
    if layer.isFunction || KerasFunctions.isFunction(layer) {
      return KerasFunctions.kind(of: layer)
    }
    // In its .h5, Keras 3 says of a function's class no more than of a layer's.
    return byClass[layer.className]
      ?? (KerasFunctions.isKnown(layer) ? KerasFunctions.kind(of: layer) : nil)
  }

  /// How many weights a layer has, as Keras 1 and 2 list them.
  static func weightCount(of layer: KerasLayer) -> KerasWeightCount {
    var count: KerasWeightCount
    if layer.isModel, let model = try? KerasModel(layer) {
      count = model.layers.reduce(KerasWeightCount()) { $0 + weightCount(of: $1.layer) }
    } else {
      count = kind(of: layer)?.weightCount(layer) ?? KerasWeightCount()
    }
    if (try? layer.bool("trainable", true)) == false {
      count = KerasWeightCount(fixed: count.total)
    }
    return count
  }

  static func refusal(of layer: KerasLayer) -> ImportError {
    if layer.className == "Lambda" {
      return layer.refusal(
        "a Lambda is Python code, which is not run",
        remedy:
          "build the model with layers in its place (Reshape, Permute, Dot, GlobalAveragePooling1D, "
          + "Rescaling …), load the weights into it and save it; or export the model to ONNX")
    }
    if ["TextVectorization", "StringLookup", "IntegerLookup"].contains(layer.className) {
      return layer.refusal(
        "found a layer that makes ids of texts: a model folder has its texts as the vocabulary of an input",
        remedy:
          "save the layers behind it, keras.Sequential(model.layers[1:]) built for ids, and its texts, "
          + "json.dump(layer.get_vocabulary(), open('vocabulary.json', 'w')): --vocabulary vocabulary.json"
      )
    }
    let known = all.flatMap(\.classes)
    let guess = nearestName(to: layer.className, among: known).map { "; did you mean \($0)?" } ?? ""
    return layer.refusal(
      "found a layer of a class that is not carried\(guess)",
      remedy:
        "build the model without it, or export it to ONNX: model.export('model.onnx', format='onnx')"
    )
  }
}
