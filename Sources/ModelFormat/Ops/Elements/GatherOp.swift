/// The elements of each row at given indices.
package struct GatherOp: OpDefinition {
  package static let name = "gather"
  package static let documentation = OpDocumentation(
    inputs: "any of D", parameters: "`indices`: 1 or more whole numbers from 0 to D − 1",
    result: "the elements at those indices, in that order")
  package static let attributes: [OpAttribute<Self>] = [.integers("indices", \.indices)]

  package var indices: [Int] = []

  package init() {}

  package func resolve(_ node: inout NodeResolution) throws(ModelError) -> Model.ValueForm {
    let size = try node.size(of: node.arguments[0])
    guard !indices.isEmpty else {
      throw .unexpected(
        path: "\(node.path).indices", found: "nothing", expected: "1 or more whole numbers")
    }
    if let place = indices.firstIndex(where: { !(0..<size).contains($0) }) {
      throw .unexpected(
        path: "\(node.path).indices[\(place)]", found: "\(indices[place])",
        expected: "0 to \(size - 1)")
    }
    return node.arguments[0].form.with(size: indices.count)
  }
}

extension ModelDescription.Op {
  package static func gather(_ indices: [Int]) -> Self {
    var op = GatherOp()
    op.indices = indices
    return Self(op)
  }
}
