/// An op that makes one value of several, element by element.
package protocol ElementsDefinition: OpDefinition {}

extension ElementsDefinition {
  package func resolve(_ node: inout NodeResolution) throws(ModelError) -> Model.ValueForm {
    try node.broadcastForm()
  }
}
