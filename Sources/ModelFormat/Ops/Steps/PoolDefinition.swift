/// An op that reduces a sequence to a vector of the same size.
package protocol PoolDefinition: OpDefinition {}

extension PoolDefinition {
  package static var maskedInput: Int? { 0 }

  package func resolve(_ node: inout NodeResolution) throws(ModelError) -> Model.ValueForm {
    .vector(size: try node.sequenceSize(of: node.arguments[0]))
  }
}
