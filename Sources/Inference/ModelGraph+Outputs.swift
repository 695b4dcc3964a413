import ModelFormat

/// The form of each output's answer: one vector for a sequence, or a row for each step.
extension ModelGraph {
  /// Whether an output can be answered at every step. It can if it has a value at each step, or is computed from `last` in a
  /// model that runs step by step; each step's answer is then that of the sequence that ends there. Pools over a sequence and
  /// final states exist only once.
  package func answersEveryStep(output index: Int) -> Bool {
    switch answers[index].domain {
    case .steps, .reported: true
    case .riders, .ends: false
    }
  }

  /// Whether the model can answer `selection`: `all` needs at least one output with an answer at every step, and so does each
  /// output whose steps are asked for by name.
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

  /// The default steps of an output: every step of a sequence, else its vector.
  package func defaultSteps(ofOutput index: Int) -> Selection.Steps {
    if case .sequence = model.outputs[index].form { .all } else { .last }
  }

  /// The selection for a question that names none.
  package var defaultSelection: Selection {
    let steps = model.outputs.indices.lazy.map { self.defaultSteps(ofOutput: $0) }
    if steps.allSatisfy({ $0 == .last }) { return .last }
    return steps.allSatisfy { $0 == .all } ? .all : .each(Array(steps))
  }

  /// Whether the rows of an output's answer are steps; else it is one vector.
  package func answersSteps(ofOutput index: Int, selection: Selection) -> Bool {
    selection.steps(ofOutput: index) == .all && answersEveryStep(output: index)
  }

  /// The most rows of an output's answer for a piece of a sequence, wherever in the sequence it is; 1 if the answer is one
  /// vector.
  ///
  /// - Parameter stepCounts: the number of the piece's steps for each of the model's `inputAxes`.
  package func mostRows(
    ofOutput index: Int, selection: Selection, stepCounts: [Int]
  ) -> Int {
    guard answersSteps(ofOutput: index, selection: selection) else { return 1 }
    return model.axes[model.outputs[index].axis ?? 0].most(stepCounts)
  }

  /// The most floats of all values while a sequence with these steps on each of the `inputAxes` is computed whole, as a graph that
  /// is not streamable does.
  package func valueFloatCount(stepCounts: [Int]) -> Int {
    let inputs = zip(model.description.inputs, inputs).map { description, input in
      guard case .features(let size, _, _) = description.kind else { return 0 }
      return stepCounts[input.axis] * size
    }
    let values = nodes.map { node in
      (node.domain == .steps ? model.axes[node.valueAxis].count(stepCounts) : 1) * node.size
    }
    // A recurrent network has the values of two layers beside its own, a kernel over the steps its input once more.
    return (inputs + values).reduce(0, +) + 2 * (values.max() ?? 0)
  }

  /// Whether a selection asks for every step of an output that is computed from `last`.
  func reportsEveryStep(_ selection: Selection) -> Bool {
    guard selection != .last else { return false }
    return model.outputs.indices.contains { index in
      selection.steps(ofOutput: index) == .all
        && answers[index].domain == .reported
    }
  }

  /// Collects the rows of one answer that a turn reports, rider by rider. An output gives the steps that the rider
  /// selects, and its mask the same steps; a vector is reported once, when the rider finishes. A value that the decoder
  /// reads gives every step or, without steps, its vector.
  func report(output index: Int, plan: TurnPlan, states: SeatStates, workspace: inout Workspace) {
    let answer = answers[index]
    let layout = plan.layouts[answer.axis]
    let kept = lastStep(of: answer.value)
    var rows: [Int] = []
    /// Rows of the report that are read from the rider's state in `seat`, not from the turn's values.
    var stored: [(row: Int, seat: Int)] = []
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
        guard plan.riders[j].finishes else { break }
        if !kept.isEmpty, layout.steps[j] == 0 {
          stored.append((rows.count, plan.riders[j].seat))
          rows.append(Self.noRow)
        } else {
          rows.append(plan.endRow(of: j, in: answer.domain, axis: answer.axis))
        }
      }
      workspace.reported[index][plan.order[j]] = start..<rows.count
    }
    let source = workspace[answer.value]
    guard !stored.isEmpty else { return workspace.outputs[index].gather(rows, of: source) }
    workspace.outputs[index].resize(rows: rows.count, columns: source.columns)
    for (row, from) in rows.enumerated() where from != Self.noRow {
      workspace.outputs[index].set(
        row: row, from: source.values, at: from * source.columns, count: source.columns)
    }
    for (row, seat) in stored {
      states.read(seat: seat, range: kept, into: &workspace.outputs[index], row: row)
    }
  }

  /// Stands for a row that is read from the rider's state, as this turn computed no step of the value.
  private static let noRow = -1

  /// The range in a rider's state of a value's last step so far; empty if none is kept.
  func lastStep(of reference: Model.ValueReference) -> Range<Int> {
    if case .node(let index) = reference { nodes[index].lastStep } else { 0..<0 }
  }
}
