/// Each element times its logistic function (Elfwing, Uchibe and Doya, 2017); also called swish.
package struct SiLUOp: OpDefinition {
  package static let name = "silu"
  package static let documentation = OpDocumentation(
    inputs: "any", result: "`x / (1 + exp(-x))`, which Keras calls `swish`")

  package init() {}
}

extension ModelDescription.Op {
  package static let silu = Self(SiLUOp())
}
