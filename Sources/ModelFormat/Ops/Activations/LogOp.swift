/// The natural logarithm of each element.
package struct LogOp: OpDefinition {
  package static let name = "log"
  package static let documentation = OpDocumentation(
    inputs: "any", result: "`ln x`; of 0 minus infinity, NaN below")

  package init() {}
}

extension ModelDescription.Op {
  package static let log = Self(LogOp())
}
