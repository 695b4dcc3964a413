/// Each step, repeated several times.
package struct RepeatStepsOp: OpDefinition {
  package static let name = "repeat_steps"
  package static let documentation = OpDocumentation(
    inputs: "sequence of D", parameters: "`times` (2)",
    result: "sequence of D: each step so many times in a row: Keras's `UpSampling1D`")
  package static let attributes: [OpAttribute<Self>] = [
    .integer("times", \.times, in: 1...ModelLimits.stepGrowth)
  ]

  package var times = 2

  package init() {}

  package func resolve(_ node: inout NodeResolution) throws(ModelError) -> Model.ValueForm {
    let size = try node.sequenceSize(of: node.arguments[0])
    try node.changeSteps(StepAxis.Stage(factor: times), key: "times")
    return .sequence(size: size)
  }
}

extension ModelDescription.Op {
  package static func repeatSteps(times: Int = 2) -> Self {
    var op = RepeatStepsOp()
    op.times = times
    return Self(op)
  }
}
