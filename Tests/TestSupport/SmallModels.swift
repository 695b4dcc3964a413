import Inference
import ModelFormat

/// Models with random weights, made in memory.
package enum SmallModels {
  /// What `forecaster`'s graph is built around.
  package enum Shape: String, Sendable, CaseIterable {
    /// Two layers, the last step, a linear head: streamable.
    case streamable
    /// Bidirectional with a projection: needs the whole sequence.
    case bidirectional
    /// The mean, maximum and first step of an LSTM's output, side by side: streamable, pools.
    case pooled
  }

  /// A model of one feature that foretells its next two steps.
  package static func forecaster(
    _ shape: Shape = .streamable, name: String = "small", hiddenSize: Int = 12,
    projectionSize: Int = 5, seed: UInt64 = 1
  ) throws -> Model {
    var noise = Noise(seed: seed)
    var tensors: [(name: String, shape: [Int], floats: [Float])] = []
    func add(_ name: String, _ shape: [Int]) {
      tensors.append((name, shape, noise.floats(shape.reduce(1, *), scale: 0.5)))
    }
    let projection = shape == .bidirectional ? projectionSize : nil
    let outputSize = projection ?? hiddenSize
    let directions = shape == .bidirectional ? 2 : 1
    for layer in 0..<2 {
      for suffix in ["_l\(layer)", "_l\(layer)_reverse"].prefix(directions) {
        add("lstm.weight_ih\(suffix)", [4 * hiddenSize, layer == 0 ? 1 : directions * outputSize])
        add("lstm.weight_hh\(suffix)", [4 * hiddenSize, outputSize])
        add("lstm.bias_ih\(suffix)", [4 * hiddenSize])
        add("lstm.bias_hh\(suffix)", [4 * hiddenSize])
        if let projection { add("lstm.weight_hr\(suffix)", [projection, hiddenSize]) }
      }
    }
    var nodes = [
      ModelDescription.Node(name: "h", op: .lstm, inputs: ["x"], weights: "lstm")
    ]
    var head = "h"
    var headSize = directions * outputSize
    if shape == .pooled {
      nodes += [
        .init(name: "mean", op: .mean, inputs: ["h"], weights: nil),
        .init(name: "max", op: .max, inputs: ["h"], weights: nil),
        .init(name: "first", op: .first, inputs: ["h"], weights: nil),
        .init(name: "all", op: .concat, inputs: ["mean", "max", "first"], weights: nil),
      ]
      head = "all"
      headSize *= 3
    } else {
      nodes.append(.init(name: "last", op: .last, inputs: ["h"], weights: nil))
      head = "last"
    }
    nodes.append(.init(name: "y", op: .linear, inputs: [head], weights: "head"))
    add("head.weight", [2, headSize])
    add("head.bias", [2])
    return try Model(
      description: ModelDescription(
        name: name, version: "1", summary: nil, source: nil, licence: nil,
        inputs: [.init(name: "x", kind: .features(size: 1, mean: [0.5], scale: [2]))],
        nodes: nodes, outputs: [.init(name: "y", labels: nil, forecasts: "x")]),
      tensors: TensorFile(bytes: TensorFile.serialize(tensors)))
  }
}

extension SmallModels {
  /// What a writer's scores are.
  package enum Scores: String, Sendable, CaseIterable {
    case logits, logarithms, probabilities
  }

  /// A model of tokens that foretells the next one: an embedding, two layers, a linear head. Its scores are far
  /// apart, so that what is drawn depends on all that went before. A bidirectional one needs the whole text.
  package static func writer(
    size: Int = 11, vocabulary: [String]? = nil, scores: Scores = .logits, name: String = "writer",
    hiddenSize: Int = 12, isBidirectional: Bool = false, seed: UInt64 = 1
  ) throws -> Model {
    var noise = Noise(seed: seed)
    var tensors: [(name: String, shape: [Int], floats: [Float])] = []
    func add(_ name: String, _ shape: [Int], scale: Float = 1) {
      tensors.append((name, shape, noise.floats(shape.reduce(1, *), scale: scale)))
    }
    let size = vocabulary?.count ?? size
    add("embedding.weight", [size, 5], scale: 2)
    let suffixes = isBidirectional ? ["", "_reverse"] : [""]
    for layer in 0..<2 {
      for suffix in suffixes.map({ "_l\(layer)\($0)" }) {
        add(
          "lstm.weight_ih\(suffix)",
          [4 * hiddenSize, layer == 0 ? 5 : suffixes.count * hiddenSize])
        add("lstm.weight_hh\(suffix)", [4 * hiddenSize, hiddenSize])
        add("lstm.bias_ih\(suffix)", [4 * hiddenSize])
        add("lstm.bias_hh\(suffix)", [4 * hiddenSize])
      }
    }
    add("head.weight", [size, suffixes.count * hiddenSize], scale: 3)
    var nodes: [ModelDescription.Node] = [
      .init(name: "e", op: .embedding, inputs: ["t"], weights: "embedding"),
      .init(name: "h", op: .lstm, inputs: ["e"], weights: "lstm"),
      .init(name: "y", op: .linear, inputs: ["h"], weights: "head"),
    ]
    switch scores {
    case .logits: break
    case .logarithms: nodes.append(.init(name: "next", op: .logSoftmax, inputs: ["y"]))
    case .probabilities: nodes.append(.init(name: "next", op: .softmax, inputs: ["y"]))
    }
    return try Model(
      description: ModelDescription(
        name: name, version: "1",
        inputs: [.init(name: "t", kind: .tokens(size: size, vocabulary: vocabulary))],
        nodes: nodes, outputs: [.init(name: nodes.last!.name, forecasts: "t")]),
      tensors: TensorFile(bytes: TensorFile.serialize(tensors)))
  }
}
