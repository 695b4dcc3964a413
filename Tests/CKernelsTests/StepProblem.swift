import CKernels
import Glibc
import TestSupport

/// The table of a variant that this CPU has.
func kernels(_ isa: ck_isa) -> ck_kernels {
  // SAFETY: the table lives as long as the process.
  unsafe ck_kernels_for(isa)!.pointee
}

/// Calls one of the packing routines.
func pack(
  _ routine: (UnsafePointer<Float>, Int, Int, UnsafeMutablePointer<Float>) -> Void,
  _ matrix: [Float], _ columns: Int, _ depth: Int, _ packedColumns: Int
) -> [Float] {
  var packed = [Float](repeating: .nan, count: packedColumns * depth)
  // SAFETY: both arrays have the size that the routine documents.
  unsafe packed.withUnsafeMutableBufferPointer { packed in
    unsafe matrix.withUnsafeBufferPointer { matrix in
      unsafe routine(matrix.baseAddress!, columns, depth, packed.baseAddress!)
    }
  }
  return packed
}

extension [Float] {
  /// A copy that `change` has worked on in place.
  func changed(_ change: (UnsafeMutablePointer<Float>) -> Void) -> [Float] {
    var copy = self
    // SAFETY: the pointer is good for the array's count.
    unsafe copy.withUnsafeMutableBufferPointer { unsafe change($0.baseAddress!) }
    return copy
  }
}

/// One step of an LSTM with random weights, and what it should come to.
struct StepProblem {
  let rows, inputSize, hiddenSize: Int
  var inputWeights, recurrentWeights, bias: [Float]
  var input, hidden, cell: [Float]

  init(_ shape: VariantTests.Shape, seed: UInt64) {
    var noise = Noise(seed: seed)
    (rows, inputSize, hiddenSize) = (shape.rows, shape.input, shape.hidden)
    inputWeights = noise.floats(4 * hiddenSize * inputSize)
    recurrentWeights = noise.floats(4 * hiddenSize * hiddenSize, scale: 0.3)
    bias = noise.floats(4 * hiddenSize)
    input = noise.floats(rows * inputSize, scale: 2)
    hidden = noise.floats(rows * hiddenSize)
    cell = noise.floats(rows * hiddenSize, scale: 2)
  }

  /// The same weights with one of the rows.
  func row(_ index: Int) -> StepProblem {
    var one = StepProblem(
      VariantTests.Shape(rows: 1, input: inputSize, hidden: hiddenSize), seed: 1)
    (one.inputWeights, one.recurrentWeights, one.bias) = (inputWeights, recurrentWeights, bias)
    one.input = Array(input[index * inputSize..<(index + 1) * inputSize])
    one.hidden = Array(hidden[index * hiddenSize..<(index + 1) * hiddenSize])
    one.cell = Array(cell[index * hiddenSize..<(index + 1) * hiddenSize])
    return one
  }

  /// - Parameter hoisted: whether the input is projected by a GEMM before the step.
  func run(_ isa: ck_isa, hoisted: Bool) -> (hidden: [Float], cell: [Float]) {
    let table = kernels(isa)
    let columns = ck_packed_gate_columns(hiddenSize)
    let packedInput = pack(ck_pack_gates, inputWeights, hiddenSize, inputSize, columns)
    let packedRecurrent = pack(ck_pack_gates, recurrentWeights, hiddenSize, hiddenSize, columns)
    let packedBias = pack(ck_pack_gates, bias, hiddenSize, 1, columns)
    var projected = [Float](repeating: .nan, count: rows * columns)
    var (newCell, output) = (cell, [Float](repeating: .nan, count: rows * hiddenSize))
    // SAFETY: every pointer is to an array of the size that the call names.
    unsafe packedInput.withUnsafeBufferPointer { w in
      unsafe packedRecurrent.withUnsafeBufferPointer { r in
        unsafe packedBias.withUnsafeBufferPointer { b in
          unsafe projected.withUnsafeMutableBufferPointer { p in
            unsafe input.withUnsafeBufferPointer { x in
              unsafe hidden.withUnsafeBufferPointer { h in
                unsafe newCell.withUnsafeMutableBufferPointer { c in
                  unsafe output.withUnsafeMutableBufferPointer { out in
                    if hoisted {
                      var gemm = unsafe ck_gemm(
                        rows: rows, depth: inputSize, columns: columns, input: x.baseAddress,
                        input_stride: inputSize, weights: w.baseAddress, bias: b.baseAddress,
                        output: p.baseAddress, output_stride: columns)
                      unsafe table.gemm_f32(&gemm)
                    }
                    var step = unsafe ck_lstm_step(
                      rows: rows, input_size: inputSize, recurrent_size: hiddenSize,
                      hidden_size: hiddenSize,
                      projected: hoisted ? UnsafePointer(p.baseAddress) : nil,
                      projected_stride: columns, input: x.baseAddress, input_stride: inputSize,
                      input_weights: w.baseAddress, bias: b.baseAddress, hidden: h.baseAddress,
                      hidden_stride: hiddenSize, recurrent_weights: r.baseAddress,
                      cell: c.baseAddress, cell_stride: hiddenSize, output: out.baseAddress,
                      output_stride: hiddenSize)
                    unsafe table.lstm_step_f32(&step)
                  }
                }
              }
            }
          }
        }
      }
    }
    return (output, newCell)
  }

  /// The step in double precision, by the mathematics library.
  func reference() -> (hidden: [Double], cell: [Double]) {
    var (newCell, newHidden) = ([Double](), [Double]())
    for row in 0..<rows {
      for unit in 0..<hiddenSize {
        let gates = (0..<4).map { gate in
          let line = gate * hiddenSize + unit
          var sum = Double(bias[line])
          for k in 0..<inputSize {
            sum += Double(inputWeights[line * inputSize + k]) * Double(input[row * inputSize + k])
          }
          for k in 0..<hiddenSize {
            sum +=
              Double(recurrentWeights[line * hiddenSize + k]) * Double(hidden[row * hiddenSize + k])
          }
          return sum
        }
        let c =
          sigmoid(gates[1]) * Double(cell[row * hiddenSize + unit])
          + sigmoid(gates[0]) * tanh(gates[2])
        newCell.append(c)
        newHidden.append(sigmoid(gates[3]) * tanh(c))
      }
    }
    return (newHidden, newCell)
  }

  private func sigmoid(_ x: Double) -> Double { 1 / (1 + exp(-x)) }
}
