import ModelFormat

/// The form of each output's answer: one vector a sequence, or a row a step.
extension ModelGraph {
  /// Whether an output can be answered at every step: it has a value a step, or is computed from `last`, step by step, in
  /// which case each step's answer is that of the sequence that ends there. What pools a sequence, and a recurrent network's final
  /// states, exist once.
  package func answersEveryStep(output index: Int) -> Bool {
    switch answers[index].domain {
    case .steps, .reported: true
    case .riders, .ends: false
    }
  }

  /// Whether the model can answer for `selection`: `all` wants one output at least that has an answer a step, and an
  /// output of which every step is asked by name has to be such a one.
  package func supports(_ selection: Selection) -> Bool {
    let outputs = model.outputs.indices
    switch selection {
    case .last: return true
    case .all: return outputs.contains { answersEveryStep(output: $0) }
    case .each(let steps):
      return steps.count == outputs.count
        && outputs.allSatisfy { steps[$0] == .last || answersEveryStep(output: $0) }
    }
  }

  /// What an output gets of which a question says nothing: every step of a sequence, else the vector that it is.
  package func defaultSteps(ofOutput index: Int) -> Selection.Steps {
    if case .sequence = model.outputs[index].form { .all } else { .last }
  }

  /// What a question gets that does not say.
  package var defaultSelection: Selection {
    let steps = model.outputs.indices.map { defaultSteps(ofOutput: $0) }
    if steps.allSatisfy({ $0 == .last }) { return .last }
    return steps.allSatisfy { $0 == .all } ? .all : .each(steps)
  }

  /// Whether the rows of an output's answer are steps; else it is one vector.
  package func answersSteps(ofOutput index: Int, selection: Selection) -> Bool {
    selection.steps(ofOutput: index) == .all && answersEveryStep(output: index)
  }

  /// The rows of an output's answer for a sequence; nil where it is one vector.
  ///
  /// - Parameter stepCounts: the steps of the sequence in each of the model's `inputAxes`.
  package func rowCount(
    ofOutput index: Int, selection: Selection, stepCounts: [Int]
  ) -> Int? {
    guard answersSteps(ofOutput: index, selection: selection) else { return nil }
    return model.axes[model.outputs[index].axis ?? 0].count(stepCounts)
  }

  /// The floats of the answer for a sequence, without a state; with a horizon the forecast is all.
  package func answerFloatCount(
    selection: Selection, stepCounts: [Int], horizon: Int? = nil
  ) -> Int {
    if let horizon, let forecast {
      return horizon * forecast.size * forecast.parts.count
    }
    return model.outputs.enumerated().reduce(0) { sum, output in
      let rows = rowCount(ofOutput: output.offset, selection: selection, stepCounts: stepCounts)
      return sum + (rows ?? 1) * output.element.size
    }
  }

  /// Whether a question asks for every step of an output that is computed from `last`.
  func reportsEveryStep(_ selection: Selection) -> Bool {
    guard selection != .last else { return false }
    return model.outputs.indices.contains { index in
      selection.steps(ofOutput: index) == .all
        && answers[index].domain == .reported
    }
  }

  /// Collects what a turn answers of an output: of each rider the rows that it asks for, of one without steps the vector,
  /// once the rider finishes; of a mask the steps of its output. What a decoder reads comes last: every step of a sequence, or the vector.
  func report(output index: Int, plan: TurnPlan, workspace: inout Workspace) {
    let answer = answers[index]
    let layout = plan.layouts[answer.axis]
    var rows: [Int] = []
    for j in plan.riders.indices {
      let start = rows.count
      let everyStep =
        answer.output.map { plan.riders[j].selection.steps(ofOutput: $0) == .all }
        ?? answer.isSequence
      switch answer.domain {
      case .steps where everyStep:
        for t in 0..<layout.steps[j] { rows.append(layout.row(rider: j, step: t)) }
      case .reported where everyStep: rows += plan.reported[j]
      case .steps, .reported, .riders, .ends:
        if plan.riders[j].finishes {
          rows.append(plan.endRow(of: j, in: answer.domain, axis: answer.axis))
        }
      }
      workspace.reported[index][plan.order[j]] = start..<rows.count
    }
    let source = workspace[answer.value]
    workspace.outputs[index].gather(rows, of: source)
  }
}
