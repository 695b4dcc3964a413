/// A sequence shifted by some steps to later or earlier.
package struct ShiftOp: OpDefinition {
  package static let name = "shift"
  package static let documentation = OpDocumentation(
    inputs: "sequence", parameters: "`steps` (1): a whole number; below 0 the steps come earlier",
    result: "sequence: `x` of so many steps before, zeros where there is none")
  package static let attributes: [OpAttribute<Self>] = [.integer("steps", \.steps)]

  package var steps = 1

  package init() {}

  package func resolve(_ node: inout NodeResolution) throws(ModelError) -> Model.ValueForm {
    .sequence(size: try node.sequenceSize(of: node.arguments[0]))
  }
}

extension ModelDescription.Op {
  package static func shift(steps: Int = 1) -> Self {
    var op = ShiftOp()
    op.steps = steps
    return Self(op)
  }
}
