import CKernels
import Glibc
import TestSupport
import Testing

@testable import Inference
@testable import ModelFormat

/// What `RecurrentLayer` gives a cell other than the LSTM: three gates, no c, and a bias of R that stays apart.
@Suite struct RecurrentCellTests {
  private static let (inputSize, hiddenSize) = (3, 20)

  @Test(arguments: [false, true])
  func aGRUTakesTheLayersPath(isReverse: Bool) {
    var noise = Noise(seed: 7)
    let reference = ReferenceGRU(
      input: noise.floats(60 * Self.inputSize), recurrent: noise.floats(60 * Self.hiddenSize),
      inputBias: noise.floats(60), recurrentBias: noise.floats(60))
    let layer = RecurrentLayer(
      ScalarGRUCell(GRUOp()), inputSize: Self.inputSize, hiddenSize: Self.hiddenSize,
      isReverse: isReverse, inputWeights: reference.input, recurrentWeights: reference.recurrent,
      bias: reference.inputBias, recurrentBias: reference.recurrentBias, projection: nil,
      kernels: kernels)
    #expect(layer.cellSize == 0 && layer.outputSize == Self.hiddenSize)

    let layout = PackedLayout(steps: [6, 3, 1])
    var input = Matrix(rows: layout.rows, columns: Self.inputSize)
    input.values = noise.floats(layout.rows * Self.inputSize)
    var start = RecurrentState()
    start.hidden.resize(rows: 3, columns: Self.hiddenSize)
    start.hidden.values = noise.floats(3 * Self.hiddenSize, scale: 0.5)
    start.cell.resize(rows: 3, columns: 0)

    let alone = run(layer, input, layout, start, crew: nil)
    let shared = run(layer, input, layout, start, crew: Crew(size: 2))
    #expect(alone.output.values == shared.output.values)
    #expect(alone.state.hidden.values == shared.state.hidden.values)

    for (rider, steps) in layout.steps.enumerated() {
      var hidden = start.hidden.values[start.hidden.row(rider)].map(Double.init)
      for step in isReverse ? Array((0..<steps).reversed()) : Array(0..<steps) {
        let row = layout.row(rider: rider, step: step)
        hidden = reference.step(input.values[input.row(row)].map(Double.init), hidden)
        expectClose(alone.output.values[alone.output.row(row)], hidden)
      }
      expectClose(alone.state.hidden.values[start.hidden.row(rider)], hidden)
    }
  }

  /// Panels one after the other.
  private let kernels = Kernels(.scalar)!

  private func run(
    _ layer: RecurrentLayer<ScalarGRUCell>, _ input: Matrix, _ layout: PackedLayout,
    _ start: RecurrentState, crew: Crew?
  ) -> (output: Matrix, state: RecurrentState) {
    var state = start
    var output = Matrix(rows: layout.rows, columns: Self.hiddenSize)
    layer.forward(
      input, layout: layout, state: &state, output: &output, column: 0,
      scratch: RecurrentScratch(), kernels: kernels, crew: crew)
    return (output, state)
  }

  private func expectClose(_ found: ArraySlice<Float>, _ expected: [Double]) {
    #expect(zip(found, expected).allSatisfy { abs(Double($0) - $1) < 1e-5 })
  }
}

/// `torch.nn.GRU`'s step in double precision, gates in the order r z n.
private struct ReferenceGRU {
  let input: [Float]
  let recurrent: [Float]
  let inputBias: [Float]
  let recurrentBias: [Float]

  func step(_ x: [Double], _ hidden: [Double]) -> [Double] {
    func sum(_ matrix: [Float], _ bias: [Float], _ row: Int, _ values: [Double]) -> Double {
      values.indices.reduce(Double(bias[row])) {
        $0 + Double(matrix[row * values.count + $1]) * values[$1]
      }
    }
    func sigmoid(_ value: Double) -> Double { 1 / (1 + exp(-value)) }
    let size = hidden.count
    return hidden.indices.map { unit in
      let (r, z, n) = (unit, size + unit, 2 * size + unit)
      func fromInput(_ row: Int) -> Double { sum(input, inputBias, row, x) }
      func fromHidden(_ row: Int) -> Double { sum(recurrent, recurrentBias, row, hidden) }
      let reset = sigmoid(fromInput(r) + fromHidden(r))
      let update = sigmoid(fromInput(z) + fromHidden(z))
      let candidate = tanh(fromInput(n) + reset * fromHidden(n))
      return (1 - update) * candidate + update * hidden[unit]
    }
  }
}

private struct GRUOp: RecurrentOp {
  static let name = "gru"
  static let documentation = OpDocumentation(inputs: "", parameters: "", result: "")
  static let gates = 3
  static let hasCell = false
  var direction: ModelDescription.Direction?
}

/// A GRU whose panels are r, z, what the candidate has from x, and what it has from h.
private struct ScalarGRUCell: RecurrentCell {
  let addsBiases = false

  init(_ op: GRUOp) {}

  func pack(
    _ part: RecurrentPart, precision: Precision, hiddenSize: Int, depth: Int, matrix: [Float],
    kernels: Kernels
  ) -> PackedWeights {
    let gate = hiddenSize * depth
    let (none, candidate) = (Array(repeating: Float(0), count: gate), matrix[(2 * gate)...])
    let panels = part == .input ? Array(candidate) + none : none + Array(candidate)
    return PackedWeights(
      precision, gates: 4, units: hiddenSize, depth: depth, matrix: matrix[..<(2 * gate)] + panels,
      kernels: kernels)
  }

  func step(_ step: RecurrentStep, kernels: Kernels) {
    #expect(unsafe step.cell == nil && step.quantized == nil)
    let lanes = Int(CK_LANES)
    // SAFETY: f32 operands of the sizes that the step tells.
    for row in 0..<step.rows {
      let hidden =
        unsafe step.hidden.values.assumingMemoryBound(to: Float.self)
        + row * step.hidden.stride
      for unit in 0..<step.units {
        let column = unit / lanes * 4 * lanes + unit % lanes
        let weights =
          unsafe step.weights.panels.assumingMemoryBound(to: Float.self)
          + unit / lanes * 4 * lanes * step.recurrentSize + unit % lanes
        func sum(_ panel: Int) -> Float {
          (0..<step.recurrentSize).reduce(unsafe step.recurrentBias![column + panel * lanes]) {
            unsafe $0 + weights[(panel * step.recurrentSize + $1) * lanes] * hidden[$1]
          }
        }
        func projected(_ panel: Int) -> Float {
          unsafe step.projected[row * step.projectedStride + column + panel * lanes]
        }
        func sigmoid(_ value: Float) -> Float { 1 / (1 + exp(-value)) }
        let reset = sigmoid(projected(0) + sum(0))
        let update = sigmoid(projected(1) + sum(1))
        let candidate = tanh(projected(2) + reset * sum(3))
        let own = unsafe step.previous![row * step.previousStride + unit]
        unsafe step.output[row * step.outputStride + unit] =
          (1 - update) * candidate + update * own
      }
    }
  }
}
