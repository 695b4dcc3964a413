/// An op that combines several values element by element.
package protocol ElementsDefinition: OpDefinition {}

extension ElementsDefinition {
  package func resolve(_ node: inout NodeResolution) throws(ModelError) -> Model.ValueForm {
    try node.broadcastForm()
  }
}
