/// Converts the names of a state dict to those of FORMAT.md: removes the prefixes of wrappers, adds the layer's number to a
/// cell's names, and merges weight-normalised tensors.
struct TorchNames {
  /// The prefixes of wrappers around a whole model.
  private static let wrappers = ["module.", "_orig_mod.", "model.", "net.", "network."]

  /// Removes the parts that `torch.compile`, `DataParallel` and the like add to names.
  static func unwrap(_ table: inout WeightTable) {
    table.rename { $0.split(separator: ".").filter { $0 != "_orig_mod" }.joined(separator: ".") }
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

  // MARK: Weight normalisation

  /// Merges the tensors of `torch.nn.utils.weight_norm`: w = g · v / ‖v‖, with the norm over all axes but the first.
  static func mergeWeightNorm(_ table: inout WeightTable) {
    let names = Set(table.names)
    for weight in table.weights {
      let (direction, length, merged): (String, String, String)
      if weight.name.hasSuffix("_v") {
        direction = weight.name
        merged = String(weight.name.dropLast(2))
        length = "\(merged)_g"
      } else if weight.name.hasSuffix(".original1"),
        let range = firstRange(of: "parametrizations.", in: weight.name)
      {
        direction = weight.name
        length = "\(weight.name.dropLast())0"
        let name = weight.name[range.upperBound...].dropLast(".original1".count)
        merged = "\(weight.name[..<range.lowerBound])\(name)"
      } else {
        continue
      }
      guard names.contains(length), !names.contains(merged), let g = table[length],
        let v = table[direction], let floats = merge(g, v)
      else { continue }
      guard let place = table.weights.firstIndex(where: { $0.name == direction }) else { continue }
      table.weights[place] = .init(name: merged, shape: v.shape, floats: floats)
      table.remove([length])
      table.notes.append("\(merged) is put together from its direction and length (weight_norm)")
    }
  }

  private static func merge(_ g: WeightTable.Weight, _ v: WeightTable.Weight) -> [Float]? {
    guard let rows = v.shape.first, rows > 0, g.shape.first == rows, g.floats.count == rows,
      v.floats.count.isMultiple(of: rows)
    else { return nil }
    let columns = v.floats.count / rows
    var floats: [Float] = []
    floats.reserveCapacity(v.floats.count)
    for row in 0..<rows {
      let elements = v.floats[row * columns..<(row + 1) * columns]
      let norm = elements.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot()
      for element in elements {
        floats.append(Float(Double(g.floats[row]) * Double(element) / norm))
      }
    }
    return floats
  }

  private static func firstRange(of text: String, in name: String) -> Range<String.Index>? {
    var start = name.startIndex
    while start < name.endIndex {
      if name[start...].hasPrefix(text) {
        return start..<name.index(start, offsetBy: text.count)
      }
      start = name.index(after: start)
    }
    return nil
  }
}
