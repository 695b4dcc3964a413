/// Padding before the first and after the last step.
package struct PadStepsOp: OpDefinition {
  package static let name = "pad_steps"
  package static let documentation = OpDocumentation(
    inputs: "sequence of D",
    parameters:
      "`before` (0), `after` (0): how many steps; `mode`: `\"constant\"` (the default), `\"reflect\"` or `\"edge\"`; `value` (0), "
      + "of a constant",
    result:
      "sequence of D: as `torch.nn.functional.pad` over the steps; with zeros, Keras's `ZeroPadding1D`. To reflect n steps takes n + 1"
  )
  package static let attributes: [OpAttribute<Self>] = [
    .integer("before", \.before, in: 0...ModelLimits.addedSteps),
    .integer("after", \.after, in: 0...ModelLimits.addedSteps),
    .word("mode", \.mode, expected: "\"constant\", \"reflect\" or \"edge\""),
    .number("value", \.value),
  ]

  package var before = 0
  package var after = 0
  package var mode: PadOp.Mode?
  package var value: Float = 0

  package init() {}

  package func resolve(_ node: inout NodeResolution) throws(ModelError) -> Model.ValueForm {
    let size = try node.sequenceSize(of: node.arguments[0])
    if mode == .reflect {
      node.bound(node.arguments[0], Swift.max(before, after) + 1...Int.max)
    }
    try node.changeSteps(StepAxis.Stage(offset: before + after), key: "before")
    return .sequence(size: size)
  }
}

extension ModelDescription.Op {
  package static func padSteps(
    before: Int = 0, after: Int = 0, mode: PadOp.Mode? = nil, value: Float = 0
  ) -> Self {
    var op = PadStepsOp()
    (op.before, op.after, op.mode, op.value) = (before, after, mode, value)
    return Self(op)
  }
}
