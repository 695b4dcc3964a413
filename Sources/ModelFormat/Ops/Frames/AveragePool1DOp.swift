/// The mean of each window over the elements of a step.
package struct AveragePool1DOp: FramePoolDefinition {
  package static let name = "average_pool1d"
  package static let documentation = OpDocumentation(
    inputs: "any of C · L: channels one after the other", parameters: framePoolParameters,
    result:
      "C · L′: the mean of each window, channel by channel; padding counts as 0, as PyTorch and ONNX's `count_include_pad` have it"
  )

  package var pooling = FramePooling()

  package init() {}
}

extension ModelDescription.Op {
  package static func averagePool1D(
    channels: Int = 1, kernel: Int? = nil, stride: Int? = nil, padding: [Int] = [0]
  ) -> Self {
    var op = AveragePool1DOp()
    op.pooling = FramePooling(
      channels: channels, kernel: kernel, stride: stride, padding: padding)
    return Self(op)
  }
}
