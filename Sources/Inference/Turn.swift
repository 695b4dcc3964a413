import ModelFormat

/// A rider's part in one turn: the steps of its inputs that it advances by.
package struct TurnRider: Sendable {
  package let input: InputSequence
  /// Steps of `input` to run; not empty.
  package let steps: Range<Int>
  /// Steps that the sequence has run before; 0 makes it start from its initial state.
  package let position: Int
  /// Whether these are the last steps, so that what exists at the end of a sequence is computed.
  package let finishes: Bool
  package let selection: Selection
  /// The row of the state matrix that holds the rider's state.
  package let seat: Int
  /// The state to go on from, of that position; nil for what the seat holds.
  package let resumed: SequenceState?

  package init(
    input: InputSequence, steps: Range<Int>, position: Int, finishes: Bool, selection: Selection,
    seat: Int, resumed: SequenceState? = nil
  ) {
    precondition(resumed.map { $0.position == position && position > 0 } ?? true)
    self.input = input
    self.steps = steps
    self.position = position
    self.finishes = finishes
    self.selection = selection
    self.seat = seat
    self.resumed = resumed
  }
}

/// The states of the riders on board, a row a seat; memory is taken for seats that were ever filled.
package struct SeatStates {
  private var matrix: Matrix

  package init(graph: ModelGraph) {
    matrix = Matrix(rows: 0, columns: graph.initialState.count)
  }

  /// Gives a seat the state of a sequence that has not begun.
  mutating func reset(seat: Int, graph: ModelGraph) {
    fill(seat: seat, with: graph.initialState)
  }

  /// Gives a seat a state to go on from.
  mutating func resume(seat: Int, from state: SequenceState) {
    fill(seat: seat, with: state.floats)
  }

  /// The state of a seat whose sequence has `position` steps behind it.
  package func state(ofSeat seat: Int, position: Int) -> SequenceState {
    SequenceState(position: position, floats: Array(matrix.values[matrix.row(seat)]))
  }

  private mutating func fill(seat: Int, with floats: [Float]) {
    precondition(floats.count == matrix.columns)
    // Rows lie one after the other, so those that are there stay as they are.
    if seat >= matrix.rows { matrix.resize(rows: seat + 1, columns: matrix.columns) }
    matrix.set(row: seat, from: floats, at: 0, count: floats.count)
  }

  /// Moves the state of one seat to another.
  package mutating func move(from source: Int, to target: Int) {
    matrix.set(
      row: target, from: matrix.values, at: source * matrix.columns, count: matrix.columns)
  }

  /// Copies floats `range` of a seat's state into a row of `target`.
  func read(seat: Int, range: Range<Int>, into target: inout Matrix, row: Int) {
    target.set(
      row: row, from: matrix.values, at: seat * matrix.columns + range.lowerBound,
      count: range.count)
  }

  /// Copies `range.count` floats of `source` from `start` on into `range` of a seat's state.
  mutating func write(seat: Int, range: Range<Int>, from source: [Float], at start: Int) {
    matrix.set(
      row: seat, column: range.lowerBound, from: source, at: start, count: range.count)
  }

  /// Changes a seat's floats one by one, each with its partner in `source` from `start` on.
  mutating func merge(
    seat: Int, range: Range<Int>, with source: [Float], at start: Int,
    _ combine: (Float, Float) -> Float
  ) {
    let base = seat * matrix.columns + range.lowerBound
    var values = matrix.values.mutableSpan
    let other = source.span
    for k in 0..<range.count {
      values[base + k] = combine(values[base + k], other[start + k])
    }
  }

  /// Adds floats of `source`, from `start` on, to a seat's sums: in `range` the first half is what they are, the second
  /// what rounding left out.
  mutating func add(seat: Int, range: Range<Int>, _ source: [Float], at start: Int) {
    let count = range.count / 2
    let base = seat * matrix.columns + range.lowerBound
    var values = matrix.values.mutableSpan
    let other = source.span
    for k in 0..<count {
      var sum = PreciseSum(high: values[base + k], low: values[base + count + k])
      sum.add(other[start + k])
      values[base + k] = sum.high
      values[base + count + k] = sum.low
    }
  }

  /// One of a seat's sums.
  func sum(seat: Int, range: Range<Int>, at k: Int) -> PreciseSum {
    let base = seat * matrix.columns + range.lowerBound
    return PreciseSum(
      high: matrix.values[base + k], low: matrix.values[base + range.count / 2 + k])
  }
}

/// What a turn computes in, kept from turn to turn; and what it reported.
package struct Workspace {
  /// Token ids of each input, packed.
  var tokens: [[Int32]]
  /// The value of each input, of each node, and of each lstm's final states by layer.
  var inputs: [Matrix]
  var nodes: [Matrix]
  var hidden: [[Matrix]]
  var cell: [[Matrix]]
  /// What the turn reports of each of the model's outputs.
  var outputs: [Matrix]
  /// The rows of each output that belong to each rider, in the order in which the riders were given.
  package internal(set) var reported: [[Range<Int>]]
  let lstm = LSTMScratch()
  var state = LSTMState()
  /// The output of the layer under way, and of the one before it.
  var layers = (current: Matrix(), other: Matrix())

  package init(graph: ModelGraph) {
    let description = graph.model.description
    tokens = Array(repeating: [], count: description.inputs.count)
    inputs = Array(repeating: Matrix(), count: description.inputs.count)
    nodes = Array(repeating: Matrix(), count: graph.nodes.count)
    hidden = graph.model.nodes.map { node in
      Array(repeating: Matrix(), count: node.lstm?.layers ?? 0)
    }
    cell = hidden
    reported = Array(repeating: [], count: graph.model.outputs.count)
    outputs = Array(repeating: Matrix(), count: graph.model.outputs.count)
  }

  /// Floats that a matrix may keep from one load to the next.
  static let keptFloats = 1 << 20

  /// Gives back the matrices that a large turn needed and an ordinary one does not.
  package mutating func trim() {
    func trim(_ matrix: inout Matrix) {
      if matrix.values.count > Self.keptFloats { matrix = Matrix() }
    }
    for index in inputs.indices { trim(&inputs[index]) }
    for index in nodes.indices {
      trim(&nodes[index])
      for layer in hidden[index].indices {
        trim(&hidden[index][layer])
        trim(&cell[index][layer])
      }
    }
    for index in outputs.indices { trim(&outputs[index]) }
    trim(&layers.current)
    trim(&layers.other)
    lstm.trim(to: Self.keptFloats)
  }

  /// What the turn reported of an output for a rider: its reported rows × the output's size.
  package func values(ofOutput output: Int, rider: Int) -> ArraySlice<Float> {
    let (rows, columns) = (reported[output][rider], outputs[output].columns)
    return outputs[output].values[rows.lowerBound * columns..<rows.upperBound * columns]
  }
}

/// The order of a turn: where each rider's steps lie, and which rows are reported.
struct TurnPlan {
  /// The riders, longest first.
  let riders: [TurnRider]
  /// The place of each of them among those given.
  let order: [Int]
  let layout: PackedLayout
  /// The reported rows of each rider.
  private(set) var reported: [Range<Int>] = []
  /// The packed row of each reported row, and its rider.
  private var reportedSteps: [Int] = []
  private var reportedRiders: [Int] = []
  /// The riders that finish; and for each that does, its place among them.
  private(set) var ends: [Int] = []
  private var endPlaces: [Int] = []

  /// - Parameter reportsEveryStep: whether a rider with that selection needs reported rows of all its steps.
  init(_ given: [TurnRider], reportsEveryStep: (Selection) -> Bool) {
    // Riders are read by index: a copy of each would count references.
    let lengths = given.indices.map { given[$0].steps.count }
    // Equal lengths keep their order, so a batch of equal lengths is not shuffled.
    if zip(lengths, lengths.dropFirst()).allSatisfy({ $0 >= $1 }) {
      order = Array(given.indices)
      riders = given
      layout = PackedLayout(steps: lengths)
    } else {
      order = given.indices.sorted {
        lengths[$0] == lengths[$1] ? $0 < $1 : lengths[$0] > lengths[$1]
      }
      riders = order.map { given[$0] }
      layout = PackedLayout(steps: order.map { lengths[$0] })
    }
    for j in riders.indices {
      let (steps, finishes) = (lengths[order[j]], riders[j].finishes)
      let count = reportsEveryStep(riders[j].selection) ? steps : finishes ? 1 : 0
      reported.append(reportedSteps.count..<reportedSteps.count + count)
      for t in steps - count..<steps {
        reportedSteps.append(layout.row(rider: j, step: t))
        reportedRiders.append(j)
      }
      endPlaces.append(ends.count)
      if finishes { ends.append(j) }
    }
  }

  /// The row that a value in `domain` has for the end of a rider that finishes.
  func endRow(of rider: Int, in domain: RowDomain) -> Int {
    switch domain {
    case .steps: layout.lastRow(rider: rider)
    case .riders: rider
    case .reported: reported[rider].upperBound - 1
    case .ends: endPlaces[rider]
    }
  }

  /// For each row of `target`, the row that a value in `source` has for it.
  func rows(of source: RowDomain, in target: RowDomain) -> [Int] {
    switch (target, source) {
    case (.reported, .steps): return reportedSteps
    case (.reported, .riders): return reportedRiders
    case (.reported, .reported): return Array(reportedSteps.indices)
    case (.ends, .ends): return Array(ends.indices)
    case (.ends, .steps), (.ends, .riders), (.ends, .reported):
      return ends.map { endRow(of: $0, in: source) }
    case (.reported, .ends), (.steps, _), (.riders, _):
      preconditionFailure("no value in \(target) is made of one in \(source)")
    }
  }
}

extension ModelGraph {
  /// Advances every rider by its steps, in one pass over the weights.
  ///
  /// A rider's results depend on its own inputs and state only, to the bit. Where the graph is not
  /// streamable, each rider's steps are the whole of its sequence.
  ///
  /// - Parameter crew: cores that divide the hidden units of the lstms; nil for the caller's alone.
  package func forward(
    _ riders: [TurnRider], states: inout SeatStates, workspace: inout Workspace,
    crew: Crew? = nil
  ) {
    let plan = TurnPlan(riders, reportsEveryStep: reportsEveryStep)
    for rider in riders {
      if let state = rider.resumed {
        states.resume(seat: rider.seat, from: state)
      } else if rider.position == 0 {
        states.reset(seat: rider.seat, graph: self)
      }
    }
    for index in workspace.inputs.indices { pack(input: index, plan: plan, workspace: &workspace) }
    for index in nodes.indices {
      run(node: index, plan: plan, states: &states, workspace: &workspace, crew: crew)
    }
    for index in model.outputs.indices {
      workspace.reported[index] = Array(repeating: 0..<0, count: riders.count)
      report(output: index, plan: plan, workspace: &workspace)
    }
  }

  /// Brings an input into packed order, normalised.
  private func pack(input index: Int, plan: TurnPlan, workspace: inout Workspace) {
    let layout = plan.layout
    switch model.description.inputs[index].kind {
    case .tokens:
      workspace.tokens[index].removeAll(keepingCapacity: true)
      for t in layout.active.indices {
        for j in 0..<layout.active[t] {
          guard case .tokens(let ids) = plan.riders[j].input.values[index] else { continue }
          workspace.tokens[index].append(ids[plan.riders[j].steps.lowerBound + t])
        }
      }
    case .features(let size, let mean, let scale):
      workspace.inputs[index].resize(rows: layout.rows, columns: size)
      for (j, rider) in plan.riders.enumerated() {
        guard case .features(let floats) = rider.input.values[index] else { continue }
        for t in 0..<rider.steps.count {
          workspace.inputs[index].set(
            row: layout.row(rider: j, step: t), from: floats,
            at: (rider.steps.lowerBound + t) * size, count: size)
        }
      }
      guard mean != nil || scale != nil else { return }
      var values = workspace.inputs[index].values.mutableSpan
      for row in 0..<layout.rows {
        for k in 0..<size {
          let centred = values[row * size + k] - (mean?[k] ?? 0)
          values[row * size + k] = centred / (scale?[k] ?? 1)
        }
      }
    case .vector(let size):
      workspace.inputs[index].resize(rows: plan.riders.count, columns: size)
      for (j, rider) in plan.riders.enumerated() {
        guard case .vector(let floats) = rider.input.values[index] else { continue }
        workspace.inputs[index].set(row: j, from: floats, at: 0, count: size)
      }
    }
  }
}

extension Workspace {
  /// The value behind a reference; an input of tokens has none.
  subscript(reference: Model.ValueReference) -> Matrix {
    switch reference {
    case .input(let index): inputs[index]
    case .node(let index): nodes[index]
    case .hidden(let index, let layer): hidden[index][layer]
    case .cell(let index, let layer): cell[index][layer]
    }
  }
}
