import CKernels
import ModelFormat

/// What is particular to a recurrent cell of one direction: its gates, its state vectors, and what the kernel of a step
/// computes. Layers, directions, precisions, seats and states are written once, for all cells (`RecurrentLayer`,
/// `RecurrentPass`, `RecurrentNetwork`).
struct RecurrentCell: Sendable {
  /// Rows of W, R and each bias for a hidden unit.
  let gates: Int
  /// Whether a state vector c goes from step to step beside h.
  let hasCell: Bool
  /// What a step computes.
  let kernel: ck_cell
  /// What completes the step, where its R takes what the first kernel has made of all units: the candidate of a
  /// GRU whose reset gate acts before the product, the LSTM behind the product of a multiplicative one.
  let completion: ck_cell?
  /// The gates whose sum of R h starts from R's own bias; of the others the two biases count by their sum.
  let separateBiases: Range<Int>
  /// Whether the first kernel has matrices of its own (`RecurrentMultiplier`).
  var multiplies: Bool { kernel.kind == CK_PRODUCT }
  /// Whether every h that a step computes lies within ±1.
  let isHiddenBounded: Bool

  init(
    _ op: (some RecurrentOp).Type, kernel: ck_cell, completion: ck_cell? = nil,
    separateBiases: Range<Int> = 0..<0, isHiddenBounded: Bool
  ) {
    gates = op.gates
    hasCell = op.hasCell
    self.kernel = kernel
    self.completion = completion
    self.separateBiases = separateBiases
    self.isHiddenBounded = isHiddenBounded
  }
}
