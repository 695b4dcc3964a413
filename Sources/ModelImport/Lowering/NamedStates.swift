/// The inputs of a graph that are an RNN's state by their names, or by those of the weights that they meet. Its cell's equation,
/// tanh(W x + R h + b), is also that of a dense layer of two inputs.
enum NamedStates {
  static func inputs(of graph: SourceGraph) -> Set<String> {
    let producers = NodeProducers(graph)
    let names = Set(graph.inputs.map(\.name))
    var found = Set(graph.inputs.map(\.name).filter(isState))
    for node in graph.nodes where ["Gemm", "MatMul"].contains(node.op) {
      guard let weight = node.input(1), origin(weight, producers).contains("weight_hh"),
        let value = node.input(0).map({ origin($0, producers) }), names.contains(value)
      else { continue }
      found.insert(value)
    }
    return found
  }

  /// The value that another comes of, by moving its elements alone.
  private static func origin(_ name: String, _ producers: NodeProducers) -> String {
    var name = producers.origin(name)
    for _ in 0..<64 {
      guard let node = producers[name], NodeConsumers.moving.contains(node.op),
        let source = node.input(0)
      else { break }
      name = producers.origin(source)
    }
    return name
  }

  private static func isState(_ name: String) -> Bool {
    let name = name.lowercased()
    return ["hidden", "state"].contains { name.contains($0) }
      || ["h", "hx", "h0", "h_0", "h_in", "hin", "h_prev", "prev_h"].contains(name)
  }
}
