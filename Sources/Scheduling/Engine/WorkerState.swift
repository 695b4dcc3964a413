import Inference

/// The state of one worker: its riders, by seat, their states, and scratch memory.
struct WorkerState {
  /// The riders by seat; nil in a seat whose rider was taken out. Such a seat falls free at the next turn.
  private var riders: [Rider?] = []
  private var states: SeatStates
  private(set) var workspace: Workspace
  /// The part of a turn in which the decoder runs; nil for a graph without one.
  private var decoding: DecoderTurn?
  private let graph: ModelGraph

  init(graph: ModelGraph) {
    self.graph = graph
    states = SeatStates(graph: graph)
    workspace = Workspace(graph: graph)
    decoding = graph.decoder.map { DecoderTurn($0) }
  }

  /// Takes a rider out of its seat, with the state that the seat holds.
  mutating func unseat(_ seat: Int) -> Rider? {
    riders[seat]?.leaveSeat(seat, states: states, graph: graph)
    return riders[seat].take()
  }

  /// Takes out of its seat a rider that is done, or that has taken its state along already.
  mutating func removeRider(from seat: Int) -> Rider? { riders[seat].take() }

  /// A rider that was about to leave its seat stays there.
  mutating func keep(_ seat: Int) { riders[seat]?.keepSeat() }

  /// Moves and boards riders as planned, and releases those that left.
  mutating func seat(_ boarding: [Rider], as turn: Turn) {
    for move in turn.moves {
      // While decoding, each hypothesis keeps its own state, and the seat holds none.
      if riders[move.from]?.isDecoding != true { states.move(from: move.from, to: move.to) }
      riders[move.to] = riders[move.from].take()
    }
    let kept = turn.parts.count - turn.boardings.count
    riders.removeLast(riders.count - kept)
    for rider in boarding { riders.append(rider) }
  }

  /// Advances all riders by their parts of a turn.
  mutating func compute(_ turn: Turn, crew: Crew?) {
    var steps: [TurnRider] = []
    steps.reserveCapacity(turn.parts.count)
    for part in turn.parts {
      guard let rider = riders[part.seat] else { preconditionFailure("nobody in a seat") }
      if let search = rider.search {
        decoding?.add(search, seat: part.seat)
      } else {
        steps.append(rider.part(part))
      }
    }
    if !steps.isEmpty {
      graph.forward(steps, states: &states, workspace: &workspace, crew: crew)
    }
    decoding?.compute(crew: crew)
  }

  /// Copies what a turn reported to its riders; returns what each does next.
  mutating func advance(_ turn: Turn) -> [Rider.Next] {
    defer { decoding?.clear() }
    var next: [Rider.Next] = []
    next.reserveCapacity(turn.parts.count)
    /// The rider's index among those whose own steps ran.
    var index = 0
    for part in turn.parts {
      guard let rider = riders[part.seat] else {
        next.append(.leaves)
        continue
      }
      if let decoding, let place = decoding.place(ofSeat: part.seat) {
        next.append(rider.advance(decoding: place, of: decoding))
      } else {
        next.append(
          rider.advance(part, index: index, from: workspace, states: states, graph: graph))
        index += 1
      }
    }
    return next
  }

  /// Empties all seats, as no rider is left.
  mutating func clear() { riders.removeAll() }

  /// Frees memory that the last turns did not need.
  mutating func trim() {
    workspace.trim()
    decoding?.trim()
  }

  /// Frees the turns' scratch memory; the next turn allocates it anew.
  mutating func releaseScratch() {
    workspace = Workspace(graph: graph)
    decoding = graph.decoder.map { DecoderTurn($0) }
  }
}
