/// The transpose of each row, taken as a row-major matrix.
package struct TransposeOp: OpDefinition {
  package static let name = "transpose"
  package static let documentation = OpDocumentation(
    inputs: "any of D", parameters: "`rows`: a divisor of D",
    result: "the elements, which are a matrix of `rows` · D / `rows` row by row, column by column")
  package static let attributes: [OpAttribute<Self>] = [
    .integer("rows", \.rows, in: 1...ModelLimits.size)
  ]

  package var rows = 0

  package init() {}

  package func resolve(_ node: inout NodeResolution) throws(ModelError) -> Model.ValueForm {
    let size = try node.size(of: node.arguments[0])
    guard rows > 0, size.isMultiple(of: rows) else {
      throw .unexpected(
        path: "\(node.path).rows", found: rows == 0 ? "nothing" : "\(rows)",
        expected: "a divisor of \(size)")
    }
    return node.arguments[0].form
  }
}

extension ModelDescription.Op {
  package static func transpose(rows: Int) -> Self {
    var op = TransposeOp()
    op.rows = rows
    return Self(op)
  }
}
