import ModelFormat

/// A softmax over the steps as a sequence, where it is not the weights of a sum alone.
enum StepSoftmax {
  /// The outputs of an operator that moves the axes of weights of a sum over the steps, which are still such weights; nil for others.
  static func moved(
    _ l: inout Lowering, _ node: SourceNode
  ) throws(ImportError) -> [LoweredValue]? {
    guard
      ["Transpose", "Reshape", "Squeeze", "Unsqueeze", "Identity", "Cast", "Dropout", "Flatten"]
        .contains(node.op), let name = node.input(0),
      case .pending(.stepWeights(let scores, let keys)) = try l.value(named: name, of: node)
    else { return nil }
    l.define(name, .carried(scores))
    let results = try l.lowerCarried(node)
    l.define(name, .pending(.stepWeights(scores, over: keys)))
    return results?.map { result in
      if case .carried(let value) = result {
        .pending(.stepWeights(value, over: keys))
      } else {
        result
      }
    }
  }

  /// The softmax, or its product with values; nil for values of another pattern.
  static func value(
    _ l: inout Lowering, _ pending: PendingValue, _ node: SourceNode
  ) throws(ImportError) -> CarriedValue? {
    switch pending {
    case .stepWeights(let scores, _): return weights(&l, scores, node)
    case .weighted(let scores, let values):
      let rank = max(scores.axes.count, values.axes.count)
      let weights = Layout.padded(weights(&l, scores, node), rank: rank)
      return try Arithmetic.combining(
        &l, [weights, Layout.padded(values, rank: rank)], .multiply, node)
    case .pairScores, .pairWeights, .erf, .quantized, .ids, .largest: return nil
    }
  }

  /// exp(x − max x) / Σ exp(x − max x), element by element over the steps.
  private static func weights(
    _ l: inout Lowering, _ scores: CarriedValue, _ node: SourceNode
  ) -> CarriedValue {
    let name = node.outputs.first ?? node.name
    func add(_ op: ModelDescription.Op, _ inputs: String...) -> String {
      l.builder.emit(op, inputs, named: "\(name).softmax.\(op.name)")
    }
    let shifted = add(.subtract, scores.node, add(.max, scores.node))
    let powers = add(.exp, shifted)
    var result = scores
    result.node = add(.divide, powers, add(.sum, powers))
    return result
  }
}
