import CKernels
import ModelFormat

/// The properties of a kind of recurrent cell in one direction: its gates, its state vectors and its kernel. Layers,
/// directions, precisions, seats and states are the same code for all cells (`RecurrentLayer`, `RecurrentPass`,
/// `RecurrentNetwork`).
struct RecurrentCell: Sendable {
  /// The number of rows of W, R and each bias for a hidden unit.
  let gates: Int
  /// Whether the cell has a state vector c beside h.
  let hasCell: Bool
  /// The kernel of a step, or the first of its two kernels.
  let kernel: ck_cell
  /// The second kernel of a step, if R multiplies a result of the first kernel for all units: the candidate of a GRU
  /// whose reset gate acts before the product, or the LSTM that reads the product of a multiplicative LSTM. Nil for
  /// other cells.
  let completion: ck_cell?
  /// The gates whose sum R h starts from R's own bias. The other gates have one bias, the sum of both.
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
