import ModelFormat

/// The final states of one layer in one direction, a row a rider: read at the start of a turn, written at its end.
struct LSTMState {
  /// riders × outputSize.
  var hidden = Matrix()
  /// riders × hiddenSize: the constant error carousel.
  var cell = Matrix()
}

/// One layer of an LSTM in one direction.
///
/// Hochreiter and Schmidhuber, "Long Short-Term Memory", Neural Computation 9 (1997), with the forget gate
/// of Gers, Schmidhuber and Cummins (2000) and, where there is one, the projection of Sak, Senior and
/// Beaufays (2014).
struct LSTMLayer: Sendable {
  let inputSize: Int
  let hiddenSize: Int
  let isReverse: Bool
  let inputWeights: PackedWeights
  let recurrentWeights: PackedWeights
  let bias: PackedWeights
  let projection: Linear?

  /// The size of h.
  var outputSize: Int { projection?.outputSize ?? hiddenSize }

  /// Bytes of packed weights.
  var byteCount: Int {
    inputWeights.byteCount + recurrentWeights.byteCount + bias.byteCount
      + (projection?.byteCount ?? 0)
  }

  /// - Parameters:
  ///   - precision: what W and R are kept as; bias and P are f32. Few inputs stay f32 where int8 is
  ///     asked for: up to a quarter of hiddenSize, their products cost no more than those of h, and the
  ///     features that a model is given are the last thing to round.
  ///   - inputWeights: W, 4·hiddenSize × inputSize, gates in the order i f g o.
  ///   - recurrentWeights: R, 4·hiddenSize × outputSize.
  ///   - bias: 4·hiddenSize.
  ///   - projection: P, outputSize × hiddenSize, or nil where h is not projected.
  init(
    precision: Precision = .f32, inputSize: Int, hiddenSize: Int, isReverse: Bool,
    inputWeights: [Float], recurrentWeights: [Float], bias: [Float], projection: [Float]?
  ) {
    self.inputSize = inputSize
    self.hiddenSize = hiddenSize
    self.isReverse = isReverse
    self.projection = projection.map {
      Linear(inputSize: hiddenSize, outputSize: $0.count / hiddenSize, weight: $0, bias: nil)
    }
    let isNarrow = 4 * inputSize <= hiddenSize
    self.inputWeights = PackedWeights(
      precision == .int8 && isNarrow ? .f32 : precision, gatesOf: hiddenSize, depth: inputSize,
      matrix: inputWeights)
    self.recurrentWeights = PackedWeights(
      precision, gatesOf: hiddenSize, depth: recurrentWeights.count / (4 * hiddenSize),
      matrix: recurrentWeights)
    self.bias = PackedWeights(gatesOf: hiddenSize, depth: 1, matrix: bias)
  }

  /// Runs every rider over its steps.
  ///
  /// - Parameters:
  ///   - input: layout.rows × inputSize.
  ///   - output: layout.rows × at least `column` + outputSize; h of each step is written from `column` on.
  ///   - state: the riders' states before their first step; after their last when the call returns.
  ///   - crew: the cores that divide the units among them; nil for the caller's alone. It does not show in
  ///     the results.
  func forward(
    _ input: Matrix, layout: PackedLayout, state: inout LSTMState, output: inout Matrix,
    column: Int, scratch: LSTMScratch, kernels: Kernels, crew: Crew?
  ) {
    guard layout.rows > 0 else { return }
    let width = output.columns
    precondition(input.columns == inputSize && layout.rows <= input.rows)
    precondition(column + outputSize <= width && layout.rows <= output.rows)
    precondition(state.cell.columns == hiddenSize && state.hidden.columns == outputSize)
    precondition(
      state.cell.rows >= layout.steps.count && state.hidden.rows >= layout.steps.count)
    scratch.fit(self, layout: layout)
    // SAFETY: the matrices are of the sizes just checked and exclusively ours; crew.run waits for all cores.
    unsafe input.values.withUnsafeBufferPointer { input in
      unsafe state.hidden.values.withUnsafeBufferPointer { initial in
        unsafe state.cell.values.withUnsafeMutableBufferPointer { cell in
          unsafe output.values.withUnsafeMutableBufferPointer { output in
            let pass = unsafe LSTMPass(
              layer: self, layout: layout, kernels: kernels, input: input.baseAddress!,
              output: output.baseAddress! + column, width: width, initial: initial.baseAddress!,
              cell: cell.baseAddress!, scratch: scratch)
            if let crew {
              crew.run { share, barrier in pass.run(share, barrier) }
            } else {
              pass.run(.whole, Barrier())
            }
          }
        }
      }
    }
    for rider in layout.steps.indices {
      let row = isReverse ? rider : layout.lastRow(rider: rider)
      state.hidden.set(
        row: rider, from: output.values, at: row * width + column, count: outputSize)
    }
  }
}

extension LSTMLayer {
  /// The layers of a node, layer by layer, forward then reverse, from PyTorch's tensors under `prefix`.
  static func load(
    prefix: String, shape: Model.LSTMShape, precision: Precision, from tensors: TensorFile
  ) throws(ModelError) -> [LSTMLayer] {
    func matrix(_ name: String) throws(ModelError) -> [Float] {
      let values = try tensors.floats(name)
      if precision == .f16 { try checkHalf(values, of: name) }
      return values
    }
    if precision == .int8 { try checkDepth(shape, prefix: prefix) }
    var layers: [LSTMLayer] = []
    for layer in 0..<shape.layers {
      for direction in 0..<shape.directions {
        func name(_ kind: String) -> String {
          Model.LSTMShape.tensorName(kind, layer: layer, direction: direction, under: prefix)
        }
        let bias: [Float]
        switch shape.bias {
        case .none: bias = Array(repeating: 0, count: 4 * shape.hiddenSize)
        case .one: bias = try tensors.floats(name("bias"))
        case .two:
          bias = zip(try tensors.floats(name("bias_ih")), try tensors.floats(name("bias_hh")))
            .map { $0 + $1 }
        }
        var projection: [Float]?
        if shape.projectionSize != nil {
          projection = try tensors.floats(name("weight_hr"))
        }
        layers.append(
          LSTMLayer(
            precision: precision,
            inputSize: layer == 0 ? shape.inputSize : shape.directions * shape.outputSize,
            hiddenSize: shape.hiddenSize, isReverse: shape.isReverse || direction == 1,
            inputWeights: try matrix(name("weight_ih")),
            recurrentWeights: try matrix(name("weight_hh")),
            bias: bias, projection: projection))
      }
    }
    return layers
  }

  /// The largest number that half precision has.
  private static let largestHalf: Float = 65504

  private static func checkHalf(_ values: [Float], of tensor: String) throws(ModelError) {
    guard let index = values.firstIndex(where: { abs($0) > largestHalf }) else { return }
    throw .outOfRange(
      tensor: tensor, index: index, value: Double(values[index]), limit: Double(largestHalf),
      precision: .f16)
  }

  private static func checkDepth(
    _ shape: Model.LSTMShape, prefix: String
  ) throws(ModelError) {
    let widest = Swift.max(
      shape.inputSize, shape.layers > 1 ? shape.directions * shape.outputSize : 0, shape.outputSize)
    guard widest > PackedWeights.int8MaxDepth else { return }
    throw .tooMany(
      "inputs of an int8 layer of \"\(prefix)\"", found: widest, limit: PackedWeights.int8MaxDepth)
  }
}
