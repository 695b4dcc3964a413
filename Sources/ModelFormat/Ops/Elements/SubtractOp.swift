/// The difference of two values, element by element.
package struct SubtractOp: ElementsDefinition {
  package static let name = "subtract"
  package static let documentation = OpDocumentation(
    inputs: "2, that fit", result: "`x - y`, element by element")
  package static let inputCount = 2...2

  package init() {}
}

extension ModelDescription.Op {
  package static let subtract = Self(SubtractOp())
}
