import JSON

/// A class of Keras layers: the number of its weights, and its translation to nodes.
struct KerasLayerKind: Sendable {
  typealias Translate =
    @Sendable (inout KerasTranslation, KerasCall) throws(ImportError) -> [KerasValue]

  /// The class's names.
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

/// The supported layers. A new one is a function in a file of `Layers`, and a row.
enum KerasLayerTable {
  static let all: [KerasLayerKind] =
    KerasIdentityLayers.all + KerasDenseLayers.all + KerasActivationLayers.all
    + KerasRecurrentLayers.all + KerasMergeLayers.all + KerasShapeLayers.all
    + KerasNormalizationLayers.all + KerasConvolutionLayers.all + KerasPoolingLayers.all
    + KerasAttentionLayers.all + KerasWrapperLayers.all + KerasImageLayers.all
    + KerasImageConvolutions.all + KerasTransposedConvolution.all + KerasUpSampling.all
    + [KerasOneHot.layer]

  private static let byClass: [String: KerasLayerKind] = Dictionary(
    all.flatMap { kind in kind.classes.map { ($0, kind) } }
  ) { first, _ in first }

  static func kind(of layer: KerasLayer) -> KerasLayerKind? {
    if layer.isCustom { return nil }
    // In .h5, Keras 3 does not tell functions' classes from layers'.
    let mayBeLayer = layer.module.isEmpty && byClass[layer.className] != nil
    let isKnown = KerasFunctions.isKnown(layer)
    if KerasFunctions.isFunction(layer) || layer.isFunction && (isKnown || !mayBeLayer) {
      return KerasFunctions.kind(of: layer)
    }
    return byClass[layer.className] ?? (isKnown ? KerasFunctions.kind(of: layer) : nil)
  }

  /// The number of weights of a layer in the lists of Keras 1 and 2.
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

  /// The graph that Keras makes with PyTorch: of an input of any length it would have a single step.
  private static let exportLine =
    "export its graph in Keras 3 with KERAS_BACKEND=torch, for sequences of one length, keras.Input((steps, size)), of at most some 50 "
    + "steps with one LSTM, as each step takes nodes of its own: "
    + "model(numpy.zeros((1, steps, size), 'float32')); model.export('model.onnx', format='onnx'); where the layer imports tensorflow, with that"

  /// Saves a model as the graph of what its layers are called with, those of nested models among them.
  static let inlined =
    "keras.Model.__call__ = lambda m, *a, **k: m.call(*a, **k); keras.Model(model.inputs, model(model.inputs)).save('model.keras')"

  /// The line that saves what is behind a layer.
  private static func behind(_ layer: KerasLayer) -> String {
    let name = layer.path.split(separator: "/").last ?? ""
    return
      "keras.Model(model.get_layer('\(name)').output, model.outputs).save('model.keras')"
  }

  static func refusal(of layer: KerasLayer) -> ImportError {
    if layer.className == "Lambda" {
      return layer.refusal(
        "a Lambda is Python code, which is not run",
        remedy:
          "where it computes with operators and keras.ops, save these in its place, in Keras 3 where the model is in Python: "
          + "keras.layers.Lambda.__call__ = lambda l, *a, **k: l.function(*a, **l.arguments); "
          + "\(inlined); else build the model with layers in its place (Reshape, Permute, Dot, GlobalAveragePooling1D, "
          + "Rescaling …), and give it the weights: new.set_weights(model.get_weights())")
    }
    if ["TextVectorization", "StringLookup", "IntegerLookup"].contains(layer.className) {
      return layer.refusal(
        "found a layer that makes ids of texts, or of numbers: a model folder has its texts as the vocabulary of an input",
        remedy:
          "save the layers behind it, \(behind(layer)), and its texts, "
          + "json.dump([str(t) for t in layer.get_vocabulary()], open('vocabulary.json', 'w')): --vocabulary vocabulary.json"
      )
    }
    if layer.isCustom { return refusalOfOwn(layer) }
    if layer.className.hasPrefix("ConvLSTM") {
      return layer.refusal(
        "found an LSTM of convolutions, which no op of a model folder computes",
        remedy:
          "train the model with TimeDistributed(Conv1D(…)), TimeDistributed(Flatten()) and LSTM in its place"
      )
    }
    if ["Discretization", "CategoryEncoding", "Hashing", "HashedCrossing"].contains(layer.className)
    {
      return layer.refusal(
        "found a layer that makes ids or counts of numbers, which is not carried",
        remedy:
          "send what it makes, and save the layers behind it: \(behind(layer))"
      )
    }
    if layer.className.hasSuffix("Spectrogram") {
      return layer.refusal(
        "found a layer that makes spectra of samples, which is not carried",
        remedy: KerasModel.remedyInParts)
    }
    if layer.className.contains("2D") || layer.className.contains("3D") {
      return layer.refusal(
        "found a layer over images, which is not carried; a step is a row of elements",
        remedy: KerasModel.remedyInParts
      )
    }
    // A file of layers without modules does not say whose they are.
    if layer.module.isEmpty, !uncarried.contains(layer.className),
      !layer.className.hasPrefix("Random")
    {
      return refusalOfOwn(layer)
    }
    return layer.refusal(
      "found a layer of a class that is not carried",
      remedy:
        "build the model without it, or with layers and keras.ops that are carried in its place: IMPORT.md lists them"
    )
  }

  private static func refusalOfOwn(_ layer: KerasLayer) -> ImportError {
    layer.refusal(
      "found a layer of a class that is not Keras's, whose Python code is not run",
      remedy:
        "where its call() computes with layers and keras.ops, save these in its place, in Keras 3 where the model is in Python: "
        + "import keras, numpy; own = [l for l in model._flatten_layers() if not type(l).__module__.startswith('keras')]; "
        + "[vars(l).update({k: keras.ops.convert_to_tensor(numpy.array(v)) for k, v in vars(l).items() if isinstance(v, keras.Variable)}) "
        + "for l in own]; [setattr(c, '__call__', lambda l, *a, **k: l.call(*a, **k)) for c in {type(l) for l in own}]; \(inlined); "
        + (layer.source.version == 3
          ? "or \(exportLine)" : "or export its graph with TensorFlow: \(Remedy.byTf2onnx)")
    )
  }

  /// Keras's own layers that are not carried and have no refusal of their own, besides those whose names begin with Random.
  private static let uncarried: Set = [
    "AbstractRNNCell", "AdaptiveAveragePooling1D", "AdaptiveMaxPooling1D", "AtrousConvolution1D",
    "AugMix", "AutoContrast",
    "CenterCrop", "ContrastLimitedAdaptiveHistogramEqualization", "CutMix",
    "DenseFeatures", "Equalization", "FlaxLayer", "Highway", "JaxLayer", "LocallyConnected1D",
    "MaxNumBoundingBoxes", "MaxoutDense", "MixUp", "Pipeline", "RandAugment", "Resizing",
    "ReversibleEmbedding", "Solarization", "TFSMLayer", "TorchModuleWrapper", "Wrapper",
  ]
}
