import CKernels
import Glibc
import ModelFormat

/// Weights in the kernels' order, aligned to cache lines. Immutable.
///
/// Unchecked: the memory is written in `init` only.
@safe final class PackedWeights: @unchecked Sendable {
  let precision: Precision
  /// The outputs of a unit; 1 for a plain matrix.
  let gates: Int
  let depth: Int
  /// The number of columns, with the padding of the last panel or block.
  let packedColumns: Int
  /// The units and the columns of a whole block.
  let blockUnits: Int
  let blockColumns: Int
  /// The number of blocks; the last may have fewer panels.
  let blockCount: Int
  private let panels: UnsafeMutableRawPointer
  /// The order of panels, in which kernel variants differ (`ck_kernels.panels_interleaved`).
  private let panelsTogether: Bool
  /// The bytes of the weights, without scales and offsets.
  let panelBytes: Int
  /// int8: a scale and an offset for each packed column; else empty.
  private let scales: UnsafeMutableBufferPointer<Float>
  private let offsets: UnsafeMutableBufferPointer<Int32>

  /// The bytes in memory.
  var byteCount: Int { panelBytes + (precision == .int8 ? 8 * packedColumns : 0) }

  /// Packs the gates of `units` units for `kernels`: a matrix of gates·units × `depth`, gate by gate, as PyTorch stores it.
  init(
    _ precision: Precision = .f32, gates: Int, units: Int, depth: Int, matrix: [Float],
    kernels: Kernels
  ) {
    precondition(matrix.count == gates * units * depth)
    precondition(precision != .int8 || depth <= Self.int8MaxDepth)
    self.precision = precision
    self.gates = gates
    self.depth = depth
    packedColumns = ck_packed_columns(gates, units)
    blockUnits = ck_block_units(gates)
    blockColumns = gates * blockUnits
    blockCount = (packedColumns + blockColumns - 1) / blockColumns
    panelsTogether = unsafe kernels.routines.panels_interleaved
    panelBytes = ck_packed_bytes(precision.code, packedColumns, depth)
    unsafe panels = alignedMemory(panelBytes)
    let columns = precision == .int8 ? packedColumns : 0
    unsafe scales = .allocate(capacity: columns)
    unsafe offsets = .allocate(capacity: columns)
    // SAFETY: the buffers have the sizes that `ck_pack` documents, and it fills them.
    unsafe matrix.withUnsafeBufferPointer { matrix in
      var routines = unsafe kernels.routines
      unsafe ck_pack(
        &routines, precision.code, gates, matrix.baseAddress, units, depth, panels,
        columns > 0 ? scales.baseAddress : nil, columns > 0 ? offsets.baseAddress : nil)
    }
  }

  deinit {
    // SAFETY: the pointers came from posix_memalign and allocate, and nothing else frees them.
    unsafe free(panels)
    unsafe scales.deallocate()
    unsafe offsets.deallocate()
  }

  /// Packs a matrix of `columns` × `depth` (one row for each output) for `kernels`.
  convenience init(
    _ precision: Precision = .f32, columns: Int, depth: Int, matrix: [Float], kernels: Kernels
  ) {
    self.init(
      precision, gates: 1, units: columns, depth: depth, matrix: matrix, kernels: kernels)
  }

  /// Whether the weights are packed for `kernels`.
  func suits(_ kernels: Kernels) -> Bool {
    unsafe panelsTogether == kernels.routines.panels_interleaved
  }

  /// The most inputs of int8 weights: with more, a sum could overflow.
  static let int8MaxDepth = Int(CK_I8_MAX_DEPTH)

  /// The packed columns of some blocks.
  func columns(of blocks: Range<Int>) -> Range<Int> {
    let end = Swift.min(blocks.upperBound * blockColumns, packedColumns)
    return Swift.min(blocks.lowerBound * blockColumns, end)..<end
  }

  /// The weights from a block on, for a kernel call; valid as long as self lives.
  func operand(fromBlock block: Int = 0) -> ck_weights {
    precondition((0...blockCount).contains(block))
    let column = block * blockColumns
    // SAFETY: blocks lie one after the other; an int8 block has a scale and an offset a column.
    return unsafe ck_weights(
      panels: panels + ck_packed_bytes(precision.code, column, depth),
      scales: scales.isEmpty ? nil : UnsafePointer(scales.baseAddress! + column),
      offsets: offsets.isEmpty ? nil : UnsafePointer(offsets.baseAddress! + column),
      gates: gates)
  }

  /// The f32 weights of a matrix with one input, such as a bias.
  var floats: UnsafePointer<Float> {
    precondition(precision == .f32)
    // SAFETY: f32 panels are floats.
    return unsafe UnsafePointer(panels.assumingMemoryBound(to: Float.self))
  }

  /// Reads a share of the weights once, at full speed. For benchmarks.
  func read(_ share: Share, kernels: Kernels) {
    let pieces = share.of(panelBytes / Self.readPiece)
    // SAFETY: the pieces lie within the panels.
    _ = unsafe kernels.routines.read(
      panels + pieces.lowerBound * Self.readPiece, pieces.count * Self.readPiece)
  }

  /// The reading routine reads a multiple of this many bytes.
  private static let readPiece = 1024
}
