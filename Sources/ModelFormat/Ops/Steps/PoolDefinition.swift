/// An op that makes one vector of a sequence, of the size of its steps.
package protocol PoolDefinition: OpDefinition {}

extension PoolDefinition {
  package func resolve(_ node: inout NodeResolution) throws(ModelError) -> Model.ValueForm {
    .vector(size: try node.sequenceSize(of: node.arguments[0]))
  }
}
