/// Chooses each element from one of two values, by a condition.
package struct WhereOp: ElementsDefinition {
  package static let name = "where"
  package static let documentation = OpDocumentation(
    inputs: "condition, x, y, that fit", result: "`y` where the condition is 0, else `x`")
  package static let inputCount = 3...3

  package init() {}
}

extension ModelDescription.Op {
  package static let `where` = Self(WhereOp())
}
