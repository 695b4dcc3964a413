/// The logarithms of the softmax.
package struct LogSoftmaxOp: OpDefinition {
  package static let name = "log_softmax"
  package static let documentation = OpDocumentation(
    inputs: "any", result: "`x - log Σ exp(x)`, over the elements")

  package init() {}
}

extension ModelDescription.Op {
  package static let logSoftmax = Self(LogSoftmaxOp())
}
