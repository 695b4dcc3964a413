import CKernels

/// A linear map with a bias: `output = input · Wᵀ + b`.
struct Linear: Sendable {
  let inputSize: Int
  let outputSize: Int
  let weights: PackedWeights
  let bias: PackedWeights

  /// - Parameters:
  ///   - weight: outputSize × inputSize, as PyTorch stores it.
  ///   - bias: outputSize floats, or nil for none.
  init(inputSize: Int, outputSize: Int, weight: [Float], bias: [Float]?, kernels: Kernels) {
    self.inputSize = inputSize
    self.outputSize = outputSize
    weights = PackedWeights(columns: outputSize, depth: inputSize, matrix: weight, kernels: kernels)
    self.bias = PackedWeights(
      columns: outputSize, depth: 1, matrix: bias ?? Array(repeating: 0, count: outputSize),
      kernels: kernels)
  }

  /// One map for each group of outputs, each over inputs of its own. `weight` and `bias` hold the groups one after another.
  static func groups(
    _ count: Int, outputSize: Int, weight: [Float], bias: [Float]?, kernels: Kernels
  ) -> [Linear] {
    let outputs = outputSize / count
    let depth = weight.count / outputSize
    return (0..<count).map { group in
      let rows = group * outputs..<(group + 1) * outputs
      return Linear(
        inputSize: depth, outputSize: outputs,
        weight: Array(weight[rows.lowerBound * depth..<rows.upperBound * depth]),
        bias: bias.map { Array($0[rows]) }, kernels: kernels)
    }
  }

  /// The bytes of the packed weights.
  var byteCount: Int { weights.byteCount + bias.byteCount }

  /// Applies the map to every row of `input`; resizes `output` to the result.
  func forward(_ input: Matrix, into output: inout Matrix, kernels: Kernels) {
    precondition(input.columns == inputSize)
    let rows = input.rows
    output.resize(rows: rows, columns: outputSize)
    // SAFETY: both matrices hold rows × columns floats, and the exclusive `output` overlaps nothing.
    unsafe input.values.withUnsafeBufferPointer { input in
      unsafe output.values.withUnsafeMutableBufferPointer { output in
        guard let source = input.baseAddress, let target = output.baseAddress else { return }
        unsafe forward(
          rows: rows, source, stride: inputSize, into: target, stride: outputSize,
          kernels: kernels)
      }
    }
  }

  /// Computes the columns of a share, for `rows` rows of raw matrices whose rows are `stride` floats apart.
  func forward(
    rows: Int, _ input: UnsafePointer<Float>, stride inputStride: Int,
    into output: UnsafeMutablePointer<Float>, stride outputStride: Int, kernels: Kernels,
    share: Share = .whole
  ) {
    precondition(weights.suits(kernels))
    let blocks = share.of(weights.blockCount)
    let first = blocks.lowerBound * weights.blockColumns
    let end = Swift.min(blocks.upperBound * weights.blockColumns, outputSize)
    guard first < end else { return }
    // SAFETY: the caller vouches for the matrices; the weights live as long as self.
    var call = unsafe ck_gemm(
      rows: rows, depth: inputSize, columns: end - first,
      input: ck_inputs(values: input, stride: inputStride, scales: nil),
      weights: weights.operand(fromBlock: blocks.lowerBound), bias: bias.floats + first,
      output: output + first, output_stride: outputStride)
    unsafe kernels.gemm(.f32, &call)
  }
}
