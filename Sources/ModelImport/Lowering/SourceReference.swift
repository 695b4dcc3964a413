/// The source graph of a folder, to compute in double precision what each of the folder's values should be.
package struct SourceReference: Sendable {
  let graph: SourceGraph
  /// The folder's inputs, with the shapes and axes of the source's.
  let inputs: [(name: String, value: CarriedValue)]
  /// Inputs that the folder does not have: constants, lengths, states.
  let others: [(name: String, shape: [Int], fill: Fill)]
  /// The values that are in both graphs, in the order of computation.
  let values: [(source: String, value: CarriedValue)]
  /// The sizes that stand in for a batch and for steps.
  let open: [Int: Atom]
  let isStepwise: Bool

  enum Fill: Sendable {
    case constant(SourceTensor)
    /// Zeros, or the number of steps.
    case zeros
    case steps(Int)
  }

  /// The expected value of the folder for one sequence, or why it isn't known.
  package struct Expected: Sendable {
    /// The value's name in the folder, and the name of the source node that computes it.
    package let name: String
    package let source: String
    /// Steps · elements, or the elements of a vector.
    package let numbers: [Double]
    package let hasSteps: Bool
  }

  /// The number of steps that a sequence must have; nil for any.
  package var fixedSteps: Int? {
    let fixed = inputs.flatMap { $0.value.timeAtoms }.filter { !$0.isOpen }.map(\.size)
    // A call of one step may read all of an encoder's.
    return isStepwise ? fixed.max() ?? 1 : fixed.first
  }

  /// The number of steps that a sequence of an input must have; nil for any.
  package func fixedSteps(of input: String) -> Int? {
    inputs.first { $0.value.node == input }?.value.timeAtoms.first { !$0.isOpen }?.size
  }

  /// Whether an input of the folder is true or false in the source.
  package func isBoolean(_ input: String) -> Bool {
    inputs.contains { $0.value.node == input && $0.value.kind == .boolean }
  }

  /// The steps of the exporter's example, for which the source's own graph is right in any case; nil if the file does not tell.
  package var exampleSteps: Int? {
    let atoms = inputs.flatMap { $0.value.timeAtoms }
    return atoms.lazy.compactMap { exampleSize($0) }.first
  }

  /// The size of an input's axis in the exporter's example: shapes of the source's graph may have it.
  private func exampleSize(_ atom: Atom) -> Int? {
    guard let origin = atom.origin, !atom.isDerived,
      let input = graph.inputs.first(where: { $0.name == origin.input }),
      input.example.indices.contains(origin.axis)
    else { return nil }
    return input.example[origin.axis]
  }

  /// The inputs that the source takes for a sequence of so many steps, in its order.
  package func exampleInputs(steps: Int) -> [ExampleInput] {
    let sizes = sizes(steps: steps)
    return graph.inputs.compactMap { input in
      let isWhole = input.kind != .float
      if let value = inputs.first(where: { $0.name == input.name })?.value {
        let shape = value.axes.map { $0.reduce(1) { $0 * (sizes[$1.size] ?? $1.size) } }
        return ExampleInput(
          name: input.name, shape: shape, node: value.node, isWhole: isWhole,
          stepAxis: value.stepsBehindElements,
          batchAxis: value.batchAxis)
      }
      guard let other = others.first(where: { $0.name == input.name }) else { return nil }
      let number: Double? =
        switch other.fill {
        case .constant(let tensor): tensor.count == 1 ? tensor.first : nil
        case .zeros: 0
        case .steps(let size): Double(sizes[size] ?? size)
        }
      return ExampleInput(
        name: input.name, shape: other.shape.map { sizes[$0] ?? $0 }, node: nil, number: number,
        isWhole: isWhole)
    }
  }

  /// The axis of the sequences in the source's array of an output; nil if there is none.
  package func batchAxis(ofOutput name: String) -> Int? {
    values.last { $0.value.node == name }?.value.batchAxis
  }

  /// The largest difference of a folder's numbers from those expected; of numbers above 1, relative to them.
  ///
  /// Where a mask is minus infinity, the folder has the lowest number. Of no number, as of a logarithm of one below 0, is none.
  package static func difference(
    of found: some Sequence<Float>, from expected: [Double]
  ) -> Double {
    var largest = 0.0
    for (a, b) in zip(found, expected) where Double(a) != b {
      if b == -.infinity, a == -Float.greatestFiniteMagnitude { continue }
      if a.isNaN, b.isNaN { continue }
      let difference = abs(Double(a) - b) / max(1, abs(b))
      largest = difference.isNaN ? .infinity : max(largest, difference)
    }
    return largest
  }

  /// The number of the source's outputs.
  package var outputCount: Int { graph.outputs.count }

  /// The expected values for a sequence with these inputs.
  ///
  /// An axis of one sequence may be dropped with others of size 1, as `squeeze()` does, so that its outputs are not found: then
  /// two are computed.
  package func values(
    for sequence: [String: [Float]], steps: Int
  ) throws(ImportError) -> [Expected] {
    let outputs = Set(values.map(\.source)).intersection(graph.outputs)
    func isWhole(_ found: [Expected]) -> Bool { outputs.isSubset(of: found.map(\.source)) }
    let hasOpenBatch = open.values.contains { $0.isOpen && $0.role == .batch }
    let one: [Expected]
    do throws(ImportError) { one = try values(for: sequence, steps: steps, batch: nil) } catch {
      guard hasOpenBatch, let two = try? values(for: sequence, steps: steps, batch: 2),
        isWhole(two)
      else { throw error }
      return two
    }
    if hasOpenBatch, !isWhole(one), let two = try? values(for: sequence, steps: steps, batch: 2),
      isWhole(two)
    {
      return two
    }
    return one
  }

  /// A number of steps with which the graph computes, as its windows may be longer than a few.
  package func computedSteps() -> Int {
    let tried = [ExampleInput.steps, 240, 2400, 24_000]
    return tried.first { steps in
      let zeros = inputs.map { input in
        let count = input.value.timeAtoms.isEmpty ? 1 : fixedSteps(of: input.value.node) ?? steps
        return (input.value.node, [Float](repeating: 0, count: input.value.size * count))
      }
      let found = try? values(
        for: Dictionary(zeros, uniquingKeysWith: { first, _ in first }), steps: steps)
      return found != nil
    } ?? ExampleInput.steps
  }

  /// - Parameter batch: the sequences of an open batch, all the same; nil: as in the exporter's example, or one.
  private func values(
    for sequence: [String: [Float]], steps: Int, batch: Int?
  ) throws(ImportError) -> [Expected] {
    var tensors: [String: SourceTensor] = [:]
    var sizes = sizes(steps: steps, batch: batch)
    // An input may have a number of steps of its own.
    for (_, value) in inputs where value.timeAtoms.count == 1 && value.timeAtoms[0].isOpen {
      guard let numbers = sequence[value.node] else { continue }
      sizes[value.timeAtoms[0].size] = numbers.count / max(value.size, 1)
    }
    for (name, value) in inputs {
      guard let numbers = sequence[value.node] else { continue }
      guard let tensor = foreign(numbers, value, sizes) else {
        throw ImportError(
          file: "", place: "input \"\(name)\"",
          problem:
            "found \(value.timeAtoms.count) axes of steps, expected one to make a sequence for")
      }
      tensors[name] = tensor
    }
    for (name, shape, fill) in others {
      let shape = shape.map { sizes[$0] ?? $0 }
      switch fill {
      case .constant(let tensor): tensors[name] = tensor
      case .zeros: tensors[name] = SourceTensor(repeating: 0, shape: shape)
      case .steps(let size):
        tensors[name] = SourceTensor(
          repeating: Double(sizes[size] ?? size), shape: shape, kind: .integer)
      }
    }
    var interpreter = GraphInterpreter(
      opset: graph.opset, inputs: tensors, budget: GraphInterpreter.checkBudget)
    try interpreter.run(graph)
    var expected: [Expected] = []
    for (source, value) in values {
      guard let tensor = interpreter.values[source], let numbers = local(tensor, value, sizes)
      else {
        continue
      }
      expected.append(
        Expected(
          name: value.node, source: source, numbers: numbers, hasSteps: value.form == .sequence))
    }
    return expected
  }

  /// The open sizes for one sequence of so many steps.
  private func sizes(steps: Int, batch: Int? = nil) -> [Int: Int] {
    var sizes: [Int: Int] = [:]
    for (_, value) in inputs {
      for atom in value.axes.joined() where atom.isOpen {
        sizes[atom.size] = atom.role == .batch ? batch ?? exampleSize(atom) ?? 1 : steps
      }
    }
    for (size, atom) in open where atom.isOpen && atom.role == .batch {
      sizes[size] = batch ?? exampleSize(atom) ?? 1
    }
    return sizes
  }

  /// The folder's numbers arranged as the source array; all sequences of a fixed batch get the same. Nil where they are not enough.
  private func foreign(
    _ numbers: [Float], _ value: CarriedValue, _ sizes: [Int: Int]
  ) -> SourceTensor? {
    func size(_ atom: Atom) -> Int { atom.isOpen ? sizes[atom.size] ?? atom.size : atom.size }
    let atoms = Array(value.axes.joined())
    let elementStrides = RowMajor.strides(value.elements.map(\.size))
    let strides = atoms.map { atom -> Int in
      switch atom.role {
      case .batch: 0
      case .time: value.size
      case .element: value.elements.firstIndex(of: atom).map { elementStrides[$0] } ?? 0
      }
    }
    let positions = RowMajor.positions(shape: atoms.map(size), strides: strides)
    guard positions.allSatisfy(numbers.indices.contains) else { return nil }
    return SourceTensor(
      shape: value.axes.map { $0.reduce(1) { $0 * size($1) } },
      kind: value.form == .tokens ? .integer : value.kind,
      elements: positions.map { Double(numbers[$0]) })
  }

  /// The numbers of the source array's first sequence, arranged as the folder's; nil if the shape is another.
  private func local(
    _ tensor: SourceTensor, _ value: CarriedValue, _ sizes: [Int: Int]
  ) -> [Double]? {
    guard tensor.rank == value.axes.count else { return nil }
    var (step, count): (Int?, Int) = (nil, 1)
    var elementSteps: [Atom: Int] = [:]
    let strides = RowMajor.strides(tensor.shape)
    for (axis, atoms) in value.axes.enumerated() {
      // The open atom of an axis has the size that the other atoms leave.
      let known = atoms.filter { !$0.isOpen }.reduce(1) { $0 * $1.size }
      let open = atoms.filter(\.isOpen)
      let times = open.filter { $0.role == .time }
      guard open.count <= 1 || open.contains(where: { $0.role == .batch }), known > 0 else {
        return nil
      }
      // Beside steps, a batch has its own size.
      let batches = times.isEmpty ? [] : open.filter { $0.role == .batch }
      let batch = batches.reduce(1) { $0 * (sizes[$1.size] ?? 1) }
      var stride = strides[axis]
      for atom in atoms.reversed() {
        var size = atom.size
        if atom.isOpen {
          size =
            atom.role == .batch && !times.isEmpty
            ? sizes[atom.size] ?? 1 : tensor.shape[axis] / (known * batch)
        }
        switch atom.role {
        case .batch: break
        case .time: (step, count) = (stride, size)
        case .element: elementSteps[atom] = stride
        }
        stride *= size
      }
      guard stride == strides[axis] * tensor.shape[axis] else { return nil }
    }
    var (shape, steps) = (value.elements.map(\.size), value.elements.map { elementSteps[$0] ?? 0 })
    if value.form == .sequence, let step {
      shape.insert(count, at: 0)
      steps.insert(step, at: 0)
    }
    return RowMajor.positions(shape: shape, strides: steps).map { tensor[$0] }
  }
}
