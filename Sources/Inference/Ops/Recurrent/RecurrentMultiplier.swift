import ModelFormat

/// The matrices that compute m = W x ⊙ R h of a multiplicative cell, whose gates read m in place of h.
struct RecurrentMultiplier: Sendable {
  let inputWeights: PackedWeights
  let recurrentWeights: PackedWeights
  /// Zeros, which W x and R h start from.
  let bias: PackedWeights

  /// - Parameters:
  ///   - inputWeights: W, units × inputs.
  ///   - recurrentWeights: R, units × units.
  init(
    inputPrecision: Precision, precision: Precision, units: Int, inputWeights: [Float],
    recurrentWeights: [Float], kernels: Kernels
  ) {
    func pack(_ precision: Precision, _ matrix: [Float]) -> PackedWeights {
      PackedWeights(
        precision, gates: 1, units: units, depth: matrix.count / units, matrix: matrix,
        kernels: kernels)
    }
    self.inputWeights = pack(inputPrecision, inputWeights)
    self.recurrentWeights = pack(precision, recurrentWeights)
    bias = pack(.f32, Array(repeating: 0, count: units))
  }

  var byteCount: Int { inputWeights.byteCount + recurrentWeights.byteCount + bias.byteCount }
}
