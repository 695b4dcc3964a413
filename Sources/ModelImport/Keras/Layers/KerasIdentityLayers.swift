/// Layers that change nothing at inference.
enum KerasIdentityLayers {
  static let all = [
    KerasLayerKind(
      "Dropout", "SpatialDropout1D", "SpatialDropout2D", "GaussianNoise", "GaussianDropout",
      "AlphaDropout",
      "ActivityRegularization", "InputLayer"
    ) { _, call throws(ImportError) in call.inputs },
    KerasLayerKind("Identity") { translation, call throws(ImportError) in
      [masked(try call.input(), since: 3, &translation, call)]
    },
  ]

  /// The value with its mask if the layer keeps masks, as it does since a major version of Keras.
  static func masked(
    _ value: KerasValue, since version: Int, _ translation: inout KerasTranslation,
    _ call: KerasCall
  ) -> KerasValue {
    call.layer.source.version >= version ? value : translation.withoutMask(value, for: call)
  }
}
