import ModelFormat

/// Attention of a decoder's step to all steps of the encoder. Exporters write it as arithmetic of that one step with all those, which
/// is no arithmetic of two sequences: as an op it holds for every step.
struct AttendedSteps {
  typealias Node = ModelDescription.Node
  typealias Tensor = (shape: [Int], floats: [Float])

  /// The nodes, in which such attention is an op.
  private(set) var nodes: [Node]
  /// The tensors of nodes that were added.
  private(set) var tensors: [(name: String, tensor: Tensor)] = []
  private let index: [String: Int]
  private let inputs: [String: Input]
  /// The nodes that repeat steps as queries, where the same steps are the keys.
  private let queries: Set<String>
  /// A tensor by its name.
  private let tensor: (String) -> Tensor?
  /// The axes of values' steps, once they are known.
  private var axes: [String: Set<String>] = [:]

  struct Input {
    /// The name of its axis; nil for a vector.
    let axis: String?
    /// nil if it is not known.
    let size: Int?
  }

  /// A score of each query with each key, up to a factor and a summand that are the same for all.
  private struct Score {
    let op: AttentionOp.Score
    let queries: String
    let keys: String
    /// The vector that additive scores are multiplied by.
    var weight: [Float]?
    var scale: Float = 1
  }

  init(
    _ nodes: [Node], inputs: [String: Input], queries: Set<String> = [],
    tensor: @escaping (String) -> Tensor?
  ) {
    self.nodes = nodes
    self.inputs = inputs
    self.queries = queries
    self.tensor = tensor
    index = Dictionary(
      nodes.enumerated().map { ($0.element.name, $0.offset) }, uniquingKeysWith: { $1 })
    for position in nodes.indices { fuse(position) }
  }

  private mutating func fuse(_ position: Int) {
    let node = nodes[position]
    guard node.op == .softmaxSum, node.mask == nil, let scores = node.inputs[0],
      let values = node.inputs[1], case let axis = steps(of: values), axis.count == 1,
      let score = score(scores, over: axis)
    else { return }
    nodes[position] = Node(
      name: node.name,
      op: .attention(score: score.op == .dot ? nil : score.op, scale: score.scale),
      inputs: [repeated(score.queries), score.keys, values])
    if let weight = score.weight {
      tensors.append(("\(node.name).weight", ([weight.count], weight)))
    }
  }

  /// What a node repeats as queries; the value itself if none does.
  private func repeated(_ value: String) -> String {
    queries.contains(value) ? node(value)?.inputs[0] ?? value : value
  }

  // MARK: Scores

  private mutating func score(_ value: String, over axis: Set<String>) -> Score? {
    guard let node = node(value), let source = node.inputs.first ?? nil else { return nil }
    if let affine = node.op.definition as? AffineOp {
      guard let scale = affine.scale ?? (tensor(node, "weight") == nil ? [1] : nil),
        scale.count == 1, var score = score(source, over: axis)
      else { return nil }
      score.scale *= scale[0]
      return score
    }
    guard node.op == .linear, var weight = tensor(node, "weight")?.floats,
      tensor(node, "weight")?.shape[0] == 1, var inner = self.node(source)
    else { return nil }
    // A vector may be multiplied with the elements before these are summed.
    if let scale = scale(inner), let scaled = inner.inputs[0].flatMap({ self.node($0) }) {
      guard scale.count == weight.count else { return nil }
      weight = zip(weight, scale).map(*)
      inner = scaled
    }
    if inner.op == .multiply, Set(weight).count == 1 {
      guard let (queries, keys) = pair(inner.inputs, over: axis) else { return nil }
      return Score(op: .dot, queries: queries, keys: keys, scale: weight[0])
    }
    guard inner.op == .tanh, let sum = inner.inputs[0],
      let (queries, keys) = summands(of: sum, over: axis)
    else { return nil }
    return Score(op: .additive, queries: queries, keys: keys, weight: weight)
  }

  private func scales(_ node: Node) -> Bool {
    (node.op.definition as? AffineOp)?.scale != nil || tensor(node, "weight") != nil
  }

  /// The numbers of a node that only multiplies each element with one of its own.
  private func scale(_ node: Node) -> [Float]? {
    guard let affine = node.op.definition as? AffineOp, affine.shift == nil,
      tensor(node, "bias") == nil
    else { return nil }
    return tensor(node, "weight")?.floats
  }

  /// The query and the key of two values, of which one has the steps that are attended to.
  private mutating func pair(
    _ values: [String?], over axis: Set<String>
  ) -> (queries: String, keys: String)? {
    guard values.count == 2, let first = values[0], let second = values[1] else { return nil }
    let (one, other) = (steps(of: first), steps(of: second))
    if one == axis, isQuery(other, over: axis) { return (second, first) }
    if other == axis, isQuery(one, over: axis) { return (first, second) }
    return nil
  }

  /// Whether steps are those of queries. Vectors need no op: arithmetic repeats them.
  private func isQuery(_ steps: Set<String>, over axis: Set<String>) -> Bool {
    !steps.isEmpty && steps.isDisjoint(with: axis)
  }

  /// The query and the key that are added: as a sum, or as a matrix of both side by side.
  private mutating func summands(
    of value: String, over axis: Set<String>
  ) -> (queries: String, keys: String)? {
    guard let node = node(value) else { return nil }
    if node.op == .add { return pair(node.inputs, over: axis) }
    if node.op.definition is AffineOp, let source = node.inputs[0], !scales(node),
      let (queries, keys) = summands(of: source, over: axis)
    {
      // What is added to the sum may be added to the queries.
      let name = unused("\(value)-query")
      nodes.append(
        Node(
          name: name, op: node.op, inputs: [repeated(queries)], weights: node.weights ?? node.name))
      return (name, keys)
    }
    guard node.op == .linear, let weight = tensor(node, "weight"),
      let parts = node.inputs[0].flatMap({ self.node($0) }), parts.op == .concat,
      let sizes = sizes(of: parts.inputs.compactMap { $0 }, all: weight.shape[1])
    else { return nil }
    var (queries, keys): ([Part], [Part]) = ([], [])
    var start = 0
    for (input, size) in zip(parts.inputs.compactMap { $0 }, sizes) {
      let part = Part(value: input, columns: start..<start + size)
      start += size
      let steps = steps(of: input)
      if steps == axis {
        keys.append(part)
      } else if isQuery(steps, over: axis) {
        queries.append(part)
      } else {
        return nil
      }
    }
    guard !queries.isEmpty, !keys.isEmpty else { return nil }
    return (
      linear(queries, of: weight, bias: tensor(node, "bias")?.floats, named: "\(value)-query"),
      linear(keys, of: weight, bias: nil, named: "\(value)-key")
    )
  }

  /// Some inputs of a matrix, with its columns for them.
  private struct Part {
    let value: String
    let columns: Range<Int>
  }

  private mutating func linear(
    _ parts: [Part], of weight: Tensor, bias: [Float]?, named name: String
  ) -> String {
    let name = unused(name)
    var source = parts[0].value
    if parts.count > 1 {
      source = "\(name)-parts"
      nodes.append(Node(name: source, op: .concat, inputs: parts.map(\.value)))
    }
    let columns = parts.flatMap(\.columns)
    let (rows, width) = (weight.shape[0], weight.shape[1])
    let floats = (0..<rows).flatMap { row in columns.map { weight.floats[row * width + $0] } }
    nodes.append(Node(name: name, op: .linear, inputs: [source]))
    tensors.append(("\(name).weight", ([rows, columns.count], floats)))
    if let bias { tensors.append(("\(name).bias", ([rows], bias))) }
    return name
  }

  /// The sizes of values that are `all` together, of which one may be unknown.
  private func sizes(of values: [String], all: Int) -> [Int]? {
    let known = values.map { value -> Int? in
      if let input = inputs[value] { return input.size }
      guard let node = node(value), node.op == .linear else { return nil }
      return tensor(node, "weight")?.shape[0]
    }
    let rest = all - known.reduce(0) { $0 + ($1 ?? 0) }
    switch known.count(where: { $0 == nil }) {
    case 0 where rest == 0: return known.compactMap { $0 }
    case 1 where rest > 0: return known.map { $0 ?? rest }
    default: return nil
    }
  }

  // MARK: Values

  private func unused(_ name: String) -> String {
    FolderDraft.unusedName(name, among: nodes.map(\.name))
  }

  private func node(_ value: String) -> Node? { index[value].map { nodes[$0] } }

  private func tensor(_ node: Node, _ name: String) -> Tensor? {
    tensor("\(node.weights ?? node.name).\(name)")
  }

  /// The axes whose steps a value has.
  private mutating func steps(of value: String) -> Set<String> {
    if let known = axes[value] { return known }
    // Values that need each other have none.
    axes[value] = []
    let found = findSteps(of: value)
    axes[value] = found
    return found
  }

  private mutating func findSteps(of value: String) -> Set<String> {
    if let input = inputs[value] { return input.axis.map { [$0] } ?? [] }
    if queries.contains(value) { return [value] }
    guard let node = node(value) else { return [] }
    let op = node.op
    if op.definition is any PoolDefinition || op == .softmaxSum { return [] }
    let own = op.recurrent != nil || op.name == AttentionOp.name
    return (own ? node.inputs.prefix(1) : node.inputs[...]).reduce(into: []) {
      if let input = $1 { $0.formUnion(steps(of: input)) }
    }
  }
}
