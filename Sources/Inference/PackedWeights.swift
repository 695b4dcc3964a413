import CKernels
import Glibc

/// Weights in the kernels' order, on cache-line boundaries; immutable once made.
///
/// Unchecked: the memory is written in `init` only, and read from then on.
@safe final class PackedWeights: @unchecked Sendable {
  let depth: Int
  /// Columns with the padding of the last panel or block.
  let packedColumns: Int
  let pointer: UnsafePointer<Float>

  /// Bytes held.
  var byteCount: Int { packedColumns * depth * MemoryLayout<Float>.stride }

  private init(
    depth: Int, packedColumns: Int, fill: (UnsafeMutablePointer<Float>) -> Void
  ) {
    self.depth = depth
    self.packedColumns = packedColumns
    let count = Swift.max(packedColumns * depth, 1)
    // SAFETY: fresh memory for `count` floats, initialised before anything reads it, freed in deinit.
    var raw: UnsafeMutableRawPointer?
    guard unsafe posix_memalign(&raw, 64, count * MemoryLayout<Float>.stride) == 0,
      let raw = unsafe raw
    else { fatalError("no memory for \(count) packed weights") }
    let floats = unsafe raw.bindMemory(to: Float.self, capacity: count)
    unsafe floats.initialize(repeating: 0, count: count)
    unsafe fill(floats)
    unsafe pointer = UnsafePointer(floats)
  }

  deinit {
    // SAFETY: the pointer came from posix_memalign and nothing else frees it.
    unsafe free(UnsafeMutableRawPointer(mutating: pointer))
  }

  /// Packs a matrix of `columns` × `depth`, one row an output.
  convenience init(columns: Int, depth: Int, matrix: [Float]) {
    precondition(matrix.count == columns * depth)
    unsafe self.init(depth: depth, packedColumns: ck_packed_columns(columns)) { packed in
      // SAFETY: both sides have the size that the routine documents.
      unsafe matrix.withUnsafeBufferPointer { matrix in
        guard let base = matrix.baseAddress else { return }
        unsafe ck_pack_columns(base, columns, depth, packed)
      }
    }
  }

  /// Packs the four gates of `hiddenSize` units, a matrix of 4·hiddenSize × `depth` in the order i f g o.
  convenience init(gatesOf hiddenSize: Int, depth: Int, matrix: [Float]) {
    precondition(matrix.count == 4 * hiddenSize * depth)
    unsafe self.init(depth: depth, packedColumns: ck_packed_gate_columns(hiddenSize)) { packed in
      // SAFETY: both sides have the size that the routine documents.
      unsafe matrix.withUnsafeBufferPointer { matrix in
        guard let base = matrix.baseAddress else { return }
        unsafe ck_pack_gates(base, hiddenSize, depth, packed)
      }
    }
  }
}

/// A linear map with a bias: `output = input · Wᵀ + b`.
struct Linear: Sendable {
  let inputSize: Int
  let outputSize: Int
  let weights: PackedWeights
  let bias: PackedWeights

  /// - Parameters:
  ///   - weight: outputSize × inputSize, as PyTorch stores it.
  ///   - bias: outputSize floats, or nil for none.
  init(inputSize: Int, outputSize: Int, weight: [Float], bias: [Float]?) {
    self.inputSize = inputSize
    self.outputSize = outputSize
    weights = PackedWeights(columns: outputSize, depth: inputSize, matrix: weight)
    self.bias = PackedWeights(
      columns: outputSize, depth: 1, matrix: bias ?? Array(repeating: 0, count: outputSize))
  }

  /// Computes `rows` rows of `input` into `output`.
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

  /// Computes `rows` rows between raw matrices, rows `stride` floats apart.
  func forward(
    rows: Int, _ input: UnsafePointer<Float>, stride inputStride: Int,
    into output: UnsafeMutablePointer<Float>, stride outputStride: Int, kernels: Kernels
  ) {
    // SAFETY: the caller vouches for the matrices; the weights live as long as self.
    var call = unsafe ck_gemm(
      rows: rows, depth: inputSize, columns: outputSize, input: input, input_stride: inputStride,
      weights: weights.pointer, bias: bias.pointer, output: output, output_stride: outputStride)
    unsafe kernels.routines.gemm_f32(&call)
  }
}
