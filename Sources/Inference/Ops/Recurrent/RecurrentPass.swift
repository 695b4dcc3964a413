import CKernels

/// A layer's pass over the steps of a turn, divided among the cores of a crew.
///
/// A core owns a share of the hidden units: their columns of W, R and the window, and their cells. It needs only h from
/// the other cores, so the cores meet at a barrier once a step, and once more for each of a second kernel, a projection
/// and the quantisation of h. The result has the same bits as on one core.
///
/// Unchecked: the caller of `run` keeps the memory alive until all cores are done, and no core reads what another
/// writes before both have passed a barrier.
@safe struct RecurrentPass: @unchecked Sendable {
  let layer: RecurrentLayer
  let layout: PackedLayout
  let kernels: Kernels
  /// layout.rows × inputSize.
  let input: UnsafePointer<Float>
  /// layout.rows rows of `width` floats, each of which begins with h of this layer.
  let output: UnsafeMutablePointer<Float>
  let width: Int
  /// h before the first step: riders × outputSize. c, updated in place: riders × hiddenSize; nil if the cell has none.
  let initial: UnsafePointer<Float>
  let cells: UnsafeMutablePointer<Float>?
  /// The buffers, prepared for this pass.
  let scratch: RecurrentScratch

  private var stepCount: Int { layout.active.count }
  private var riders: Int { layout.active.first ?? 0 }
  private var isInteger: Bool { layer.recurrentWeights.precision == .int8 }

  /// Runs a core's share of the pass.
  func run(_ share: Share, _ barrier: Barrier) {
    if isInteger {
      // If every h that the cell computes lies within ±1, h has the fixed scale 1/127, before the first step too.
      // Only an h from a client may be larger, and then has a larger scale.
      unsafe quantize(
        initial, stride: layer.outputSize, columns: layer.outputSize, rows: share.of(riders),
        least: layer.scalesHidden ? 0 : 1, to: scratch.initial)
      barrier.wait()
    }
    let parts = Parts(
      whole: unitShare(
        share, layer.recurrentWeights, bias: layer.bias, recurrentBias: layer.recurrentBias,
        window: scratch.window),
      product: layer.multiplier.map {
        unitShare(
          share, $0.recurrentWeights, bias: $0.bias, recurrentBias: $0.bias,
          window: scratch.productWindow)
      })
    let windowRows = RecurrentScratch.windowRows(layer, layout: layout)
    var done = 0
    while done < stepCount {
      // A window of consecutive steps in the layer's direction; its rows are contiguous in the layout.
      var (rows, end) = (0, done)
      while end < stepCount {
        let next = layout.active[time(end)]
        if end > done && rows + next > windowRows { break }
        rows += next
        end += 1
      }
      let firstRow = layout.starts[Swift.min(time(done), time(end - 1))]
      project(firstRow..<firstRow + rows, share, barrier)
      for index in done..<end {
        step(index, windowStart: firstRow, parts, share, barrier)
      }
      done = end
    }
  }

  /// The time of the `index`-th step in this layer's direction.
  private func time(_ index: Int) -> Int {
    layer.isReverse ? stepCount - 1 - index : index
  }

  /// Computes b + W x for a window of rows, in the columns of a share.
  private func project(_ rows: Range<Int>, _ share: Share, _ barrier: Barrier) {
    let depth = layer.inputSize
    var given = unsafe ck_inputs()
    unsafe given.values = UnsafeRawPointer(input + rows.lowerBound * depth)
    unsafe given.stride = depth
    if layer.inputWeights.precision == .int8 {
      unsafe quantize(
        input + rows.lowerBound * depth, stride: depth, columns: depth, rows: share.of(rows.count),
        least: 0, to: scratch.inputs)
      barrier.wait()
      unsafe given = operand(scratch.inputs, columns: depth, fromRow: 0, isScaled: true)
    }
    unsafe project(
      given, rows.count, share, by: layer.inputWeights, bias: layer.bias, to: scratch.window)
    if let multiplier = layer.multiplier {
      unsafe project(
        given, rows.count, share, by: multiplier.inputWeights, bias: multiplier.bias,
        to: scratch.productWindow)
    }
  }

  private func project(
    _ given: ck_inputs, _ rows: Int, _ share: Share, by weights: PackedWeights,
    bias: PackedWeights, to window: ScratchBuffer<Float>
  ) {
    let blocks = share.of(bias.blockCount)
    let own = bias.columns(of: blocks)
    var call = unsafe ck_gemm()
    unsafe call.rows = rows
    unsafe call.depth = layer.inputSize
    unsafe call.columns = own.count
    unsafe call.input = given
    unsafe call.weights = weights.operand(fromBlock: blocks.lowerBound)
    unsafe call.bias = bias.floats + own.lowerBound
    unsafe call.output = window.first(rows * bias.packedColumns)! + own.lowerBound
    unsafe call.output_stride = bias.packedColumns
    unsafe kernels.gemm(weights.precision, &call)
  }

  /// Computes a share of the `index`-th step, for all riders that are active then.
  private func step(
    _ index: Int, windowStart: Int, _ parts: borrowing Parts, _ share: Share, _ barrier: Barrier
  ) {
    let active = layout.active[time(index)]
    switch parts.product {
    case .some(let product): compute(layer.cell.kernel, index, windowStart, product)
    case nil: compute(layer.cell.kernel, index, windowStart, parts.whole)
    }
    barrier.wait()
    if let completion = layer.cell.completion {
      if isInteger {
        unsafe quantize(
          scratch.gated.first(active * layer.hiddenSize)!, stride: layer.hiddenSize,
          columns: layer.hiddenSize, rows: share.of(active), least: 0, to: scratch.quantizedGated)
        barrier.wait()
      }
      compute(completion, index, windowStart, parts.whole)
      barrier.wait()
    }
    let target = unsafe output + layout.starts[time(index)] * width
    if let projection = layer.projection {
      unsafe projection.forward(
        rows: active, scratch.raw.first(active * layer.hiddenSize)!, stride: layer.hiddenSize,
        into: target, stride: width, kernels: kernels, share: share)
      barrier.wait()
    }
    if isInteger, layer.scalesHidden {
      unsafe quantize(
        target, stride: width, columns: layer.outputSize, rows: share.of(active), least: 0,
        to: quantizedHidden(after: index))
      barrier.wait()
    }
  }

  /// A share of the hidden units: whole blocks of them. Not copyable, as copies at every step cost as much as small steps.
  @safe private struct UnitShare: ~Copyable {
    let first: Int
    let count: Int
    /// The share's first packed column, and the number of packed columns of all units.
    let column: Int
    let columns: Int
    /// b + W x.
    let window: ScratchBuffer<Float>
    /// The kernel call, with the arguments that are the same at every step of the pass.
    let call: ck_step
  }

  /// The units of a core's share, for the cell's matrices and, if the cell is multiplicative, for those of the product
  /// that is computed first.
  @safe private struct Parts: ~Copyable {
    let whole: UnitShare
    let product: UnitShare?
  }

  /// - Parameters:
  ///   - weights: R.
  ///   - window: holds b + W x for the units of R.
  private func unitShare(
    _ share: Share, _ weights: PackedWeights, bias: PackedWeights, recurrentBias: PackedWeights?,
    window: ScratchBuffer<Float>
  ) -> UnitShare {
    let blocks = share.of(bias.blockCount)
    let first = blocks.lowerBound * bias.blockUnits
    let count = Swift.min(blocks.upperBound * bias.blockUnits, layer.hiddenSize) - first
    let column = blocks.lowerBound * bias.blockColumns
    var call = unsafe ck_step()
    unsafe call.recurrent_size = layer.outputSize
    unsafe call.hidden_size = count
    unsafe call.projected_stride = bias.packedColumns
    unsafe call.weights = weights.operand(fromBlock: blocks.lowerBound)
    unsafe call.recurrent_bias = recurrentBias.map { unsafe $0.floats + column }
    unsafe call.cell_state_stride = layer.hiddenSize
    unsafe call.peepholes = layer.peepholes.map { unsafe $0.floats + first }
    unsafe call.peephole_stride = layer.hiddenSize
    unsafe call.update_stride = layer.hiddenSize
    return unsafe UnitShare(
      first: first, count: count, column: column, columns: bias.packedColumns, window: window,
      call: call)
  }

  /// Runs a kernel for some units of all active riders.
  private func compute(
    _ cell: ck_cell, _ index: Int, _ windowStart: Int, _ units: borrowing UnitShare
  ) {
    guard units.count > 0 else { return }
    // Riders that have had a step in this pass continue from that; the others start from their state. Forward, all
    // riders start at the first step; in reverse, shorter riders start later.
    let active = layout.active[time(index)]
    let continuing = index == 0 ? 0 : Swift.min(layout.active[time(index - 1)], active)
    if continuing > 0 {
      unsafe compute(
        cell, index, riders: 0..<continuing, hidden: hidden(after: index - 1),
        floats: output + layout.starts[time(index - 1)] * width, stride: width, windowStart, units)
    }
    if continuing < active {
      unsafe compute(
        cell, index, riders: continuing..<active, hidden: initialHidden(of: continuing),
        floats: initial + continuing * layer.outputSize, stride: layer.outputSize, windowStart,
        units)
    }
  }

  /// The same for riders whose h lies in one buffer: `hidden` is h as R's kernel reads it, `floats` is h as floats.
  private func compute(
    _ cell: ck_cell, _ index: Int, riders: Range<Int>, hidden: ck_inputs,
    floats: UnsafePointer<Float>, stride: Int, _ windowStart: Int, _ units: borrowing UnitShare
  ) {
    let (hiddenSize, firstUnit) = (layer.hiddenSize, units.first)
    let row = layout.starts[time(index)] + riders.lowerBound
    let columns = units.columns
    let projected = unsafe units.window.first((row - windowStart + riders.count) * columns)!
    let isFirstOfTwo = layer.cell.completion != nil && cell.kind == layer.cell.kernel.kind
    /// These riders and units in a buffer of riders × hiddenSize.
    func part(of buffer: ScratchBuffer<Float>) -> UnsafeMutablePointer<Float> {
      unsafe buffer.first(riders.upperBound * hiddenSize)! + riders.lowerBound * hiddenSize
        + firstUnit
    }
    var call = unsafe units.call
    unsafe call.cell = cell
    unsafe call.rows = riders.count
    unsafe call.projected =
      UnsafePointer(projected + (row - windowStart) * columns + units.column)
    unsafe call.hidden = hidden
    unsafe call.cell_state = cells.map { unsafe $0 + riders.lowerBound * hiddenSize + firstUnit }
    // With a projection, no kernel reads h as floats.
    unsafe call.previous = layer.projection == nil ? floats + firstUnit : nil
    unsafe call.previous_stride = stride
    if layer.cell.completion != nil { unsafe call.update = part(of: scratch.update) }
    // h goes to the output or, before a projection, to a buffer.
    if layer.projection != nil {
      unsafe call.output = part(of: scratch.raw)
      unsafe call.output_stride = hiddenSize
    } else if isFirstOfTwo {
      unsafe call.output = part(of: scratch.gated)
      unsafe call.output_stride = hiddenSize
    } else {
      unsafe call.output = output + row * width + firstUnit
      unsafe call.output_stride = width
    }
    if layer.cell.completion != nil, !isFirstOfTwo {
      unsafe call.hidden = gatedHidden(of: riders.lowerBound)
    }
    if isInteger, !layer.scalesHidden, !isFirstOfTwo {
      let stride = QuantizedBuffer.stride(layer.outputSize)
      let bytes = unsafe quantizedHidden(after: index).bytes.first(riders.upperBound * stride)!
      unsafe call.quantized = bytes + riders.lowerBound * stride + firstUnit
      unsafe call.quantized_stride = stride
    }
    // Alternates direction, as the weights that the last step read last are still in the cache.
    unsafe call.backward = !index.isMultiple(of: 2)
    unsafe kernels.step(layer.recurrentWeights.precision, &call)
  }

  // MARK: - The buffers of h

  /// h after a step, for the riders that continue.
  private func hidden(after index: Int) -> ck_inputs {
    guard isInteger else {
      return unsafe ck_inputs(
        values: output + layout.starts[time(index)] * width, stride: width, scales: nil)
    }
    return unsafe operand(
      quantizedHidden(after: index), columns: layer.outputSize, fromRow: 0,
      isScaled: layer.scalesHidden)
  }

  /// The first kernel's result as the second kernel reads it for R, for the riders from `rider` on.
  private func gatedHidden(of rider: Int) -> ck_inputs {
    let size = layer.hiddenSize
    guard isInteger else {
      return unsafe ck_inputs(
        values: scratch.gated.first((rider + 1) * size)! + rider * size, stride: size, scales: nil)
    }
    return unsafe operand(
      scratch.quantizedGated, columns: size, fromRow: rider, isScaled: true)
  }

  /// h before the first step, for the riders from `rider` on.
  private func initialHidden(of rider: Int) -> ck_inputs {
    guard isInteger else {
      return unsafe ck_inputs(
        values: initial + rider * layer.outputSize, stride: layer.outputSize, scales: nil)
    }
    return unsafe operand(
      scratch.initial, columns: layer.outputSize, fromRow: rider, isScaled: true)
  }

  private func quantizedHidden(after index: Int) -> QuantizedBuffer {
    index.isMultiple(of: 2) ? scratch.hidden.0 : scratch.hidden.1
  }

  private func operand(
    _ buffer: QuantizedBuffer, columns: Int, fromRow row: Int, isScaled: Bool
  ) -> ck_inputs {
    let stride = QuantizedBuffer.stride(columns)
    // SAFETY: the buffer has all rows of this pass, of which `row` is one.
    return unsafe ck_inputs(
      values: buffer.bytes.first((row + 1) * stride)! + row * stride, stride: stride,
      scales: isScaled ? UnsafePointer(buffer.scales.first(row + 1)! + row) : nil)
  }

  /// Quantises some rows of a matrix into the same rows of a buffer.
  private func quantize(
    _ values: UnsafePointer<Float>, stride: Int, columns: Int, rows: Range<Int>, least: Float,
    to buffer: QuantizedBuffer
  ) {
    guard !rows.isEmpty else { return }
    let byteStride = QuantizedBuffer.stride(columns)
    unsafe kernels.routines.quantize(
      values + rows.lowerBound * stride, rows.count, columns, stride, least,
      buffer.bytes.first(rows.upperBound * byteStride)! + rows.lowerBound * byteStride, byteStride,
      buffer.scales.first(rows.upperBound)! + rows.lowerBound)
  }
}
