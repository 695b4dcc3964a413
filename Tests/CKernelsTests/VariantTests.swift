import CKernels
import TestSupport
import Testing

/// Every variant that this CPU has gives the scalar one's bits.
@Suite struct VariantTests {
  static let variants: [ck_isa] = [CK_ISA_AVX2, CK_ISA_AVX512].filter {
    unsafe ck_kernels_for($0) != nil
  }

  struct Shape: CustomTestStringConvertible, Sendable {
    let rows, input, hidden: Int
    var testDescription: String { "\(rows) rows, \(input) → \(hidden)" }
  }

  /// Sizes around every tile and panel: 1 to 13 rows, inputs and units that fill no register.
  static let shapes: [Shape] = [1, 2, 3, 4, 5, 6, 7, 11, 13].flatMap { rows in
    [(1, 1), (3, 5), (8, 16), (7, 17), (16, 33), (5, 65)].map {
      Shape(rows: rows, input: $0.0, hidden: $0.1)
    }
  }

  @Test(arguments: variants.map(\.rawValue), shapes)
  func step(isa: UInt32, shape: Shape) throws {
    let problem = StepProblem(shape, seed: 7)
    let scalar = problem.run(ck_isa(0), hoisted: false)
    #expect(scalar.cell.contains { $0 != 0 })
    for hoisted in [false, true] {
      let variant = problem.run(ck_isa(isa), hoisted: hoisted)
      #expect(variant.cell.map(\.bitPattern) == scalar.cell.map(\.bitPattern))
      #expect(variant.hidden.map(\.bitPattern) == scalar.hidden.map(\.bitPattern))
    }
  }

  /// A row's bits are its own, whichever rows share the pass.
  @Test(arguments: variants.map(\.rawValue) + [0])
  func rowsDoNotMix(isa: UInt32) {
    let all = StepProblem(Shape(rows: 13, input: 7, hidden: 33), seed: 3)
    let together = all.run(ck_isa(isa), hoisted: true)
    for row in 0..<13 {
      let alone = all.row(row).run(ck_isa(isa), hoisted: false)
      #expect(
        alone.hidden.map(\.bitPattern)
          == together.hidden[row * 33..<(row + 1) * 33].map(\.bitPattern))
    }
  }

  @Test(arguments: variants.map(\.rawValue), [1, 15, 16, 17, 63, 64, 65, 130])
  func gemm(isa: UInt32, columns: Int) {
    for rows in [1, 2, 5, 6, 7, 13] {
      let scalar = linear(ck_isa(0), rows: rows, depth: 9, columns: columns)
      let variant = linear(ck_isa(isa), rows: rows, depth: 9, columns: columns)
      #expect(variant.map(\.bitPattern) == scalar.map(\.bitPattern))
    }
  }

  @Test(arguments: variants.map(\.rawValue), [1, 7, 16, 33, 100])
  func elementwise(isa: UInt32, count: Int) {
    var noise = Noise(seed: 11)
    let input = noise.floats(count, scale: 40)
    let scalar = kernels(ck_isa(0))
    let variant = kernels(ck_isa(isa))
    for routine in [\ck_kernels.sigmoid_f32, \.tanh_f32, \.relu_f32, \.exp_f32] {
      let expected = input.changed { unsafe scalar[keyPath: routine]!($0, count) }
      let found = input.changed { unsafe variant[keyPath: routine]!($0, count) }
      #expect(found.map(\.bitPattern) == expected.map(\.bitPattern))
    }
    for routine in [\ck_kernels.softmax_f32, \.log_softmax_f32] {
      let expected = input.changed { unsafe scalar[keyPath: routine]!($0, 1, count, count) }
      let found = input.changed { unsafe variant[keyPath: routine]!($0, 1, count, count) }
      #expect(found.map(\.bitPattern) == expected.map(\.bitPattern))
    }
  }

  private func linear(_ isa: ck_isa, rows: Int, depth: Int, columns: Int) -> [Float] {
    var noise = Noise(seed: 5)
    let weight = noise.floats(columns * depth)
    let bias = noise.floats(columns)
    let input = noise.floats(rows * depth)
    let packed = (
      weight: pack(ck_pack_columns, weight, columns, depth, ck_packed_columns(columns)),
      bias: pack(ck_pack_columns, bias, columns, 1, ck_packed_columns(columns))
    )
    // What lies behind the last row must stay as it is.
    var output = [Float](repeating: .pi, count: rows * columns + 16)
    // SAFETY: every pointer is to an array of the size that the call names.
    unsafe output.withUnsafeMutableBufferPointer { output in
      unsafe input.withUnsafeBufferPointer { input in
        unsafe packed.weight.withUnsafeBufferPointer { weight in
          unsafe packed.bias.withUnsafeBufferPointer { bias in
            var call = unsafe ck_gemm(
              rows: rows, depth: depth, columns: columns, input: input.baseAddress,
              input_stride: depth, weights: weight.baseAddress, bias: bias.baseAddress,
              output: output.baseAddress, output_stride: columns)
            unsafe kernels(isa).gemm_f32(&call)
          }
        }
      }
    }
    #expect(output.suffix(16).allSatisfy { $0 == .pi })
    return Array(output.prefix(rows * columns))
  }
}
