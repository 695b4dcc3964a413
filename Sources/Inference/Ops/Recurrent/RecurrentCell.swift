import CKernels
import ModelFormat

/// The properties of a kind of recurrent cell in one direction: its gates, its state vectors and its kernel. Layers,
/// directions, precisions, seats and states are the same code for all cells (`RecurrentLayer`, `RecurrentPass`,
/// `RecurrentNetwork`).
struct RecurrentCell: Sendable {
  /// The rows of W, R and each bias for a hidden unit.
  let gates: Int
  /// Whether the cell has a state vector c beside h.
  let hasCell: Bool
  /// The kernel of a step.
  let kernel: ck_cell
  /// What completes the step, where its R takes what the first kernel has made of all units: the candidate of a
  /// GRU whose reset gate acts before the product, the LSTM behind the product of a multiplicative one.
  let completion: ck_cell?
  /// The gates whose sum R h starts from R's own bias; for the other gates the two biases are added up.
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
