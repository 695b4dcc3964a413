/// Converts the names of a state dict to those of FORMAT.md: removes the prefixes of wrappers, and adds the layer's number to a
/// cell's names.
struct TorchNames {
  /// The prefixes of wrappers around a whole model.
  private static let wrappers = ["module.", "model.", "net.", "network."]
  /// The parts that `torch.compile`, FSDP and checkpoints of activations add to names, wherever a module is wrapped.
  private static let wrappedParts: Set<Substring> = [
    "_orig_mod", "_fsdp_wrapped_module", "_checkpoint_wrapped_module",
  ]

  /// Removes what wrappers, `DataParallel` among them, add to names.
  static func unwrap(_ table: inout WeightTable) {
    table.rename {
      $0.split(separator: ".").filter { !wrappedParts.contains($0) }.joined(separator: ".")
    }
    // What torch.optim.swa_utils.AveragedModel counts beside the module.
    let weights = table.weights.filter { $0.name != "n_averaged" || !$0.shape.isEmpty }
    if weights.count < table.weights.count, weights.allSatisfy({ $0.name.hasPrefix("module.") }) {
      table.weights = weights
      table.notes.append("passed over: n_averaged, the number of models in the mean")
    }
    removePrefix("module.", &table)
  }

  /// Removes wrapper prefixes (`model.` and the like) that all names share; false if there are none.
  static func removeSharedPrefixes(_ table: inout WeightTable) -> Bool {
    var isChanged = false
    while let prefix = wrappers.first(where: { prefix in
      !table.weights.isEmpty
        && table.names.allSatisfy { $0.hasPrefix(prefix) && $0.utf8.count > prefix.utf8.count }
    }) {
      removePrefix(prefix, &table)
      isChanged = true
    }
    return isChanged
  }

  private static func removePrefix(_ prefix: String, _ table: inout WeightTable) {
    guard table.names.allSatisfy({ $0.hasPrefix(prefix) }) else { return }
    table.rename { String($0.dropFirst(prefix.count)) }
  }

  /// `weight_ih` of an `LSTMCell`, `GRUCell` or `RNNCell` becomes `weight_ih_l0`.
  static func numberCells(_ table: inout WeightTable) {
    let kinds = ["weight_ih", "weight_hh", "bias_ih", "bias_hh"]
    let names = Set(table.names)
    let cells = names.compactMap { name -> String? in
      guard last(name) == "weight_ih" else { return nil }
      let prefix = name.dropLast("weight_ih".count)
      return names.contains("\(prefix)weight_hh") ? String(prefix) : nil
    }
    let renamed = Set(cells.flatMap { prefix in kinds.map { prefix + $0 } })
    guard !renamed.isEmpty else { return }
    table.rename { renamed.contains($0) ? "\($0)_l0" : $0 }
  }

  private static func last(_ name: String) -> Substring {
    name.lastIndex(of: ".").map { name[name.index(after: $0)...] } ?? name[...]
  }

  // MARK: Dropped weights

  /// Reads the weights of an AWD-LSTM, which `WeightDrop` keeps under names of its own: `rnn.weight_hh_l0_raw` beside
  /// `rnn.module.weight_ih_l0`, or both under `rnn.module`. Its embedding is there twice, as `encoder` and `encoder_dp.emb`.
  static func readDroppedWeights(_ table: inout WeightTable) {
    let ending = "_raw"
    let dropped = table.names.filter { $0.hasSuffix(ending) && last($0).hasPrefix("weight_") }
    for raw in dropped {
      let owner = raw.dropLast(last(raw).count)
      let inner = "\(owner)module."
      let own = "\(owner)\(last(raw).dropLast(ending.count))"
      let isWithin = table.names.contains { $0.hasPrefix(inner) }
      // What training last dropped may be there too.
      table.remove([own, "\(inner)\(last(raw).dropLast(ending.count))"])
      table.rename { name in
        if name == raw { return own }
        return isWithin && name.hasPrefix(inner) ? "\(owner)\(name.dropFirst(inner.count))" : name
      }
    }
    guard !dropped.isEmpty else { return }
    table.notes.append(
      "\(excerpt(dropped)): the weights that dropout takes from in training (WeightDrop) are read whole"
    )
    let doubles = table.names.filter { name in
      let ending = "_dp.emb.weight"
      guard name.hasSuffix(ending) else { return false }
      return table["\(name.dropLast(ending.count)).weight"]?.floats == table[name]?.floats
    }
    table.remove(Set(doubles))
  }
}
