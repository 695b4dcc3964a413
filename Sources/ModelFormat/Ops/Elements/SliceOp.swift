/// A slice of the elements of each row, as in Python.
package struct SliceOp: OpDefinition {
  package static let name = "slice"
  package static let documentation = OpDocumentation(
    inputs: "any of D",
    parameters:
      "`start` (0), `end` (D), `stride` (1): whole numbers; start and end below 0 count from D",
    result: "the elements start, start + stride, … before end")
  package static let attributes: [OpAttribute<Self>] = [
    .integer("start", \.start), .optionalInteger("end", \.end),
    .integer("stride", \.stride, in: 1...ModelLimits.size),
  ]

  package var start = 0
  package var end: Int?
  package var stride = 1

  package init() {}

  /// Replaces negative starts and ends, which count from the end, by indices.
  package mutating func resolve(
    _ node: inout NodeResolution
  ) throws(ModelError) -> Model.ValueForm {
    let size = try node.size(of: node.arguments[0])
    let (first, last) = (start, end ?? size)
    start = first < 0 ? first + size : first
    let end = last < 0 ? last + size : last
    guard (0..<size).contains(start) else {
      throw .unexpected(
        path: "\(node.path).start", found: "\(first)", expected: "\(-size) to \(size - 1)")
    }
    guard (start + 1...size).contains(end) else {
      throw .unexpected(
        path: "\(node.path).end", found: "\(last)",
        expected: "\(start + 1) to \(size), behind \"start\"")
    }
    self.end = end
    return node.arguments[0].form.with(size: (end - start + stride - 1) / stride)
  }
}

extension ModelDescription.Op {
  package static func slice(start: Int = 0, end: Int? = nil, stride: Int = 1) -> Self {
    var op = SliceOp()
    (op.start, op.end, op.stride) = (start, end, stride)
    return Self(op)
  }
}
