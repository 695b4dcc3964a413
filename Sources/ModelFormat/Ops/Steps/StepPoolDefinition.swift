/// An op that reduces windows of the steps of a sequence, element by element.
package protocol StepPoolDefinition: OpDefinition {
  var pooling: StepPooling { get set }
}

/// The windows of a pool.
package struct StepPooling: Sendable, Equatable {
  var kernel = 2
  /// Nil for the kernel's length.
  var stride: Int?
  var dilation = 1
  var padding: StepKernel.Padding?
  var ceil = false

  init(
    kernel: Int = 2, stride: Int? = nil, dilation: Int = 1, padding: StepKernel.Padding? = nil,
    ceil: Bool = false
  ) {
    (self.kernel, self.stride, self.dilation) = (kernel, stride, dilation)
    (self.padding, self.ceil) = (padding, ceil)
  }

  package var window: StepKernel {
    StepKernel(
      kernel: kernel, stride: stride ?? kernel, dilation: dilation, padding: padding ?? .valid,
      isCeiling: ceil)
  }
}

extension StepPoolDefinition {
  package static var maskedInput: Int? { 0 }

  package static var stepPoolParameters: String {
    "`kernel` (2), `stride` (kernel), `padding` (`\"valid\"`), `ceil` (false): see [kernels over the "
      + "steps](#kernels-over-the-steps)"
  }

  package static var poolAttributes: [OpAttribute<Self>] {
    [
      .integer("kernel", \.pooling.kernel, in: 1...ModelLimits.addedSteps),
      .optionalInteger("stride", \.pooling.stride, in: 1...ModelLimits.size),
      .stepPadding(\.pooling.padding),
      .flag("ceil", \.pooling.ceil),
    ]
  }

  package func resolve(_ node: inout NodeResolution) throws(ModelError) -> Model.ValueForm {
    let size = try node.sequenceSize(of: node.arguments[0])
    try node.place(pooling.window, paddingLimit: pooling.window.span - 1)
    return .sequence(size: size)
  }
}
