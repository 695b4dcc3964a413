extension Model.ValueForm {
  /// The elements of a step or of a vector; nil for tokens.
  @inlinable package var size: Int? {
    switch self {
    case .tokens: nil
    case .sequence(let size), .vector(let size): size
    }
  }

  /// The name of the form: the `kind` of an input of this form.
  package var kind: String {
    switch self {
    case .tokens: "tokens"
    case .sequence: "features"
    case .vector: "vector"
    }
  }

  /// The form with another size.
  func with(size: Int) -> Model.ValueForm {
    switch self {
    case .tokens: .tokens
    case .sequence: .sequence(size: size)
    case .vector: .vector(size: size)
    }
  }
}

extension Model {
  /// The axis of a value, an index in `axes`; nil for a vector.
  package func axis(of value: ValueReference) -> Int? {
    switch value {
    case .input(let index): return axesOfInputs[index]
    case .node(let index):
      guard case .sequence = nodes[index].form else { return nil }
      return nodes[index].axis
    case .hidden, .cell: return nil
    }
  }
}
