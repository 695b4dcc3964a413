/// Layers that change nothing at inference.
enum KerasIdentityLayers {
  static let all = [
    KerasLayerKind(
      "Dropout", "SpatialDropout1D", "GaussianNoise", "GaussianDropout", "AlphaDropout",
      "ActivityRegularization", "Identity", "InputLayer"
    ) { _, call throws(ImportError) in call.inputs }
  ]
}
