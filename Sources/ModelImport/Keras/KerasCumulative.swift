import ModelFormat

/// Sums of all numbers up to each, over the steps or the elements.
enum KerasCumulative {
  /// The most elements of which a matrix is made.
  private static let maxSize = 512

  static let sum: KerasFunctions.Function = { translation, function throws(ImportError) in
    let call = function.call
    let value = try translation.spreadOut(try function.value(), for: call)
    let size = value.size
    guard value.sizes.count == 1, size <= maxSize, case let axes = try function.axes(of: value),
      axes.count == 1, let place = axes[0],
      try !function.bool("exclusive"), try !function.bool("reverse")
    else {
      throw call.layer.refusal(
        "found the sizes \(value.shape) and no axis of them, or others than one size of up to \(maxSize) a step"
      )
    }
    guard place == value.stepAxis else {
      var weight = [Float](repeating: 0, count: size * size)
      for output in 0..<size { for input in 0...output { weight[output * size + input] = 1 } }
      let result = try translation.map(.linear, value, for: call)
      translation.add(tensor: "\(result.name).weight", shape: [size, size], weight)
      return result
    }
    // A recurrent network that adds what it reads to its state.
    var op = RNNOp()
    op.activation = CellActivation(.affine(scale: [1], shift: [0]))
    let result = try translation.map(.rnn(op), value, for: call)
    let identity = (0..<size * size).map { $0 % (size + 1) == 0 ? Float(1) : 0 }
    for name in ["weight_ih_l0", "weight_hh_l0"] {
      translation.add(tensor: "\(result.name).\(name)", shape: [size, size], identity)
    }
    return result
  }
}
