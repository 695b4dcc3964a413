extension InputLowering {
  /// Limits sequences to the steps of the example where that has as many sequences: which of both a number or a size of the graph
  /// comes from is not known then.
  static func limitSteps(_ l: inout Lowering, of steps: Atom, asMany batches: [Int]) {
    guard steps.size > 2, batches.contains(steps.size) else { return }
    l.exampleSteps.setExact(steps.size, of: steps)
    l.builder.note(
      "the exporter's example has as many sequences as steps, so that its numbers do not tell of which they are: sequences of exactly "
        + "\(steps.size) steps are taken (\"steps\" in model.json); for others, export an example of one sequence, or \(Remedy.dynamicAxes)"
    )
  }

  /// Whether every call, which is a step, reads all steps of an input beside that of others, such as an encoder's answers.
  func isReadWhole(
    _ input: SourceGraph.Input, _ dimensions: [SourceGraph.Dimension]
  ) -> Bool {
    guard dimensions.count == 3, case .fixed = dimensions[2] else { return false }
    switch dimensions[1] {
    case .named: return hasOther(than: input) { !hasOpenSteps($0.dimensions) }
    case .fixed(let steps): return steps > 1 && hasOther(than: input, isStep)
    }
  }

  private func hasOther(
    than input: SourceGraph.Input, _ isSuch: (SourceGraph.Input) -> Bool
  ) -> Bool {
    graph.inputs.contains {
      $0.name != input.name && !assumptions.states.contains($0.name) && isSuch($0)
    }
  }

  private func hasOpenSteps(_ dimensions: [SourceGraph.Dimension]) -> Bool {
    guard dimensions.count == 3, case .named = dimensions[1], case .fixed = dimensions[2] else {
      return false
    }
    return true
  }

  /// Whether an input is the one step of a call: an id, or [batch, 1, elements].
  private func isStep(_ input: SourceGraph.Input) -> Bool {
    guard assumptions.fixed[input.name] == nil else { return false }
    switch input.dimensions.count {
    case 1: return input.kind == .integer
    case 2: return input.kind == .integer && input.dimensions[1] == .fixed(1)
    case 3: return input.dimensions[1] == .fixed(1)
    default: return false
    }
  }
}
