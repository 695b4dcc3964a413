/// A layer, recognised by the names and shapes of the tensors under one prefix.
struct WeightLayer {
  enum Kind: Equatable {
    /// A matrix without a bias; may also be a linear map.
    case embedding
    case linear
    /// Gates 4, 3 and 1: lstm, gru and rnn.
    case recurrent(gates: Int, layers: Int, isBidirectional: Bool)
    case conv(kernel: Int)
    case layerNorm
    case batchNorm
    /// One vector, under a norm's name.
    case rmsNorm
    case prelu
  }

  let prefix: String
  let kind: Kind
  let input: Int
  let output: Int
  /// Whether the layer is a matrix without a bias: an embedding or a linear map.
  var isBare = false

  /// The layers of a table, in its order, and the names of tensors that belong to no layer.
  static func layers(of table: WeightTable) -> (layers: [WeightLayer], others: [String]) {
    var prefixes: [String] = []
    var shapes: [String: [String: [Int]]] = [:]
    for weight in table.weights where !weight.isWhole && !weight.shape.isEmpty {
      let dot = weight.name.lastIndex(of: ".")
      let prefix = dot.map { String(weight.name[..<$0]) } ?? ""
      let last = dot.map { String(weight.name[weight.name.index(after: $0)...]) } ?? weight.name
      if shapes[prefix] == nil { prefixes.append(prefix) }
      shapes[prefix, default: [:]][last] = weight.shape
    }
    var layers: [WeightLayer] = []
    var others: [String] = []
    for prefix in prefixes {
      let own = shapes[prefix] ?? [:]
      if let layer = WeightLayer(prefix, own) {
        layers.append(layer)
      } else {
        others += own.keys.sorted().map { prefix.isEmpty ? $0 : "\(prefix).\($0)" }
      }
    }
    return (layers, others)
  }

  private init?(_ prefix: String, _ shapes: [String: [Int]]) {
    self.prefix = prefix
    if let input = shapes["weight_ih_l0"], let recurrent = shapes["weight_hh_l0"] {
      guard input.count == 2, recurrent.count == 2 else { return nil }
      let projection = shapes["weight_hr_l0"]
      let hidden = projection?.last ?? recurrent[1]
      guard hidden > 0, recurrent[0].isMultiple(of: hidden),
        [1, 3, 4].contains(recurrent[0] / hidden)
      else { return nil }
      let isBidirectional = shapes["weight_ih_l0_reverse"] != nil
      var layers = 1
      while shapes["weight_ih_l\(layers)"] != nil { layers += 1 }
      kind = .recurrent(
        gates: recurrent[0] / hidden, layers: layers, isBidirectional: isBidirectional)
      self.input = input[1]
      output = recurrent[1] * (isBidirectional ? 2 : 1)
      return
    }
    if let mean = shapes["running_mean"], mean.count == 1 {
      (kind, input, output) = (.batchNorm, mean[0], mean[0])
      return
    }
    guard let weight = shapes["weight"], Set(shapes.keys).isSubset(of: ["weight", "bias"]) else {
      return nil
    }
    let hasBias = shapes["bias"] != nil
    switch weight.count {
    case 1 where hasBias: (kind, input, output) = (.layerNorm, weight[0], weight[0])
    case 1:
      let isNorm = prefix.lowercased().contains("norm") && weight[0] > 1
      (kind, input, output) = (isNorm ? .rmsNorm : .prelu, weight[0], weight[0])
    case 2 where hasBias: (kind, input, output) = (.linear, weight[1], weight[0])
    case 2:
      // A linear map, unless the chain needs an embedding.
      (kind, input, output) = (.linear, weight[1], weight[0])
      isBare = true
    case 3: (kind, input, output) = (.conv(kernel: weight[2]), weight[1], weight[0])
    default: return nil
    }
  }

  private init(prefix: String, kind: Kind, input: Int, output: Int) {
    self.prefix = prefix
    self.kind = kind
    self.input = input
    self.output = output
  }

  /// A bare matrix as an embedding, from ids to rows.
  var asEmbedding: WeightLayer? {
    isBare ? WeightLayer(prefix: prefix, kind: .embedding, input: output, output: input) : nil
  }

  /// Whether a part of the layer's name begins so.
  func isUnder(_ start: String) -> Bool {
    prefix.lowercased().split(separator: ".").contains { $0.hasPrefix(start) }
  }

  /// A PReLU with one slope, `nn.PReLU()`, which fits behind any layer.
  var isSharedSlope: Bool { kind == .prelu && input == 1 }

  var isRecurrent: Bool { if case .recurrent = kind { true } else { false } }

  /// Whether the layer's name says that it is an embedding, and it can be one.
  var isNamedEmbedding: Bool { isBare && isCalledEmbedding }

  var isCalledEmbedding: Bool {
    let name = prefix.lowercased()
    return name.contains("emb") || name.contains("lookup")
  }

  /// Where such a layer mostly stands: what reads the input first, a head last.
  var usualPlace: Int {
    let name = prefix.lowercased()
    switch kind {
    case .embedding: return 0
    case .linear where isNamedEmbedding: return 0
    case .linear: return ["in", "enc", "pre"].contains { name.hasPrefix($0) } ? 1 : 5
    case .conv: return 2
    case .recurrent: return 3
    case .batchNorm, .layerNorm, .rmsNorm, .prelu: return 4
    }
  }

  /// A description of the layer for a sentence.
  var text: String {
    let name = prefix.isEmpty ? "" : " \(prefix)"
    switch kind {
    case .embedding: return "embedding\(name) [\(input), \(output)]"
    case .linear: return "linear\(name) \(input) → \(output)"
    case .recurrent(let gates, let layers, let isBidirectional):
      let op = gates == 4 ? "lstm" : gates == 3 ? "gru" : "rnn"
      let count = layers == 1 ? "1 layer" : "\(layers) layers"
      return
        "\(op)\(name) \(input) → \(output) (\(count)\(isBidirectional ? ", bidirectional" : ""))"
    case .conv(let kernel): return "conv\(name) \(input) → \(output) (kernel \(kernel))"
    case .layerNorm: return "layer_norm\(name) [\(input)]"
    case .batchNorm: return "batch_norm\(name) [\(input)]"
    case .rmsNorm: return "rms_norm\(name) [\(input)]"
    case .prelu: return "prelu\(name) [\(input)]"
    }
  }
}
