extension InputLowering {
  /// Whether every call, which is a step, reads all steps of an input beside that of others, such as an encoder's answers.
  func isReadWhole(
    _ input: SourceGraph.Input, _ dimensions: [SourceGraph.Dimension]
  ) -> Bool {
    func hasOpenSteps(_ dimensions: [SourceGraph.Dimension]) -> Bool {
      guard dimensions.count == 3, case .named = dimensions[1], case .fixed = dimensions[2] else {
        return false
      }
      return true
    }
    return hasOpenSteps(dimensions)
      && graph.inputs.contains {
        $0.name != input.name && !assumptions.states.contains($0.name)
          && !hasOpenSteps($0.dimensions)
      }
  }
}
