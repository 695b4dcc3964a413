/// An op that reduces windows of the elements of each step, channel by channel.
package protocol FramePoolDefinition: OpDefinition {
  var channels: Int { get set }
  /// Nil for all of a channel.
  var kernel: Int? { get set }
  /// Nil for the kernel's length.
  var stride: Int? { get set }
  var padding: [Int] { get set }
  /// What these come to, once the input's size is known.
  var frame: Frame { get set }
  var window: Frame.Window { get set }
}

extension FramePoolDefinition {
  package static var framePoolParameters: String {
    "`channels` (1): C; `kernel` (L), `stride` (kernel), `padding` (0): elements on either side, at most half of the "
      + "kernel, or an array of those before and behind"
  }

  package static var attributes: [OpAttribute<Self>] {
    [
      .integer("channels", \.channels, in: 1...ModelLimits.size),
      .optionalInteger("kernel", \.kernel, in: 1...ModelLimits.size),
      .optionalInteger("stride", \.stride, in: 1...ModelLimits.size),
      .integers("padding", \.padding),
    ]
  }

  package mutating func resolve(
    _ node: inout NodeResolution
  ) throws(ModelError) -> Model.ValueForm {
    frame = try node.frame(channels: channels, key: "channels")
    let (before, after) = try node.padding(padding)
    let kernel = kernel ?? frame.length
    guard 2 * Swift.max(before, after) <= kernel else {
      throw .unexpected(
        path: "\(node.path).padding", found: "\(padding)",
        expected: "at most half of the kernel, \(kernel)")
    }
    window = Frame.Window(kernel: kernel, stride: stride ?? kernel, before: before, after: after)
    let places = try node.places(of: window, in: frame, key: "kernel")
    return node.arguments[0].form.with(size: channels * places)
  }
}
