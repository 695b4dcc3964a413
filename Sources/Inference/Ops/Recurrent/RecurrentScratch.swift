import CKernels
import Glibc

/// Buffers that layers share within a turn.
final class RecurrentScratch: Sendable {
  /// Projected inputs of a window of steps.
  let window = ScratchBuffer<Float>()
  /// The same for the product of a multiplicative cell.
  let productWindow = ScratchBuffer<Float>()
  /// h of one step before its projection.
  let raw = ScratchBuffer<Float>()
  /// For a cell whose step has two kernels: the first one's results for the second (r h, and z).
  let gated = ScratchBuffer<Float>()
  let update = ScratchBuffer<Float>()
  /// For int8 weights: quantised inputs of a window, `gated`, h before the riders' first steps, and h of two
  /// alternating steps.
  let inputs = QuantizedBuffer()
  let quantizedGated = QuantizedBuffer()
  let initial = QuantizedBuffer()
  let hidden = (QuantizedBuffer(), QuantizedBuffer())

  /// The most floats of a window: it fits a core's own cache beside the weights.
  private static let windowFloats = 1 << 18

  /// The rows of a window in a pass of `layer`: at least one step of all riders.
  static func windowRows(_ layer: RecurrentLayer, layout: PackedLayout) -> Int {
    Swift.max(layout.active.first ?? 0, windowFloats / layer.bias.packedColumns)
  }

  /// Grows the buffers for a pass of `layer`.
  func fit(_ layer: RecurrentLayer, layout: PackedLayout) {
    let riders = layout.active.first ?? 0
    let rows = Swift.min(Self.windowRows(layer, layout: layout), layout.rows)
    window.fit(rows * layer.bias.packedColumns)
    if let multiplier = layer.multiplier { productWindow.fit(rows * multiplier.bias.packedColumns) }
    if layer.projection != nil { raw.fit(riders * layer.hiddenSize) }
    let hasTwoParts = layer.cell.completion != nil
    if hasTwoParts {
      gated.fit(riders * layer.hiddenSize)
      update.fit(riders * layer.hiddenSize)
    }
    if layer.inputWeights.precision == .int8 { inputs.fit(rows: rows, columns: layer.inputSize) }
    if layer.recurrentWeights.precision == .int8 {
      for buffer in [initial, hidden.0, hidden.1] {
        buffer.fit(rows: riders, columns: layer.outputSize)
      }
      if hasTwoParts { quantizedGated.fit(rows: riders, columns: layer.hiddenSize) }
    }
  }

  /// Frees memory that only a large turn needed.
  func trim(to count: Int) {
    window.trim(to: count)
    productWindow.trim(to: count)
    inputs.bytes.trim(to: count)
  }
}

/// Memory that grows on demand, and is zero where it was not written.
///
/// Unchecked: a buffer belongs to one workspace, which one thread uses at a time.
@safe
final class ScratchBuffer<Element: BitwiseCopyable & ExpressibleByIntegerLiteral>:
  @unchecked Sendable
{
  private var memory = unsafe UnsafeMutableBufferPointer<Element>(start: nil, count: 0)

  deinit {
    unsafe free(memory.baseAddress)
  }

  /// Grows the buffer to `count` elements; their contents are unspecified afterwards.
  func fit(_ count: Int) {
    guard unsafe count > memory.count else { return }
    trim(to: 0)
    // SAFETY: the memory has this size, and is initialised before anything reads it.
    let first = unsafe alignedMemory(count * MemoryLayout<Element>.stride)
      .bindMemory(to: Element.self, capacity: count)
    unsafe memory = .init(start: first, count: count)
    unsafe memory.initialize(repeating: 0)
  }

  func trim(to count: Int) {
    guard unsafe memory.count > count else { return }
    unsafe free(memory.baseAddress)
    unsafe memory = .init(start: nil, count: 0)
  }

  /// A pointer to `count` elements, which the buffer must have; valid until the buffer grows or shrinks.
  func first(_ count: Int) -> UnsafeMutablePointer<Element>? {
    precondition(unsafe count <= memory.count)
    return unsafe memory.baseAddress
  }
}

/// A buffer of quantised rows for the int8 routines: bytes, and a scale for each row.
struct QuantizedBuffer {
  let bytes = ScratchBuffer<UInt8>()
  let scales = ScratchBuffer<Float>()

  /// The bytes from one row of `columns` to the next.
  static func stride(_ columns: Int) -> Int {
    let step = Int(CK_I8_STEP)
    return (columns + step - 1) / step * step
  }

  func fit(rows: Int, columns: Int) {
    bytes.fit(rows * Self.stride(columns))
    scales.fit(rows)
  }
}
