/// A convolution over the steps of a sequence and the elements of each step, with the same weights at every position.
package struct Conv2DOp: StepConvolutionDefinition {
  package static let name = "conv2d"
  package static let documentation = OpDocumentation(
    inputs: "sequence of C · L: channels one after the other",
    parameters:
      "`.weight` [O, C / groups, K, M], [`.bias` [O]]; over the steps `padding`, `stride`, `dilation` as of `conv`; within "
      + "a step `frame_padding` (0), `frame_stride` (1), `frame_dilation` (1) as of `conv1d`; `groups` (1)",
    result:
      "sequence of O · L′, L′ as of `conv1d`: `torch.nn.Conv2d` over steps and elements. Beyond the ends are zeros"
  )
  package static let attributes: [OpAttribute<Self>] =
    kernelAttributes + [
      .integers("frame_padding", \.framePadding),
      .integer("frame_stride", \.frameStride, in: 1...ModelLimits.size),
      .integer("frame_dilation", \.frameDilation, in: 1...ModelLimits.size),
      .integer("groups", \.groups, in: 1...ModelLimits.size),
    ]

  package var padding: StepKernel.Padding?
  package var stride = 1
  package var dilation = 1
  package var framePadding = [0]
  package var frameStride = 1
  package var frameDilation = 1
  package var groups = 1
  /// How the kernel moves over the steps, and over the elements of a step; set once the tensors are known.
  package private(set) var window = StepKernel(padding: .causal)
  package private(set) var frame = Frame(channels: 1, length: 1)
  package private(set) var frameWindow = Frame.Window(kernel: 1)

  package init() {}

  package mutating func resolve(
    _ node: inout NodeResolution
  ) throws(ModelError) -> Model.ValueForm {
    let size = try node.sequenceSize(of: node.arguments[0])
    let (outputs, channels, kernel) = try node.useConvolution(
      groups: groups, channels: "a divisor of \(size) / \(groups)", kernelAxes: 2
    ) { size.isMultiple(of: $0) }
    window = window(ofKernel: kernel[0])
    try node.place(window)
    frame = Frame(channels: channels, length: size / channels)
    frameWindow = Frame.Window(kernel: kernel[1], stride: frameStride, dilation: frameDilation)
    let places = try node.pad(&frameWindow, by: framePadding, over: frame, key: "frame_padding")
    return .sequence(size: outputs * places)
  }
}

extension ModelDescription.Op {
  package static func conv2D(
    padding: StepKernel.Padding? = nil, stride: Int = 1, dilation: Int = 1,
    framePadding: [Int] = [0], frameStride: Int = 1, frameDilation: Int = 1, groups: Int = 1
  ) -> Self {
    var op = Conv2DOp()
    (op.padding, op.stride, op.dilation, op.groups) = (padding, stride, dilation, groups)
    (op.framePadding, op.frameStride, op.frameDilation) = (framePadding, frameStride, frameDilation)
    return Self(op)
  }
}
