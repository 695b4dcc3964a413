import Inference

/// The riders of a turn whose own steps are done and for whom the decoder runs: a row for each hypothesis of each.
///
/// Their states are the hypotheses' own: those here last for one turn.
struct DecoderTurn {
  private let decoder: DecoderGraph
  private(set) var states: SeatStates
  private(set) var workspace: Workspace
  private var riders: [TurnRider] = []
  /// By seat of the worker, the first of its rider's rows.
  private var places: [Int: Int] = [:]

  init(_ decoder: DecoderGraph) {
    self.decoder = decoder
    states = SeatStates(graph: decoder.graph)
    workspace = Workspace(graph: decoder.graph)
  }

  /// Adds the next step of the rider in `seat`.
  mutating func add(_ search: TokenSearch, seat: Int) {
    places[seat] = riders.count
    riders += search.riders(seat: riders.count)
  }

  mutating func compute(crew: Crew?) {
    guard !riders.isEmpty else { return }
    decoder.graph.forward(riders, states: &states, workspace: &workspace, crew: crew)
  }

  /// The first row of the rider in a seat of the worker; nil where its own steps rode.
  func place(ofSeat seat: Int) -> Int? { places[seat] }

  /// The turn is over.
  mutating func clear() {
    riders.removeAll(keepingCapacity: true)
    places.removeAll(keepingCapacity: true)
  }

  /// Frees memory that the last turns did not need.
  mutating func trim() {
    workspace.trim()
    states = SeatStates(graph: decoder.graph)
  }
}
