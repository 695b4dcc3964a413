/// A sequence with as many steps as another has.
package struct CropOrPadOp: OpDefinition {
  /// At which end the steps of the input and of the value are aligned, where one has more than the other.
  package enum Alignment: String, Sendable {
    case start
    case centre = "center"
    case end
  }

  package static let name = "crop_or_pad"
  package static let documentation = OpDocumentation(
    inputs: "sequence of D; like, a sequence or tokens",
    parameters: "`align`: `\"start\"` (the default), `\"center\"` or `\"end\"`",
    result:
      "sequence of D of as many steps as `like` has: steps too many are left out, where they are too few zeros are put, behind "
      + "the last, on both sides (of an odd number one more behind) or before the first. For a skip of a U-Net"
  )
  package static let inputCount = 2...2
  package static let combinesAxes = true
  package static let attributes: [OpAttribute<Self>] = [
    .word("align", \.align, expected: "\"start\", \"center\" or \"end\"")
  ]

  package var align: Alignment?

  package init() {}

  package func resolve(_ node: inout NodeResolution) throws(ModelError) -> Model.ValueForm {
    let size = try node.sequenceSize(of: node.arguments[0])
    guard let axis = node.arguments[1].axis else {
      throw node.refusal(of: node.arguments[1], expected: "a sequence or tokens second")
    }
    node.setSteps(axis)
    return .sequence(size: size)
  }
}

extension ModelDescription.Op {
  package static func cropOrPad(align: CropOrPadOp.Alignment? = nil) -> Self {
    var op = CropOrPadOp()
    op.align = align
    return Self(op)
  }
}
