/// Converts tensors with Keras's names and layout to those of FORMAT.md: `kernel` and `recurrent_kernel` are transposed, a
/// GRU's gates z r n become r z n.
struct KerasNames {
  /// Names that only Keras uses.
  private static let own: Set<Substring> = [
    "kernel", "recurrent_kernel", "embeddings", "gamma", "beta", "moving_mean", "moving_variance",
  ]

  private struct Layer {
    var prefix: String
    var weights: [Substring: WeightTable.Weight] = [:]
  }

  /// Whether a tensor has one of Keras's names.
  static func areThere(in table: WeightTable) -> Bool {
    table.names.contains { own.contains(split($0).last) }
  }

  /// Converts the layers that have a tensor with one of Keras's names; leaves the others unchanged.
  static func convert(_ table: inout WeightTable) throws(ImportError) {
    var layers: [Layer] = []
    var places: [String: Int] = [:]
    for weight in table.weights {
      let (prefix, last) = split(weight.name)
      let place = places[prefix] ?? layers.count
      if place == layers.count {
        places[prefix] = place
        layers.append(Layer(prefix: prefix))
      }
      layers[place].weights[last] = weight
    }
    var converted: [WeightTable.Weight] = []
    for layer in layers {
      guard layer.weights.keys.contains(where: { own.contains($0) }) else {
        converted += table.weights.filter { split($0.name).prefix == layer.prefix }
        continue
      }
      converted += try weights(of: layer, table)
    }
    table.weights = converted
  }

  /// The name without `:0` and with dots between its parts; for a cell within a layer (`lstm/lstm_cell/kernel`) only the
  /// layer's name.
  private static func split(_ name: String) -> (prefix: String, last: Substring) {
    var parts = name.split { $0 == "/" || $0 == "." }
    guard var last = parts.popLast() else { return ("", name[...]) }
    if let colon = last.firstIndex(of: ":") { last = last[..<colon] }
    if let cell = parts.last, parts.count > 1, isCell(cell) { parts.removeLast() }
    // Older files of Keras repeat the layer's name.
    if parts.count > 1, parts[parts.count - 1] == parts[parts.count - 2] { parts.removeLast() }
    return (parts.joined(separator: "."), last)
  }

  private static func isCell(_ name: Substring) -> Bool {
    name == "cell" || ["lstm_cell", "gru_cell", "simple_rnn_cell"].contains { name.hasPrefix($0) }
  }

  private static func weights(
    of layer: Layer, _ table: WeightTable
  ) throws(ImportError) -> [WeightTable.Weight] {
    if let recurrent = layer.weights["recurrent_kernel"] {
      return try network(layer, recurrent, table)
    }
    let renamed: [(Substring, String, transposed: Bool)] = [
      ("embeddings", "weight", false), ("kernel", "weight", true), ("gamma", "weight", false),
      ("bias", "bias", false), ("beta", "bias", false), ("moving_mean", "running_mean", false),
      ("moving_variance", "running_var", false),
    ]
    return renamed.compactMap { own, name, isTransposed in
      guard var weight = layer.weights[own] else { return nil }
      if isTransposed { weight = reversedAxes(weight) }
      weight.name = join(layer.prefix, name)
      return weight
    }
  }

  private static func network(
    _ layer: Layer, _ recurrent: WeightTable.Weight, _ table: WeightTable
  ) throws(ImportError) -> [WeightTable.Weight] {
    guard let kernel = layer.weights["kernel"], kernel.shape.count == 2,
      recurrent.shape.count == 2, recurrent.shape[0] > 0,
      recurrent.shape[1].isMultiple(of: recurrent.shape[0]), kernel.shape[1] == recurrent.shape[1]
    else {
      throw ImportError(
        file: table.file, place: recurrent.name,
        problem: "found \(recurrent.shape), expected [H, gates · H] beside a kernel [D, gates · H]")
    }
    let isGRU = recurrent.shape[1] / recurrent.shape[0] == 3
    // Gate orders: Keras's LSTM has PyTorch's (i f c o); its GRU has z r n, not r z n.
    func rows(_ weight: WeightTable.Weight, _ name: String) -> WeightTable.Weight {
      var weight = weight
      weight.name = join(layer.prefix, name)
      guard isGRU else { return weight }
      let gate = weight.floats.count / 3
      let floats = weight.floats
      weight.floats = Array(floats[gate..<2 * gate] + floats[..<gate] + floats[(2 * gate)...])
      return weight
    }
    var weights = [
      rows(reversedAxes(kernel), "weight_ih_l0"), rows(reversedAxes(recurrent), "weight_hh_l0"),
    ]
    guard let bias = layer.weights["bias"] else { return weights }
    guard bias.shape.count == 2, bias.shape[0] == 2 else {
      weights.append(rows(bias, "bias_l0"))
      return weights
    }
    let size = bias.shape[1]
    for (row, name) in ["bias_ih_l0", "bias_hh_l0"].enumerated() {
      let floats = Array(bias.floats[row * size..<(row + 1) * size])
      weights.append(rows(.init(name: "", shape: [size], floats: floats), name))
    }
    return weights
  }

  private static func join(_ prefix: String, _ name: String) -> String {
    prefix.isEmpty ? name : "\(prefix).\(name)"
  }

  /// The weight with its axes reversed: a transposed matrix, or a convolution's [K, C, O] as [O, C, K].
  private static func reversedAxes(_ weight: WeightTable.Weight) -> WeightTable.Weight {
    guard weight.shape.count > 1 else { return weight }
    var transposed = weight
    transposed.shape = weight.shape.reversed()
    let strides = weight.shape.indices.map { weight.shape[($0 + 1)...].reduce(1, *) }
    var place = 0
    var index = [Int](repeating: 0, count: weight.shape.count)
    for element in weight.floats.indices {
      transposed.floats[element] = weight.floats[place]
      var axis = 0
      // The first axis of the source varies fastest in the result.
      while axis < index.count {
        index[axis] += 1
        place += strides[axis]
        if index[axis] < weight.shape[axis] { break }
        place -= strides[axis] * weight.shape[axis]
        index[axis] = 0
        axis += 1
      }
    }
    return transposed
  }
}
