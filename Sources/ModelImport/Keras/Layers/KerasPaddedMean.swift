import ModelFormat

/// The means of a pool with padding: Keras counts real elements alone.
struct KerasPaddedMean {
  let window: KerasWindow
  let layer: KerasLayer

  init(_ window: KerasWindow, in layer: KerasLayer) {
    self.window = window
    self.layer = layer
  }

  /// Notes where Keras counts otherwise with PyTorch.
  func noteUneven(_ length: Int?, _ translation: inout KerasTranslation) {
    guard window.isUneven(steps: length) else { return }
    translation.note(
      "\(layer.place) pads one end by a step more than the other: its means count real steps alone, as Keras has it with "
        + "TensorFlow and JAX; with PyTorch, Keras also counts the padding of that end")
  }

  /// The means of real elements, of those that `average_pool1d` answers, in which padding counts.
  func corrected(
    _ pool: KerasValue, length: Int, channels: Int, _ translation: inout KerasTranslation,
    _ call: KerasCall
  ) throws(ImportError) -> KerasValue {
    let counts = window.realCounts(of: length)
    guard counts.contains(where: { $0 != window.kernel }) else { return pool }
    noteUneven(length, &translation)
    let scale = counts.map { Float(window.kernel) / Float($0) }
    return try translation.map(
      .affine(scale: (0..<channels).flatMap { _ in scale }, shift: nil), pool, for: call,
      part: "means")
  }
}
