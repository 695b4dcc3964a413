/// Each element scaled and shifted by numbers of its own.
package struct AffineOp: OpDefinition {
  package static let name = "affine"
  package static let documentation = OpDocumentation(
    inputs: "any of D",
    parameters: "`scale`, `shift`: arrays of D numbers, or one number for all; what is left out is "
      + "`.weight` [D] and `.bias` [D], or else 1 and 0. At least one of the four is there",
    result: "`x · scale + shift`")
  package static let tensors = ["weight", "bias"]
  package static let attributes: [OpAttribute<Self>] = [
    .numbers("scale", \.scale), .numbers("shift", \.shift),
  ]

  package var scale: [Float]?
  package var shift: [Float]?

  package init() {}

  /// Sets both attributes to a float for each element: from the description, else from the tensors, else 1 and 0.
  package mutating func resolve(
    _ node: inout NodeResolution
  ) throws(ModelError) -> Model.ValueForm {
    let size = try node.size(of: node.arguments[0])
    let (weight, bias) = (node.fullName("weight"), node.fullName("bias"))
    let isGiven = scale != nil || shift != nil
    guard isGiven || node.tensors.contains(weight) || node.tensors.contains(bias) else {
      throw node.tensors.missing(weight, node: node.node.name)
    }
    scale = try Self.floats(scale, key: "scale", or: weight, absent: 1, size: size, of: &node)
    shift = try Self.floats(shift, key: "shift", or: bias, absent: 0, size: size, of: &node)
    return node.arguments[0].form
  }

  private static func floats(
    _ attribute: [Float]?, key: String, or tensor: String, absent: Float, size: Int,
    of node: inout NodeResolution
  ) throws(ModelError) -> [Float] {
    if let attribute {
      guard attribute.count == size || attribute.count == 1 else {
        throw .unexpected(
          path: "\(node.path).\(key)", found: "\(attribute.count)", expected: "1 or \(size) numbers"
        )
      }
      return attribute.count == size ? attribute : Array(repeating: attribute[0], count: size)
    }
    guard try node.useIfPresent(tensor, shape: [size]) else {
      return Array(repeating: absent, count: size)
    }
    return try node.tensors.floats(tensor)
  }
}

extension ModelDescription.Op {
  package static func affine(scale: [Float]?, shift: [Float]?) -> Self {
    var op = AffineOp()
    op.scale = scale
    op.shift = shift
    return Self(op)
  }
}
