/// An op that makes one vector of a sequence, of the size of its steps.
package protocol PoolDefinition: OpDefinition {}

extension PoolDefinition {
  package static var maskedInput: Int? { 0 }

  package func resolve(_ node: inout NodeResolution) throws(ModelError) -> Model.ValueForm {
    .vector(size: try node.sequenceSize(of: node.arguments[0]))
  }
}
