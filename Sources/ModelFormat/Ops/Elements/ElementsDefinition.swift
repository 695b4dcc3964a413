/// An op that makes one value of several, element by element.
package protocol ElementsDefinition: OpDefinition {}

extension ElementsDefinition {
  package func resolve(_ node: inout NodeResolution) throws(ModelError) -> Model.ValueForm {
    try node.broadcastForm()
  }
}

extension NodeResolution {
  /// The form that the inputs have together: a vector stands at every step of a sequence, and a size of 1 for every element.
  func broadcastForm() throws(ModelError) -> Model.ValueForm {
    var widest = arguments[0]
    var size = try size(of: widest)
    for argument in arguments.dropFirst() {
      let other = try self.size(of: argument)
      guard other == size || other == 1 || size == 1 else {
        throw refusal(
          of: argument,
          expected: "a size of \(size) or 1, as \(widest.name.jsonExcerpt) is \(widest.form)")
      }
      if other > size { (widest, size) = (argument, other) }
    }
    return steppedForm(size: size)
  }

  /// A sequence where one input is a sequence, else a vector.
  func steppedForm(size: Int) -> Model.ValueForm {
    arguments.contains { if case .sequence = $0.form { true } else { false } }
      ? .sequence(size: size) : .vector(size: size)
  }
}
