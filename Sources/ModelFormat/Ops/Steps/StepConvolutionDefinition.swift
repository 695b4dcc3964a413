/// An op that moves weights over the steps of a sequence.
package protocol StepConvolutionDefinition: OpDefinition {
  var padding: StepKernel.Padding? { get set }
  var stride: Int { get set }
  var dilation: Int { get set }
}

extension StepConvolutionDefinition {
  package static var tensors: [String] { ["weight", "bias"] }
  package static var maskedInput: Int? { 0 }

  package static var kernelAttributes: [OpAttribute<Self>] {
    [
      .stepPadding(\.padding),
      .integer("stride", \.stride, in: 1...ModelLimits.size),
      .integer("dilation", \.dilation, in: 1...ModelLimits.size),
    ]
  }

  /// How a kernel of so many steps moves.
  func window(ofKernel kernel: Int) -> StepKernel {
    StepKernel(kernel: kernel, stride: stride, dilation: dilation, padding: padding ?? .causal)
  }

  /// The op, as a node has it.
  package var op: ModelDescription.Op { ModelDescription.Op(self) }
}
