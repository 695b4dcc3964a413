import JSON
import ModelFormat

/// How a kernel goes over the steps of a sequence, or over a frame, as a layer says.
struct KerasWindow {
  var kernel: Int
  var stride = 1
  var dilation = 1
  var padding = Padding.valid

  enum Padding: String {
    case valid, same, causal
  }

  init(kernel: Int) { self.kernel = kernel }

  /// Of a convolution; Keras 1 had other names.
  init(_ layer: KerasLayer) throws(ImportError) {
    kernel = try layer.single(layer["kernel_size"] == nil ? "filter_length" : "kernel_size")
    stride = try layer.single(layer["strides"] == nil ? "subsample_length" : "strides", 1)
    dilation = try layer.single(layer["dilation_rate"] == nil ? "atrous_rate" : "dilation_rate", 1)
    padding = try Self.padding(of: layer)
    try check(layer)
  }

  /// Of a pool.
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

  private static func padding(of layer: KerasLayer) throws(ImportError) -> Padding {
    let key = layer["padding"] == nil ? "border_mode" : "padding"
    let word = try layer.text(key) ?? "valid"
    guard let padding = Padding(rawValue: word) else {
      throw layer.refusal("\(key): found \(word.jsonExcerpt), expected valid, same or causal")
    }
    return padding
  }

  private var span: Int { (kernel - 1) * dilation + 1 }

  /// The number of places for so many steps.
  func count(of steps: Int?) -> Int? {
    guard let steps else { return nil }
    switch padding {
    case .valid: return max((steps - span + stride) / stride, 0)
    case .same, .causal: return (steps + stride - 1) / stride
    }
  }

  /// The padding of the steps. A kernel of one step streams, whatever it is called.
  var stepPadding: StepKernel.Padding {
    switch padding {
    case .causal: .causal
    case .same: span == 1 && stride == 1 ? .causal : .same
    case .valid: span == 1 && stride == 1 ? .causal : .valid
    }
  }

  /// Refuses a kernel that no window has room for.
  func check(steps: Int?, of layer: KerasLayer) throws(ImportError) {
    guard let steps, count(of: steps) == 0 else { return }
    throw layer.refusal("found a kernel over \(span) of \(steps) steps, expected fewer")
  }

  // MARK: Frames

  /// The zeros before and behind a frame: TensorFlow puts an odd one behind.
  func padding(of length: Int) -> [Int] {
    switch padding {
    case .valid: return [0]
    case .causal: return [span - 1, 0]
    case .same:
      let total = max((count(of: length)! - 1) * stride + span - length, 0)
      return [total / 2, total - total / 2]
    }
  }

  /// The number of places in a frame.
  func places(of length: Int, in layer: KerasLayer) throws(ImportError) -> Int {
    let places = count(of: length)!
    guard places > 0 else {
      throw layer.refusal("found a kernel over \(span) of \(length) elements, expected fewer")
    }
    return places
  }
}
