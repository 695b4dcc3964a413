import CKernels
import ModelFormat

/// What is particular to a recurrent cell: its gates, its state vectors, how its weights are packed and which kernel
/// steps it. Layers, directions, precisions, seats and states are written once, for all cells (`RecurrentLayer`,
/// `RecurrentPass`, `RecurrentNetwork`).
///
/// h of a cell lies within ±1. Packed, a block holds what ck_block_units hidden units need.
protocol RecurrentCell: Sendable {
  associatedtype Definition: RecurrentOp

  init(_ op: Definition)

  /// Whether the two biases that PyTorch has count by their sum alone, so that one is kept; else that of
  /// R stays apart.
  var addsBiases: Bool { get }

  /// Packs W, R or a bias: gates·hiddenSize × depth, as PyTorch stores it, for `kernels`.
  func pack(
    _ part: RecurrentPart, precision: Precision, hiddenSize: Int, depth: Int, matrix: [Float],
    kernels: Kernels
  ) -> PackedWeights

  /// Advances some units of some riders by a step.
  func step(_ step: RecurrentStep, kernels: Kernels)
}

extension RecurrentCell {
  /// Rows of W, R and each bias for a hidden unit.
  static var gates: Int { Definition.gates }
  /// Whether a state vector c goes from step to step beside h.
  static var hasCell: Bool { Definition.hasCell }
}

/// What stands on which side of a cell's sums.
enum RecurrentPart: Sendable {
  /// W, and the bias that is added to W x.
  case input
  /// R, and a bias that stays with R h.
  case recurrent
}

/// A step of some units of some riders: operands of a cell's kernel, whose memory the pass keeps.
@safe struct RecurrentStep {
  let rows: Int
  /// Columns of h, and the units that are computed.
  let recurrentSize: Int
  let units: Int
  /// b + W x, in packed columns.
  let projected: UnsafePointer<Float>
  let projectedStride: Int
  /// h before the step: all of it, as R takes it.
  let hidden: ck_inputs
  /// Of the units that are computed, in f32 whatever R is kept as; nil where h is projected.
  let previous: UnsafePointer<Float>?
  let previousStride: Int
  let precision: Precision
  let weights: ck_weights
  /// In packed columns; nil where the cell's biases are added up.
  let recurrentBias: UnsafePointer<Float>?
  /// Updated in place; nil where the cell has no c.
  let cell: UnsafeMutablePointer<Float>?
  let cellStride: Int
  /// h after the step.
  let output: UnsafeMutablePointer<Float>
  let outputStride: Int
  /// int8 only, or nil: h after the step, quantised.
  let quantized: UnsafeMutablePointer<UInt8>?
  let quantizedStride: Int
  /// Whether the units are visited from last to first.
  let backward: Bool
}
