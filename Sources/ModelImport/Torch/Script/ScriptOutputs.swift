/// The results of a module's `forward` as the outputs of a source graph.
enum ScriptOutputs {
  /// Adds the results; those in a dictionary are called as their keys.
  static func add(
    _ result: AtenValue, to translation: inout AtenTranslation, place: String
  ) throws(ImportError) {
    guard let outputs = result.tensors, !outputs.isEmpty else {
      if case .list(let values) = result,
        let what = values.lazy.compactMap({ if case .other(let what) = $0 { what } else { nil } })
          .first
      {
        throw ImportError(
          file: "", place: place,
          problem: "found \(what) among the results: what is carried is tensors alone",
          remedy: what == AtenAttention.weights ? Remedy.attentionWeights : nil)
      }
      throw ImportError(
        file: "", place: place,
        problem: "found a result that is no tensor, and no tuple or dictionary of tensors",
        remedy: "let forward return a tensor, or a tuple of tensors")
    }
    if case .dictionary(let entries) = result,
      entries.allSatisfy({ if case .tensor = $0.value { true } else { false } })
    {
      for (entry, output) in zip(entries, outputs) {
        try translation.addOutput(output, named: entry.key)
      }
      return
    }
    for (index, output) in outputs.enumerated() {
      try translation.addOutput(output, named: outputs.count == 1 ? "output" : "output.\(index)")
    }
  }
}
