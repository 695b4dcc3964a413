import JSON
import ModelFormat

/// A layer's kernel over the steps of a sequence, or over a frame.
struct KerasWindow {
  var kernel: Int
  var stride = 1
  var dilation = 1
  var padding = Padding.valid

  enum Padding: String {
    case valid, same, causal
  }

  init(kernel: Int) { self.kernel = kernel }

  /// The window of a convolution; Keras 1 has other names.
  init(_ layer: KerasLayer) throws(ImportError) {
    kernel = try layer.single(layer["kernel_size"] == nil ? "filter_length" : "kernel_size")
    stride = try layer.single(layer["strides"] == nil ? "subsample_length" : "strides", 1)
    dilation = try layer.single(layer["dilation_rate"] == nil ? "atrous_rate" : "dilation_rate", 1)
    padding = try Self.padding(of: layer)
    try check(layer)
  }

  /// The window of a pool.
  init(pool layer: KerasLayer) throws(ImportError) {
    kernel = try layer.single(layer["pool_size"] == nil ? "pool_length" : "pool_size", 2)
    stride = try layer.single(layer["strides"] == nil ? "stride" : "strides", kernel)
    padding = try Self.padding(of: layer)
    try check(layer)
  }

  private func check(_ layer: KerasLayer) throws(ImportError) {
    guard kernel > 0, stride > 0, dilation > 0 else {
      throw layer.refusal(
        "found a kernel of \(kernel), a stride of \(stride), a dilation of \(dilation), expected 1 or more"
      )
    }
  }

  static func padding(of layer: KerasLayer) throws(ImportError) -> Padding {
    let key = layer["padding"] == nil ? "border_mode" : "padding"
    let word = try layer.text(key) ?? "valid"
    guard let padding = Padding(rawValue: word) else {
      throw layer.refusal("\(key): found \(word.jsonExcerpt), expected valid, same or causal")
    }
    return padding
  }

  private var span: Int { (kernel - 1) * dilation + 1 }

  /// The number of positions for so many steps.
  func count(of steps: Int?) -> Int? {
    guard let steps else { return nil }
    switch padding {
    case .valid: return max((steps - span + stride) / stride, 0)
    case .same, .causal: return (steps + stride - 1) / stride
    }
  }

  /// The number of places that a transposed convolution makes of so many.
  func transposedCount(of count: Int) -> Int {
    count * stride + (padding == .same ? 0 : max(kernel - stride, 0))
  }

  /// Whether `same` may put a step more after a sequence than before it.
  func isUneven(steps: Int?) -> Bool {
    guard padding == .same else { return false }
    // Lengths differ in the steps that the last stride leaves over.
    let lengths = steps.map { [$0] } ?? (0..<stride).map { kernel * stride + $0 }
    return lengths.contains { length in
      max((count(of: length)! - 1) * stride + span - length, 0) % 2 == 1
    }
  }

  /// The padding of the steps. A kernel of one step is causal with any padding.
  var stepPadding: StepKernel.Padding {
    switch padding {
    case .causal: .causal
    case .same: span == 1 && stride == 1 ? .causal : .same
    case .valid: span == 1 && stride == 1 ? .causal : .valid
    }
  }

  /// Throws if no position of the kernel fits.
  func check(steps: Int?, of layer: KerasLayer) throws(ImportError) {
    guard let steps, count(of: steps) == 0 else { return }
    throw layer.refusal("found a kernel over \(span) of \(steps) steps, expected fewer")
  }

  // MARK: Frames

  /// The zeros before and after a frame; TensorFlow puts the odd one after.
  func padding(of length: Int) -> [Int] {
    switch padding {
    case .valid: return [0]
    case .causal: return [span - 1, 0]
    case .same:
      let total = max((count(of: length)! - 1) * stride + span - length, 0)
      return [total / 2, total - total / 2]
    }
  }

  /// The number of elements under each position of a kernel, without padding.
  func realCounts(of length: Int) -> [Int] {
    let before = padding(of: length)[0]
    return (0..<(count(of: length) ?? 0)).map { place in
      (0..<kernel).count { (0..<length).contains(place * stride + $0 * dilation - before) }
    }
  }

  /// The number of positions in a frame.
  func places(of length: Int, in layer: KerasLayer) throws(ImportError) -> Int {
    let places = count(of: length)!
    guard places > 0 else {
      throw layer.refusal("found a kernel over \(span) of \(length) elements, expected fewer")
    }
    return places
  }
}
