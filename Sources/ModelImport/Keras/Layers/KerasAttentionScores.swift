/// The scores that an attention layer answers with `return_attention_scores=True`: a model may have them where nothing reads them.
enum KerasAttentionScores {
  /// A layer that answers scores beside its result, if its call asks for them.
  static func beside(_ translate: @escaping KerasLayerKind.Translate) -> KerasLayerKind.Translate {
    { translation, call throws(ImportError) in
      let results = try translate(&translation, call)
      guard case .constant(.bool(true))? = call["return_attention_scores"] else { return results }
      var scores = KerasValue(name: call.name, axes: [.size(1)])
      scores.content = .attentionScores
      return results + [scores]
    }
  }

  /// The refusal of a layer that reads them.
  static func refusal(_ layer: KerasLayer) -> ImportError {
    layer.refusal(
      "found the scores of an attention (return_attention_scores=True), which are not carried",
      remedy: "build the model without the layers that read them")
  }

  /// Refuses outputs that are scores, with the line that saves the others.
  static func check(_ outputs: [KerasValue], of model: KerasLayer) throws(ImportError) {
    let places = outputs.indices.filter { outputs[$0].content != .attentionScores }
    guard places.count < outputs.count else { return }
    let others = places.map { place in "model.outputs[\(place)]" }.joined(separator: ", ")
    throw model.refusal(
      "found the scores of an attention (return_attention_scores=True) among the outputs, which are not carried",
      remedy: places.isEmpty
        ? "save a model of other outputs"
        : "save the other outputs: keras.Model(model.inputs, [\(others)]).save('model.keras')")
  }
}
