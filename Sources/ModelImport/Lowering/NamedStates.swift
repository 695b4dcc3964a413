/// The inputs of a graph that are an RNN's state by their names, or by those of the weights that they meet. Its cell's equation,
/// tanh(W x + R h + b), is also that of a dense layer of two inputs.
struct NamedStates {
  private let byName: Set<String>
  private var byWeight: Set<String> = []

  init(_ graph: SourceGraph) {
    let producers = NodeProducers(graph)
    let names = Set(graph.inputs.map(\.name))
    byName = names.filter(Self.isState)
    for node in graph.nodes where ["Gemm", "MatMul"].contains(node.op) {
      guard let weight = node.input(1), producers.source(of: weight).contains("weight_hh"),
        let value = node.input(0).map(producers.source), names.contains(value)
      else { continue }
      byWeight.insert(value)
    }
  }

  var isEmpty: Bool { byName.isEmpty && byWeight.isEmpty }

  /// The one of a cell's inputs that is its state; nil where none is, or several may be.
  func state(among inputs: [String]) -> String? {
    for known in [byWeight, byName] {
      let found = inputs.filter(known.contains)
      if !found.isEmpty { return found.count == 1 ? found[0] : nil }
    }
    return nil
  }

  /// `state` alone is what agents observe.
  private static func isState(_ name: String) -> Bool {
    let name = name.lowercased()
    return name.contains("hidden")
      || [
        "h", "hx", "h0", "h_0", "h_in", "hin", "h_prev", "prev_h", "h_state", "rnn_state",
        "recurrent_state", "prev_state", "state_in",
      ].contains(name)
  }
}
