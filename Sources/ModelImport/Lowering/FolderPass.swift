import ModelFormat

/// Passes over a folder's nodes after translation.
struct FolderPass {
  typealias Node = ModelDescription.Node

  private(set) var nodes: [Node]
  private(set) var inputs: [FinishedGraph.Input]
  private(set) var outputs: [String]
  private var outputNames: [String: String]
  private let states: [String: String]
  /// Outputs with labels.
  private(set) var decoded: Set<String>
  private(set) var notes: [String] = []
  /// Inputs that became states of the sequence.
  private(set) var adopted: Set<String> = []
  /// The new names of nodes that were renamed.
  private(set) var renamed: [String: String] = [:]

  init(
    nodes: [Node], inputs: [FinishedGraph.Input], outputs: [String], outputNames: [String: String],
    states: [String: String], decoded: Set<String>
  ) {
    self.nodes = nodes
    self.inputs = inputs
    self.outputs = outputs
    self.outputNames = outputNames
    self.states = states
    self.decoded = decoded
  }

  /// The node that computes a value: h for `h.hidden`.
  private func owner(_ value: String, _ index: [String: Int]) -> Int? {
    if let found = index[value] { return found }
    for suffix in [".hidden", ".cell"] where value.hasSuffix(suffix) {
      return index[String(value.dropLast(suffix.count))]
    }
    return nil
  }

  private var index: [String: Int] {
    Dictionary(uniqueKeysWithValues: nodes.enumerated().map { ($0.element.name, $0.offset) })
  }

  // MARK: States

  /// If callers feed a network's final states back as initial states, makes them states of the sequence, and removes these
  /// inputs and outputs.
  ///
  /// - Parameter ranks: how many axes the outputs' arrays have in the source graph.
  mutating func adoptStates(ranks: [String: Int]) {
    let index = index
    var kept: Set<String> = []
    var candidates: [(input: String, nodes: Set<String>)] = []
    for input in inputs where input.form == .vector {
      // The input may lead only to initial states of recurrent nodes, through nodes that select elements.
      var ends: Set<String> = []
      if reach(input.name, into: &ends), !ends.isEmpty { candidates.append((input.name, ends)) }
    }
    let handed = HandedStates(
      nodes, inputs: inputs, outputs: outputs.map { ($0, ranks[$0] ?? 0) }, steps: Set(states.keys))
    candidates.removeAll { !handed.contains($0.input) }
    // A network of which a caller keeps one state keeps none itself.
    while let other = candidates.firstIndex(where: { candidate in
      let names = Set(candidates.map(\.input))
      return candidate.nodes.contains { hasOtherStates($0, than: names, index) }
    }) {
      candidates.remove(at: other)
    }
    let finals = finalStates()
    let changed = nodes.filter {
      answersChanged($0, given: Set(candidates.map(\.input)), finals, index)
    }
    candidates.removeAll { candidate in changed.contains { candidate.nodes.contains($0.name) } }
    guard !candidates.isEmpty else { return }
    var remaining: [String] = []
    for output in outputs {
      let sources = finalStates(output, finals, index)
      if let sources, candidates.contains(where: { !$0.nodes.isDisjoint(with: sources) }) {
        kept.formUnion(sources)
        notes.append(
          "the output \"\(outputNames[output] ?? output)\" \(Note.keptOutput)"
        )
      } else {
        remaining.append(output)
      }
    }
    let bound = candidates.filter { $0.nodes.isSubset(of: kept) }
    guard !bound.isEmpty, !remaining.isEmpty else {
      notes.removeAll()
      return
    }
    for (input, _) in bound {
      adopted.insert(input)
      notes.append(
        "the input \"\(inputs.first { $0.name == input }?.source ?? input)\" \(Note.keptInput)"
      )
    }
    outputs = remaining
    for position in nodes.indices where nodes[position].op.recurrent != nil {
      guard nodes[position].inputs.count > 1 else { continue }
      var arguments = nodes[position].inputs
      for slot in 1..<arguments.count {
        if let value = arguments[slot], isMade(of: value, adopted, index) { arguments[slot] = nil }
      }
      while arguments.count > 1, arguments[arguments.count - 1] == nil { arguments.removeLast() }
      nodes[position].inputs = arguments
    }
    inputs.removeAll { adopted.contains($0.name) }
  }

  private static func isChoice(_ node: Node) -> Bool {
    ["slice", "gather", "transpose"].contains(node.op.name)
  }

  /// Whether a value leads only to initial states; and the recurrent nodes that it leads to.
  private func reach(_ value: String, into ends: inout Set<String>) -> Bool {
    for node in nodes where node.inputs.contains(value) {
      if node.op.recurrent != nil, node.inputs.first != .some(value) {
        ends.insert(node.name)
      } else if Self.isChoice(node) {
        guard reach(node.name, into: &ends) else { return false }
      } else {
        return false
      }
    }
    return !outputs.contains(value)
  }

  /// Whether an input that is read elsewhere too makes an initial state of a recurrent node.
  private func hasOtherStates(
    _ node: String, than candidates: Set<String>, _ index: [String: Int]
  ) -> Bool {
    guard let at = index[node] else { return false }
    let others = Set(inputs.filter { $0.form == .vector }.map(\.name)).subtracting(candidates)
    let made = values(madeOf: others)
    return nodes[at].inputs.dropFirst().contains { $0.map { made.contains($0) } ?? false }
  }

  /// Whether a network answers one of its states as it is and another as something made of it, so that callers keep both.
  private func answersChanged(
    _ node: Node, given: Set<String>, _ finals: [String: Set<String>], _ index: [String: Int]
  ) -> Bool {
    guard node.op.recurrent != nil else { return false }
    // The steps are h too.
    let states = [["\(node.name).hidden", node.name], ["\(node.name).cell"]]
    let ends = states.enumerated().filter { slot, _ in
      node.inputs.indices.contains(slot + 1)
        && (node.inputs[slot + 1].map { isMade(of: $0, given, index) } ?? false)
    }.map(\.element)
    let whole = outputs.filter { finalStates($0, finals, index) != nil }
    let others = Set(outputs).subtracting(whole)
    return ends.contains { end in
      let made = values(madeOf: Set(end))
      return whole.allSatisfy { !made.contains($0) } && !made.isDisjoint(with: others)
    }
  }

  /// Values, and all that is made of them.
  private func values(madeOf sources: Set<String>) -> Set<String> {
    var made = sources
    for node in nodes where node.inputs.contains(where: { $0.map { made.contains($0) } ?? false }) {
      made.insert(node.name)
    }
    return made
  }

  /// Whether callers feed final states back in an input that leads to other nodes than those with the initial states too.
  func isStateReadElsewhere(_ input: String) -> Bool {
    var ends: Set<String> = []
    guard !reach(input, into: &ends) else { return false }
    let index = index
    let networks = nodes.filter { $0.op.recurrent != nil && begins($0, from: [input], index) }
    let finals = finalStates()
    let kept = outputs.compactMap { finalStates($0, finals, index) }.joined()
    return !Set(networks.map(\.name)).isDisjoint(with: kept)
  }

  /// Whether one of these inputs makes an initial state of a recurrent node.
  private func begins(_ node: Node, from sources: Set<String>, _ index: [String: Int]) -> Bool {
    node.inputs.dropFirst().contains { $0.map { isMade(of: $0, sources, index) } ?? false }
  }

  private func isMade(of value: String, _ sources: Set<String>, _ index: [String: Int]) -> Bool {
    if sources.contains(value) { return true }
    guard let at = index[value], Self.isChoice(nodes[at]), let source = nodes[at].inputs[0] else {
      return false
    }
    return isMade(of: source, sources, index)
  }

  /// The recurrent nodes whose final states make up each node that selects or joins such states alone.
  private func finalStates() -> [String: Set<String>] {
    let index = index
    var found: [String: Set<String>] = [:]
    for node in nodes {
      if states[node.name] != nil {
        found[node.name] = [node.name]
      } else if Self.isChoice(node) || node.op.name == "concat" {
        let sources = node.inputs.map { $0.flatMap { finalStates($0, found, index) } }
        guard sources.allSatisfy({ $0 != nil }) else { continue }
        found[node.name] = sources.reduce(into: []) { $0.formUnion($1 ?? []) }
      }
    }
    return found
  }

  /// The same of a value; nil if other values make it up too.
  private func finalStates(
    _ value: String, _ found: [String: Set<String>], _ index: [String: Int]
  ) -> Set<String>? {
    index[value] == nil ? owner(value, index).map { [nodes[$0].name] } : found[value]
  }

  // MARK: Pruning

  /// Keeps the nodes and inputs that lead to an output.
  mutating func prune() {
    let index = index
    var needed: Set<String> = []
    var pending = outputs
    while let value = pending.popLast() {
      let name = owner(value, index).map { nodes[$0].name } ?? value
      guard needed.insert(name).inserted, let at = index[name] else { continue }
      pending += (nodes[at].inputs + [nodes[at].mask]).compactMap { $0 }
    }
    nodes.removeAll { !needed.contains($0.name) }
    inputs.removeAll { !needed.contains($0.name) }
  }

  // MARK: Shifts

  /// Replaces a step of zeros at one end and a step less at the other by a shift, which is right for a single step too and can be
  /// computed step by step.
  mutating func fuseShifts() {
    let index = index
    for position in nodes.indices {
      guard let source = nodes[position].inputs.first ?? nil, let at = index[source],
        let shift = Self.shift(nodes[at].op, nodes[position].op)
      else { continue }
      nodes[position].op = .shift(steps: shift)
      nodes[position].inputs = nodes[at].inputs
    }
  }

  /// The shift that two ops make, one after the other; nil where they make something else.
  private static func shift(_ first: ModelDescription.Op, _ second: ModelDescription.Op) -> Int? {
    let ops = [first.definition, second.definition]
    guard let pad = ops.lazy.compactMap({ $0 as? PadStepsOp }).first,
      let slice = ops.lazy.compactMap({ $0 as? SliceStepsOp }).first,
      pad.mode ?? .constant == .constant, pad.value == 0, slice.stride == 1
    else { return nil }
    switch (pad.before, pad.after, slice.start, slice.end) {
    case (1, 0, 0, -1): return 1
    case (0, 1, 1, nil): return -1
    default: return nil
    }
  }

  // MARK: Biases

  /// Merges a shift after a linear node into the node's bias.
  mutating func fuseBiases(_ builder: inout FolderBuilder) {
    var uses: [String: Int] = [:]
    for output in outputs { uses[output, default: 0] += 1 }
    for node in nodes {
      for input in node.inputs + [node.mask] { if let input { uses[input, default: 0] += 1 } }
    }
    var index = index
    for position in nodes.indices.reversed() {
      let node = nodes[position]
      guard let affine = node.op.definition as? AffineOp, let source = node.inputs[0],
        let at = index[source],
        ["linear", "conv1d", "conv"].contains(nodes[at].op.name), uses[source] == 1,
        affine.scale == nil, builder.tensors["\(node.name).weight"] == nil,
        builder.tensors["\(source).bias"] == nil, let weight = builder.tensors["\(source).weight"]
      else { continue }
      let outputs = weight.shape[0]
      var bias = builder.floats("\(node.name).bias") ?? []
      if let shift = affine.shift {
        bias = shift.count == 1 ? Array(repeating: shift[0], count: outputs) : shift
      }
      guard bias.count == outputs else { continue }
      // The linear node takes the affine one's place and name.
      nodes[position] = Node(name: node.name, op: nodes[at].op, inputs: nodes[at].inputs)
      builder.set(tensor: "\(node.name).weight", shape: weight.shape, floats: weight.floats)
      builder.set(tensor: "\(node.name).bias", shape: [outputs], floats: bias)
      builder.removeTensors(of: source)
      nodes[at] = Node(name: "", op: .add, inputs: [])
      index[source] = nil
    }
    nodes.removeAll { $0.name.isEmpty }
  }

  // MARK: Attention

  /// Makes an op of the attention of each step to those of another input.
  mutating func fuseAttention(_ builder: inout FolderBuilder) throws(ImportError) {
    let sizes = inputs.map { input in
      (input.name, AttendedSteps.Input(axis: input.axis, size: input.size))
    }
    let attended = AttendedSteps(
      nodes, inputs: Dictionary(uniqueKeysWithValues: sizes), queries: Set(builder.queries.keys)
    ) { [tensors = builder.tensors] in tensors[$0] }
    if attended.nodes != nodes {
      nodes = attended.nodes
      for (name, tensor) in attended.tensors {
        builder.set(tensor: name, shape: tensor.shape, floats: tensor.floats)
      }
      prune()
    }
    let queries = builder.queries
    if let refusal = nodes.lazy.compactMap({ queries[$0.name] }).first { throw refusal }
  }

  // MARK: Names

  /// Gives each output its name in the source graph. If its value already has another output's name, adds a node that repeats
  /// the value.
  mutating func nameOutputs(_ builder: FolderBuilder) {
    var taken = Set(inputs.map(\.name) + nodes.map(\.name))
    for position in outputs.indices {
      let value = outputs[position]
      let wanted = FolderDraft.name(from: outputNames[value] ?? value)
      let isAgain = outputs[..<position].contains(value)
      if wanted == value, !isAgain { continue }
      var name = wanted
      var count = 2
      while taken.contains(name) {
        name = "\(wanted)_\(count)"
        count += 1
      }
      taken.insert(name)
      if let at = index[value], !outputs.dropFirst(position + 1).contains(value), !isAgain {
        rename(at, name, hasTensors: builder.hasTensors(of: value))
      } else {
        nodes.append(Node(name: name, op: .slice(), inputs: [value]))
      }
      outputs[position] = name
      if decoded.contains(value) { decoded.insert(name) }
    }
  }

  private mutating func rename(_ position: Int, _ name: String, hasTensors: Bool) {
    let old = nodes[position].name
    renamed[old] = name
    nodes[position].name = name
    if hasTensors, nodes[position].weights == nil { nodes[position].weights = old }
    for at in nodes.indices {
      if nodes[at].mask == old { nodes[at].mask = name }
      nodes[at].inputs = nodes[at].inputs.map { input in
        guard let input else { return nil }
        if input == old { return name }
        for suffix in [".hidden", ".cell"] where input == old + suffix { return name + suffix }
        return input
      }
    }
    for at in outputs.indices {
      for suffix in [".hidden", ".cell"] where outputs[at] == old + suffix {
        outputNames[name + suffix] = outputNames[outputs[at]]
        outputs[at] = name + suffix
      }
    }
  }
}
