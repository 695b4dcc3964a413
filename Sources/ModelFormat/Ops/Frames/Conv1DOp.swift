/// A convolution over the elements of each step.
package struct Conv1DOp: OpDefinition {
  package static let name = "conv1d"
  package static let documentation = OpDocumentation(
    inputs: "any of C · L: channels one after the other",
    parameters:
      "`.weight` [O, C / groups, K], [`.bias` [O]]; `stride` (1), `dilation` (1), `groups` (1), `padding` (0): "
      + "elements of 0 on either side, or an array of those before and behind",
    result:
      "O · L′, L′ = ⌊(L + padding − dilation · (K − 1) − 1) / stride⌋ + 1: `torch.nn.Conv1d` within a step"
  )
  package static let tensors = ["weight", "bias"]
  package static let attributes: [OpAttribute<Self>] = [
    .integer("stride", \.stride, in: 1...ModelLimits.size),
    .integer("dilation", \.dilation, in: 1...ModelLimits.size),
    .integer("groups", \.groups, in: 1...ModelLimits.size),
    .integers("padding", \.padding),
  ]

  package var stride = 1
  package var dilation = 1
  package var groups = 1
  package var padding = [0]
  /// Set once the tensors are known.
  package private(set) var frame = Frame(channels: 1, length: 1)
  package private(set) var window = Frame.Window(kernel: 1)

  package init() {}

  package mutating func resolve(
    _ node: inout NodeResolution
  ) throws(ModelError) -> Model.ValueForm {
    let size = try node.size(of: node.arguments[0])
    let (outputs, channels, kernel) = try node.useConvolution(
      groups: groups, channels: "a divisor of \(size) / \(groups)"
    ) { size.isMultiple(of: $0) }
    frame = Frame(channels: channels, length: size / channels)
    window = Frame.Window(kernel: kernel[0], stride: stride, dilation: dilation)
    let places = try node.pad(&window, by: padding, over: frame, key: "padding")
    return node.arguments[0].form.with(size: outputs * places)
  }
}

extension ModelDescription.Op {
  package static func conv1D(
    stride: Int = 1, dilation: Int = 1, groups: Int = 1, padding: [Int] = [0]
  ) -> Self {
    var op = Conv1DOp()
    (op.stride, op.dilation, op.groups, op.padding) = (stride, dilation, groups, padding)
    return Self(op)
  }
}
