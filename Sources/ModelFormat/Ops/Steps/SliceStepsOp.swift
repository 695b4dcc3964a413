/// A slice of the steps of a sequence, as in Python.
package struct SliceStepsOp: OpDefinition {
  package static let name = "slice_steps"
  package static let documentation = OpDocumentation(
    inputs: "sequence of D",
    parameters:
      "`start` (0), `end` (that of the sequence), `stride` (1): whole numbers; start and end below 0 count from the end",
    result:
      "sequence of D: the steps start, start + stride, … before end. A sequence must have the steps that start and end name"
  )
  package static let attributes: [OpAttribute<Self>] = [
    .integer("start", \.start, in: bounds),
    .optionalInteger("end", \.end, in: bounds),
    .integer("stride", \.stride, in: 1...ModelLimits.size),
  ]

  private static let bounds = -ModelLimits.addedSteps...ModelLimits.addedSteps

  package var start = 0
  package var end: Int?
  package var stride = 1

  package init() {}

  package func resolve(_ node: inout NodeResolution) throws(ModelError) -> Model.ValueForm {
    let argument = node.arguments[0]
    let size = try node.sequenceSize(of: argument)
    let end = end ?? 0
    // Start and end may count from the same end of the sequence, or from different ends.
    let stage: StepAxis.Stage
    switch (start < 0, self.end.map { $0 >= 0 } ?? false) {
    case (false, false): stage = StepAxis.Stage(offset: end - start)
    case (true, false), (false, true): stage = StepAxis.Stage(factor: 0, offset: end - start)
    case (true, true):
      throw .unexpected(
        path: "\(node.path).end", found: "\(end)",
        expected: "a number below 0 or none, as \"start\" counts from the end")
    }
    if stage.factor == 0, stage.offset < 1 {
      throw .unexpected(
        path: "\(node.path).start", found: "\(start)", expected: "a step before \"end\", \(end)")
    }
    node.bound(argument, Swift.max(1, -start, start, end, -end)...Int.max)
    try node.changeSteps(
      StepAxis.Stage(
        factor: stage.factor, offset: stage.offset + stride - 1, divisor: stride), key: "start")
    return .sequence(size: size)
  }

  /// The index of the input's step that becomes step `step` of the value; the input has `stepCount` steps.
  package func source(of step: Int, stepCount: Int) -> Int {
    (start < 0 ? stepCount + start : start) + step * stride
  }
}

extension ModelDescription.Op {
  package static func sliceSteps(start: Int = 0, end: Int? = nil, stride: Int = 1) -> Self {
    var op = SliceStepsOp()
    (op.start, op.end, op.stride) = (start, end, stride)
    return Self(op)
  }
}
