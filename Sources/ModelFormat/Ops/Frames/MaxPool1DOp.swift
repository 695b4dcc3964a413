/// The maximum of each window over the elements of a step.
package struct MaxPool1DOp: FramePoolDefinition {
  package static let name = "max_pool1d"
  package static let documentation = OpDocumentation(
    inputs: "any of C · L: channels one after the other", parameters: framePoolParameters,
    result: "C · L′: the largest of each window, channel by channel; padding counts for nothing")

  package var pooling = FramePooling()

  package init() {}
}

extension ModelDescription.Op {
  package static func maxPool1D(
    channels: Int = 1, kernel: Int? = nil, stride: Int? = nil, padding: [Int] = [0]
  ) -> Self {
    var op = MaxPool1DOp()
    op.pooling = FramePooling(
      channels: channels, kernel: kernel, stride: stride, padding: padding)
    return Self(op)
  }
}
