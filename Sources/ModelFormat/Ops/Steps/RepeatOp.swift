/// A vector, repeated at every step of a sequence.
package struct RepeatOp: OpDefinition {
  package static let name = "repeat"
  package static let documentation = OpDocumentation(
    inputs: "vector of D; [like], a sequence or tokens",
    parameters: "`steps`, where `like` is left out",
    result:
      "sequence of D: the vector at each step, so many times or as often as `like` has steps: Keras's `RepeatVector`"
  )
  package static let inputCount = 1...2
  package static let combinesAxes = true
  package static let attributes: [OpAttribute<Self>] = [
    .optionalInteger("steps", \.steps, in: 1...ModelLimits.addedSteps)
  ]

  package var steps: Int?

  package init() {}

  package func resolve(_ node: inout NodeResolution) throws(ModelError) -> Model.ValueForm {
    let argument = node.arguments[0]
    guard case .vector(let size) = argument.form else {
      throw node.refusal(of: argument, expected: "a vector")
    }
    if node.arguments.count == 2 {
      guard steps == nil else {
        throw .unexpected(
          path: "\(node.path).steps", found: "\(steps ?? 0)",
          expected: "nothing, as a second input says how many")
      }
      guard node.arguments[1].axis != nil else {
        throw node.refusal(of: node.arguments[1], expected: "a sequence or tokens second")
      }
      return .sequence(size: size)
    }
    guard let steps else {
      throw .unexpected(
        path: "\(node.path).steps", found: "nothing",
        expected: "a number of steps, or a second input that has as many")
    }
    guard steps * size <= ModelLimits.repeatedElements else {
      throw .tooMany(
        "\(node.path): the elements of its steps", found: steps * size,
        limit: ModelLimits.repeatedElements)
    }
    node.setSteps(StepAxis(count: steps))
    return .sequence(size: size)
  }
}

extension ModelDescription.Op {
  package static func `repeat`(steps: Int? = nil) -> Self {
    var op = RepeatOp()
    op.steps = steps
    return Self(op)
  }
}
