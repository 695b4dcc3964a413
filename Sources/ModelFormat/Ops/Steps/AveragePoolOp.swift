/// The mean of each window over the steps.
package struct AveragePoolOp: StepPoolDefinition {
  package static let name = "average_pool"
  package static let documentation = OpDocumentation(
    inputs: "sequence of D",
    parameters:
      "\(stepPoolParameters); `count_padding`: true (the default of numbers of padding, as PyTorch has it) or false (that of "
      + "words, as Keras has it)",
    result:
      "sequence of D: the mean of each window, element by element; padding is zeros, or counts for nothing"
  )
  package static let attributes: [OpAttribute<Self>] =
    poolAttributes + [.optionalFlag("count_padding", \.countPadding)]

  package var pooling = StepPooling()
  package var countPadding: Bool?
  /// Whether the divisor includes the steps of padding.
  package var countsPadding: Bool {
    if let countPadding { return countPadding }
    if case .explicit = pooling.padding { return true }
    return false
  }

  package init() {}
}

extension ModelDescription.Op {
  package static func averagePool(
    kernel: Int = 2, stride: Int? = nil, padding: StepKernel.Padding? = nil, ceil: Bool = false,
    countPadding: Bool? = nil
  ) -> Self {
    var op = AveragePoolOp()
    op.pooling = StepPooling(kernel: kernel, stride: stride, padding: padding, ceil: ceil)
    op.countPadding = countPadding
    return Self(op)
  }
}
