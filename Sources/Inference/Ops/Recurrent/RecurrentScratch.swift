import CKernels
import Glibc

/// Room that layers share within a turn.
final class RecurrentScratch: Sendable {
  /// Projected inputs of a window of steps.
  let window = Room<Float>()
  /// Likewise, of a multiplicative cell's product.
  let productWindow = Room<Float>()
  /// h of one step before its projection.
  let raw = Room<Float>()
  /// Of a cell whose step has two parts, what the first makes of h for the second's R, and what it keeps for it.
  let gated = Room<Float>()
  let update = Room<Float>()
  /// For int8 weights: the inputs of a window, h before the riders' first steps, h of two steps in turn, and `gated`.
  let inputs = QuantizedRoom()
  let quantizedGated = QuantizedRoom()
  let initial = QuantizedRoom()
  let hidden = (QuantizedRoom(), QuantizedRoom())

  /// Floats of projected input kept at a time: what a core's own cache holds beside the weights.
  private static let windowFloats = 1 << 18

  /// Rows of projected input that a pass of `layer` keeps at a time: at least one step of all riders.
  static func windowRows(_ layer: RecurrentLayer, layout: PackedLayout) -> Int {
    Swift.max(layout.active.first ?? 0, windowFloats / layer.bias.packedColumns)
  }

  /// Makes room for a pass of `layer`.
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
      for room in [initial, hidden.0, hidden.1] {
        room.fit(rows: riders, columns: layer.outputSize)
      }
      if hasTwoParts { quantizedGated.fit(rows: riders, columns: layer.hiddenSize) }
    }
  }

  /// Gives back what a large turn needed and an ordinary one does not.
  func trim(to count: Int) {
    window.trim(to: count)
    productWindow.trim(to: count)
    inputs.bytes.trim(to: count)
  }
}

/// Memory that grows when more is asked for, and is zero where nobody has written.
///
/// Unchecked: it belongs to one workspace, which one thread at a time has.
@safe final class Room<Element: BitwiseCopyable & ExpressibleByIntegerLiteral>: @unchecked Sendable
{
  private var memory = unsafe UnsafeMutableBufferPointer<Element>(start: nil, count: 0)

  deinit {
    unsafe free(memory.baseAddress)
  }

  /// Makes room for `count` elements; their contents are unspecified afterwards.
  func fit(_ count: Int) {
    guard unsafe count > memory.count else { return }
    trim(to: 0)
    // SAFETY: the memory has that size, and is initialised before anything reads it.
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

  /// The first of `count` elements, which there must be room for; good until the next change of the room.
  func first(_ count: Int) -> UnsafeMutablePointer<Element>? {
    precondition(unsafe count <= memory.count)
    return unsafe memory.baseAddress
  }
}

/// Room for rows as the int8 routines take them: bytes, and a scale a row.
struct QuantizedRoom {
  let bytes = Room<UInt8>()
  let scales = Room<Float>()

  /// Bytes from one row of `columns` to the next.
  static func stride(_ columns: Int) -> Int {
    let step = Int(CK_I8_STEP)
    return (columns + step - 1) / step * step
  }

  func fit(rows: Int, columns: Int) {
    bytes.fit(rows * Self.stride(columns))
    scales.fit(rows)
  }
}
