/// Each element, clamped to two bounds.
package struct ClipOp: OpDefinition {
  package static let name = "clip"
  package static let documentation = OpDocumentation(
    inputs: "any", parameters: "`min`, `max`: numbers, one at least",
    result: "`min(max(x, min), max)`: `torch.clamp`, ONNX's Clip, `hard_tanh`")
  package static let attributes: [OpAttribute<Self>] = [
    .optionalNumber("min", \.min), .optionalNumber("max", \.max),
  ]

  package var min: Float?
  package var max: Float?

  package init() {}

  package func resolve(_ node: inout NodeResolution) throws(ModelError) -> Model.ValueForm {
    _ = try node.size(of: node.arguments[0])
    guard min != nil || max != nil else {
      throw .unexpected(
        path: "\(node.path).min", found: "nothing", expected: "a number, or one as \"max\"")
    }
    if let min, let max, min > max {
      throw .unexpected(path: "\(node.path).max", found: "\(max)", expected: "\(min) or more")
    }
    return node.arguments[0].form
  }
}

extension ModelDescription.Op {
  package static func clip(min: Float? = nil, max: Float? = nil) -> Self {
    var op = ClipOp()
    (op.min, op.max) = (min, max)
    return Self(op)
  }
}
