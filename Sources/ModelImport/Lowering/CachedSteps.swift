import ModelFormat

/// Caches of streaming models: inputs with the last steps of the call before, put before those of this one, and outputs with the last
/// steps for the next. A sequence has all its steps, so that what it reads of a cache is zeros before its first.
struct CachedSteps {
  /// The graph with zeros in the caches' place.
  private(set) var graph: SourceGraph
  private(set) var inputs: [SourceGraph.Input] = []
  /// The attribute of nodes that put zeros before steps.
  static let mark = "cache"
  /// The axes of other inputs whose steps stand behind a cache.
  private(set) var axes: Set<Atom.Origin> = []
  private var forms: AffineForms
  private let consumers: NodeConsumers
  private let original: SourceGraph

  /// Nil where there are none.
  init?(_ graph: SourceGraph) {
    (self.graph, original) = (graph, graph)
    forms = AffineForms(graph)
    consumers = NodeConsumers(graph)
    for index in graph.nodes.indices { replace(index) }
    guard !inputs.isEmpty else { return nil }
    self.graph.dropUnneeded()
  }

  /// Whether calls one after another answer as one with all their steps: where a call's steps are read through kernels alone, and not
  /// all at once, as by a mean of what the cache and the call hold.
  static func areCallsParts(of draft: FolderDraft) -> Bool {
    draft.description.nodes.allSatisfy { node in
      !overAllSteps.contains(node.op.name)
        && (node.op.definition as? any RecurrentOp)?.direction != .reverse
    } && !draft.tensors.contains { $0.name.hasSuffix("_reverse") }
  }

  private static let overAllSteps = [
    FirstOp.name, MeanOp.name, MaxOp.name, SumOp.name, SoftmaxSumOp.name, AttentionOp.name,
    ReverseOp.name, SliceStepsOp.name, PadStepsOp.name, CropOrPadOp.name, EmbeddingBagOp.name,
  ]

  /// Requires of the axis along which zeros are put before others that it holds steps.
  static func check(_ l: inout Lowering, _ node: SourceNode, _ axis: [Atom]) throws(ImportError) {
    guard axis.count != 1 || axis[0].role != .time else { return }
    let refusal = node.refusal("a cache of elements", because: "a cache holds steps")
    throw axis.first { $0.role != .time }.map { l.requiring($0, .time, or: refusal) } ?? refusal
  }

  /// Replaces a Concat of a cache and steps if the last of these steps are an output.
  private mutating func replace(_ index: Int) {
    let node = original.nodes[index]
    guard node.op == "Concat", node.inputs.count == 2, let joined = node.output(0),
      let input = original.inputs.first(where: { $0.name == forms.origin(node.inputs[0]) }),
      readers(of: input.name).count == 1
    else { return }
    let rank = input.dimensions.count
    let given = node.integer("axis", default: 0)
    let axis = given < 0 ? given + rank : given
    guard (1..<max(rank, 1)).contains(axis), let count = input.size(axis) else { return }
    let cache = Cache(joined: joined, steps: node.inputs[1], count: count, axis: axis, rank: rank)
    var ends = readers(of: joined).filter { isEnd($0, of: cache) }
    // The last step of this call alone is that of both.
    if count == 1 { ends += readers(of: cache.steps).filter { isEnd($0, of: cache) } }
    let outputs = Set(ends.flatMap { $0.outputs.flatMap(answers) })
    guard !outputs.isEmpty, graph.outputs.contains(where: { !outputs.contains($0) }) else { return }
    graph.nodes[index] = padding(node, rank: rank, axis: axis, count: count, as: joined)
    graph.inputs.removeAll { $0.name == input.name }
    inputs.append(input)
    let steps = forms.origin(node.inputs[1])
    if original.inputs.contains(where: { $0.name == steps }) {
      axes.insert(Atom.Origin(input: steps, axis: axis))
    }
    graph.outputs.removeAll { outputs.contains($0) }
    graph.notes.append("the input \"\(input.name)\" \(Note.keptInput)")
    graph.notes += outputs.sorted().map { "the output \"\($0)\" \(Note.keptOutput)" }
  }

  /// The nodes that read a value, behind those that change nothing.
  private func readers(of value: String) -> [SourceNode] {
    var (found, pending): ([SourceNode], [String]) = ([], [value])
    while let name = pending.popLast(), found.count + pending.count < 256 {
      for node in consumers[name] {
        if node.op == "Identity" { pending += node.outputs } else { found.append(node) }
      }
    }
    return found
  }

  /// The outputs of the graph that are this value.
  private func answers(of value: String) -> [String] {
    original.outputs.filter { forms.origin($0) == value }
  }

  /// Steps of the call before, `count` along an axis, put before those of this call.
  private struct Cache {
    let joined: String
    let steps: String
    let count: Int
    let axis: Int
    let rank: Int
  }

  /// Whether a node chooses the last steps, as many as the cache has.
  private mutating func isEnd(_ node: SourceNode, of cache: Cache) -> Bool {
    guard node.op == "Slice" else { return false }
    func numbers(_ key: String, _ index: Int) -> [Int]? {
      node.integers(key) ?? forms.constant(node.input(index))?.integers
    }
    guard let ends = numbers("ends", 2), let axes = numbers("axes", 3), axes.count == 1,
      axes[0] == cache.axis || axes[0] + cache.rank == cache.axis,
      node.input(4) == nil || numbers("steps", 4) == [1]
    else { return false }
    // Of a call with a fixed number of steps, or of any.
    if let own = size(of: cache.steps, axis: cache.axis), numbers("starts", 1) == [own],
      ends[0] >= own + cache.count
    {
      return true
    }
    guard ends[0] >= Int(Int32.max) else { return false }
    let isAsLarge = answers(of: node.outputs[0]).contains { output in
      original.outputDimensions[output].map {
        $0.indices.contains(cache.axis) && $0[cache.axis] == .fixed(cache.count)
      } ?? false
    }
    if isAsLarge, node.input(1).map({ forms.constant($0) != nil }) ?? true { return true }
    if let starts = numbers("starts", 1) { return starts == [-cache.count] }
    return node.input(1).map { self.isFromTheEnd($0, cache) } ?? false
  }

  private mutating func size(of value: String, axis: Int) -> Int? {
    if let shape = forms.shape(of: value), shape.indices.contains(axis), let size = shape[axis] {
      return size
    }
    let origin = forms.origin(value)
    return original.inputs.first { $0.name == origin }?.size(axis)
  }

  /// Whether a number is the length of the steps, less those of the cache: `z.size(1) - 2`.
  private func isFromTheEnd(_ start: String, _ cache: Cache) -> Bool {
    var part = original
    part.nodes.removeAll { node in
      node.outputs.contains { $0 == cache.joined || $0 == cache.steps }
    }
    part.outputs = [start]
    part.dropUnneeded()
    guard part.nodes.count < 16 else { return false }
    return [11, 23].allSatisfy { length in
      func zeros(_ steps: Int) -> SourceTensor {
        var shape = Array(repeating: 1, count: cache.rank)
        shape[cache.axis] = steps
        return SourceTensor(repeating: 0, shape: shape)
      }
      var interpreter = GraphInterpreter(
        opset: original.opset,
        inputs: [cache.joined: zeros(length), cache.steps: zeros(length - cache.count)])
      do throws(ImportError) { try interpreter.run(part) } catch { return false }
      return interpreter.values[start]?.integers == [length - cache.count]
    }
  }

  private mutating func padding(
    _ node: SourceNode, rank: Int, axis: Int, count: Int, as output: String
  ) -> SourceNode {
    var pads = Array(repeating: 0, count: 2 * rank)
    pads[axis] = count
    if graph.opset < 11 {
      return SourceNode(
        name: node.name, op: "Pad", inputs: [node.inputs[1]], outputs: [output],
        attributes: ["pads": .integers(pads), Self.mark: .integer(1)])
    }
    graph.constants["\(output)/pads"] = SourceConstant(SourceTensor(integers: pads))
    return SourceNode(
      name: node.name, op: "Pad", inputs: [node.inputs[1], "\(output)/pads"], outputs: [output],
      attributes: [Self.mark: .integer(1)])
  }
}
