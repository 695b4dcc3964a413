import ModelFormat

/// The nodes and tensors of a model folder during translation.
struct FolderBuilder {
  typealias Node = ModelDescription.Node

  private(set) var nodes: [Node] = []
  private(set) var tensors: [String: (shape: [Int], floats: [Float])] = [:]
  private(set) var notes: [String] = []
  /// The nodes that repeat queries of attention, with the error where nothing makes an attention of them.
  private(set) var queries: [String: ImportError] = [:]
  private var names: Set<String> = []
  /// The number that the next name of those letters gets.
  private var counts: [String: Int] = [:]
  /// Elements of all tensors that were ever added.
  private(set) var elementCount = 0

  /// A new name, made from one of the source graph.
  mutating func unusedName(_ text: String) -> String {
    let base = String(FolderDraft.name(from: text).prefix(80))
    var name = base
    while names.contains(name) {
      let count = counts[base, default: 2]
      counts[base] = count + 1
      name = "\(base)_\(count)"
    }
    names.insert(name)
    return name
  }

  /// Reserves a name for an output.
  mutating func reserve(_ text: String) { names.insert(FolderDraft.name(from: text)) }

  /// Adds a node, with its tensors under its name, or with the weights of another.
  mutating func emit(
    _ op: ModelDescription.Op, _ inputs: [String?], named text: String, weights: String? = nil,
    tensors: [(name: String, shape: [Int], elements: [Double])] = []
  ) -> String {
    let name = unusedName(text)
    nodes.append(Node(name: name, op: op, inputs: inputs, weights: weights))
    for (tensor, shape, elements) in tensors {
      self.tensors["\(name).\(tensor)"] = (shape, elements.map(Float.init))
      elementCount += elements.count
    }
    return name
  }

  /// Adds a node that repeats the queries of attention to steps that are its keys too, until its op is known.
  mutating func emitQueries(
    _ value: String, named text: String, or refusal: ImportError
  ) -> String {
    let name = emit(.slice(), [value], named: "\(text).queries")
    queries[name] = refusal
    return name
  }

  mutating func note(_ text: String) {
    if !notes.contains(text) { notes.append(text) }
  }

  /// Sets the mask of a recurrent network, and its answer at masked steps.
  mutating func set(mask: String, of name: String, isZero: Bool) {
    guard let index = nodes.lastIndex(where: { $0.name == name }) else { return }
    nodes[index].mask = mask
    guard isZero else { return }
    switch nodes[index].op.definition {
    case var op as LSTMOp:
      op.maskedOutput = .zero
      nodes[index].op = .lstm(op)
    case var op as GRUOp:
      op.maskedOutput = .zero
      nodes[index].op = .gru(op)
    case var op as RNNOp:
      op.maskedOutput = .zero
      nodes[index].op = .rnn(op)
    default: break
    }
  }

  mutating func replace(nodes: [Node]) { self.nodes = nodes }

  mutating func set(tensor name: String, shape: [Int], floats: [Float]) {
    tensors[name] = (shape, floats)
  }

  /// Removes the tensors of a node that was removed or replaced.
  mutating func removeTensors(of node: String) {
    for name in tensors.keys
    where name.hasPrefix("\(node).") && !name.dropFirst(node.count + 1).contains(".") {
      tensors[name] = nil
    }
  }

  /// Whether a node has tensors of its own; another's name may begin with its name and a dot.
  func hasTensors(of node: String) -> Bool {
    tensors.keys.contains {
      $0.hasPrefix("\(node).") && !$0.dropFirst(node.count + 1).contains(".")
    }
  }

  func floats(_ name: String) -> [Float]? { tensors[name]?.floats }
}
