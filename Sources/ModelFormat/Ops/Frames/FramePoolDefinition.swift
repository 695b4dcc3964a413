/// An op that reduces windows of the elements of each step, channel by channel.
package protocol FramePoolDefinition: OpDefinition {
  var pooling: FramePooling { get set }
}

/// The windows of a pool.
package struct FramePooling: Sendable, Equatable {
  var channels = 1
  /// Nil for all of a channel.
  package var kernel: Int?
  /// Nil for the kernel's length.
  var stride: Int?
  var padding = [0]
  /// The frame, set once the input's size is known.
  package fileprivate(set) var frame = Frame(channels: 1, length: 1)
  package fileprivate(set) var window = Frame.Window(kernel: 1)

  init(channels: Int = 1, kernel: Int? = nil, stride: Int? = nil, padding: [Int] = [0]) {
    (self.channels, self.kernel, self.stride, self.padding) = (channels, kernel, stride, padding)
  }
}

extension FramePoolDefinition {
  package static var framePoolParameters: String {
    "`channels` (1): C; `kernel` (L), `stride` (kernel), `padding` (0): elements on either side, at most half of the "
      + "kernel, or an array of those before and behind"
  }

  package static var attributes: [OpAttribute<Self>] {
    [
      .integer("channels", \.pooling.channels, in: 1...ModelLimits.size),
      .optionalInteger("kernel", \.pooling.kernel, in: 1...ModelLimits.size),
      .optionalInteger("stride", \.pooling.stride, in: 1...ModelLimits.size),
      .integers("padding", \.pooling.padding),
    ]
  }

  package mutating func resolve(
    _ node: inout NodeResolution
  ) throws(ModelError) -> Model.ValueForm {
    let frame = try node.frame(channels: pooling.channels, key: "channels")
    let (before, after) = try node.padding(pooling.padding)
    let kernel = pooling.kernel ?? frame.length
    guard 2 * Swift.max(before, after) <= kernel else {
      throw .unexpected(
        path: "\(node.path).padding", found: "\(pooling.padding)",
        expected: "at most half of the kernel, \(kernel)")
    }
    let window = Frame.Window(
      kernel: kernel, stride: pooling.stride ?? kernel, before: before, after: after)
    (pooling.frame, pooling.window) = (frame, window)
    let places = try node.places(of: window, in: frame, key: "kernel")
    return node.arguments[0].form.with(size: frame.channels * places)
  }
}
