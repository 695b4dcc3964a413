import ModelFormat

/// The states of one layer in one direction, a row for each rider: read at the start of a turn, written at its end.
struct RecurrentState {
  /// riders × outputSize.
  var hidden = Matrix()
  /// riders × hiddenSize, for cells with a c: the constant error carousel.
  var cell = Matrix()
}

/// One layer of a recurrent network in one direction. Immutable and shared by all threads.
final class RecurrentLayer: Sendable {
  let cell: RecurrentCell
  let inputSize: Int
  let hiddenSize: Int
  let isReverse: Bool
  let inputWeights: PackedWeights
  let recurrentWeights: PackedWeights
  /// The bias that the sums W x start from.
  let bias: PackedWeights
  /// The separate bias of R h; nil if the cell has none.
  let recurrentBias: PackedWeights?
  /// The peephole weights of i, f and o, 3·hiddenSize; nil without peepholes.
  let peepholes: PackedWeights?
  let projection: Linear?
  /// The matrices that compute m of a multiplicative cell; nil for other cells.
  let multiplier: RecurrentMultiplier?
  /// h, then c, before the first step of a sequence that is given none.
  let initialState: [Float]

  /// The size of h.
  var outputSize: Int { projection?.outputSize ?? hiddenSize }

  /// The size of c.
  var cellSize: Int { cell.hasCell ? hiddenSize : 0 }

  /// The bytes of packed weights.
  var byteCount: Int {
    inputWeights.byteCount + recurrentWeights.byteCount + bias.byteCount
      + (recurrentBias?.byteCount ?? 0) + (peepholes?.byteCount ?? 0)
      + (projection?.byteCount ?? 0) + (multiplier?.byteCount ?? 0)
  }

  /// For int8: whether h is quantised by its largest element; else it lies within ±1 and has a fixed scale.
  var scalesHidden: Bool { projection != nil || !cell.isHiddenBounded }

  /// - Parameters:
  ///   - cell: the kind of cell.
  ///   - precision: the precision of W and R; bias and P are f32. With int8, W stays f32 if inputSize is at most a quarter of
  ///     hiddenSize: its products then cost no more than those of R, and rounding a model's features costs the most accuracy.
  ///   - inputWeights: W, gates·hiddenSize × inputSize, as PyTorch stores it.
  ///   - recurrentWeights: R, gates·hiddenSize × outputSize.
  ///   - bias: gates·hiddenSize, added to W x.
  ///   - recurrentBias: gates·hiddenSize, added to R h; nil if the cell has no separate biases.
  ///   - peepholes: 3·hiddenSize, those of i, f and o; nil where the gates don't see c.
  ///   - multiplier: for a multiplicative cell, W_mx and W_mh, with hiddenSize rows each.
  ///   - projection: P, outputSize × hiddenSize; nil if h is not projected.
  ///   - initialState: h and c, outputSize + cellSize; nil for zeros.
  ///   - kernels: the kernels that will run the layer: weights are packed in their order.
  init(
    _ cell: RecurrentCell, precision: Precision = .f32, inputSize: Int, hiddenSize: Int,
    isReverse: Bool,
    inputWeights: [Float], recurrentWeights: [Float], bias: [Float],
    recurrentBias: [Float]? = nil, peepholes: [Float]? = nil,
    multiplier: (input: [Float], recurrent: [Float])? = nil, projection: [Float]?,
    initialState: [Float]? = nil, kernels: Kernels = .shared
  ) {
    precondition((recurrentBias == nil) == cell.separateBiases.isEmpty)
    precondition((multiplier != nil) == cell.multiplies)
    self.cell = cell
    self.inputSize = inputSize
    self.hiddenSize = hiddenSize
    self.isReverse = isReverse
    self.projection = projection.map {
      Linear(
        inputSize: hiddenSize, outputSize: $0.count / hiddenSize, weight: $0, bias: nil,
        kernels: kernels)
    }
    let stateSize =
      (self.projection?.outputSize ?? hiddenSize) + (cell.hasCell ? hiddenSize : 0)
    precondition(initialState.map { $0.count == stateSize } ?? true)
    self.initialState = initialState ?? Array(repeating: 0, count: stateSize)
    let isNarrow = 4 * inputSize <= hiddenSize
    func pack(_ precision: Precision, depth: Int, _ matrix: [Float]) -> PackedWeights {
      PackedWeights(
        precision, gates: cell.gates, units: hiddenSize, depth: depth, matrix: matrix,
        kernels: kernels)
    }
    let inputPrecision = precision == .int8 && isNarrow ? .f32 : precision
    self.inputWeights = pack(inputPrecision, depth: inputSize, inputWeights)
    self.multiplier = multiplier.map {
      RecurrentMultiplier(
        inputPrecision: inputPrecision, precision: precision, units: hiddenSize,
        inputWeights: $0.input, recurrentWeights: $0.recurrent, kernels: kernels)
    }
    self.recurrentWeights = pack(
      precision, depth: recurrentWeights.count / (cell.gates * hiddenSize), recurrentWeights)
    self.bias = pack(.f32, depth: 1, bias)
    self.recurrentBias = recurrentBias.map { pack(.f32, depth: 1, $0) }
    // With one input and one gate, packing does not change the order.
    self.peepholes = peepholes.map {
      PackedWeights(columns: $0.count, depth: 1, matrix: $0, kernels: kernels)
    }
  }

  /// Runs every rider over its steps.
  ///
  /// - Parameters:
  ///   - input: layout.rows × inputSize.
  ///   - output: layout.rows × at least `column` + outputSize; h of each step is written from `column` on.
  ///   - state: the riders' states, in the layout's order, before their first step; updated to those after their last.
  ///   - crew: the cores that divide the units; nil for the caller's only. Results don't depend on it.
  func forward(
    _ input: Matrix, layout: PackedLayout, state: inout RecurrentState, output: inout Matrix,
    column: Int, scratch: RecurrentScratch, kernels: Kernels, crew: Crew?
  ) {
    guard layout.rows > 0 else { return }
    precondition(inputWeights.suits(kernels) && recurrentWeights.suits(kernels))
    let width = output.columns
    precondition(input.columns == inputSize && layout.rows <= input.rows)
    precondition(column + outputSize <= width && layout.rows <= output.rows)
    precondition(state.cell.columns == cellSize && state.hidden.columns == outputSize)
    precondition(
      state.cell.rows >= layout.steps.count && state.hidden.rows >= layout.steps.count)
    scratch.fit(self, layout: layout)
    // SAFETY: the matrices have the sizes just checked, and this call has exclusive access; crew.run waits for all
    // cores.
    unsafe input.values.withUnsafeBufferPointer { input in
      unsafe state.hidden.values.withUnsafeBufferPointer { initial in
        unsafe state.cell.values.withUnsafeMutableBufferPointer { cells in
          unsafe output.values.withUnsafeMutableBufferPointer { output in
            let pass = unsafe RecurrentPass(
              layer: self, layout: layout, kernels: kernels, input: input.baseAddress!,
              output: output.baseAddress! + column, width: width, initial: initial.baseAddress!,
              cells: cell.hasCell ? cells.baseAddress! : nil, scratch: scratch)
            if let crew {
              crew.run { share, barrier in pass.run(share, barrier) }
            } else {
              pass.run(.whole, .none)
            }
          }
        }
      }
    }
    for (rider, count) in layout.steps.enumerated() where count > 0 {
      let place = layout.place(of: rider)
      let row = isReverse ? place : layout.lastRow(rider: rider)
      state.hidden.set(
        row: place, from: output.values, at: row * width + column, count: outputSize)
    }
  }
}
