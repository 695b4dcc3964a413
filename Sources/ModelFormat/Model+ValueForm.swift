extension Model.ValueForm {
  /// The elements a step or a sequence; nil for tokens.
  @inlinable package var size: Int? {
    switch self {
    case .tokens: nil
    case .sequence(let size), .vector(let size): size
    }
  }

  /// What the form is called where a model is described: the `kind` of an input that has it.
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
  /// The steps of a value, an index in `axes`; nil of a vector.
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
