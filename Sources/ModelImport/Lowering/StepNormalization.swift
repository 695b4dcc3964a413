import ModelFormat

/// Normalisations over the steps of a sequence, or with weights for each step.
enum StepNormalization {
  /// Whether these atoms have steps, over which the norm goes then. Where no recurrent network read them yet, they may turn out to be
  /// elements: see ``confirm(_:)``.
  static func isThere(
    _ l: inout Lowering, _ node: SourceNode, _ value: CarriedValue, _ atoms: [Atom]
  ) -> Bool {
    let steps = atoms.filter { $0.role != .element }
    guard value.form == .sequence, steps.count == 1 else { return false }
    if l.examples.read(steps[0]) { return true }
    guard steps[0].role == .time, steps[0].origin != nil else { return false }
    l.examples.doubt(steps[0], node)
    return true
  }

  /// Asks that steps over which a norm goes are elements, where no recurrent network reads them step by step.
  static func confirm(_ l: inout Lowering) throws(ImportError) {
    guard let (atom, node) = l.examples.doubted else { return }
    throw l.requiring(atom, .element, or: refusal(node, atom))
  }

  /// What such a norm asks for where another node is refused, which may be since these are no steps.
  static func doubt(_ l: Lowering) -> Assumptions.Requirement? {
    l.examples.doubted?.atom.origin.map { .role($0, .element) }
  }

  /// The refusal of a norm over a batch, or over steps of which nothing says that they are some.
  static func refusal(_ node: SourceNode, _ atom: Atom) -> ImportError {
    node.refusal(
      "a normalisation over \(atom.role.rawValue)", because: "each step is normalised by itself")
  }

  /// (x − mean) / √(variance + epsilon), mean and variance over all steps and the elements `own`, for each of the others.
  static func normalised(
    _ l: inout Lowering, _ value: CarriedValue, over own: [Atom], epsilon: Double,
    _ node: SourceNode
  ) -> CarriedValue {
    let others = value.foreignOrder.filter { !own.contains($0) }
    let source = Layout.arranged(&l, value, others + own, node)
    let (channels, count) = (
      others.reduce(1) { $0 * $1.size }, own.reduce(1) { $0 * $1.size }
    )
    func mean(_ x: CarriedValue, _ l: inout Lowering) -> CarriedValue {
      var result =
        count == 1
        ? x : Layout.map(&l, x, .averagePool1D(channels: channels, kernel: count), node)
      result = Layout.map(&l, result, .mean, node)
      result.form = .vector
      result.elements = others
      return result
    }
    func combined(
      _ x: CarriedValue, _ op: ModelDescription.Op, _ vector: CarriedValue, _ l: inout Lowering
    ) -> CarriedValue {
      let wide = Layout.arranged(&l, vector, others + own, node)
      var result = x
      result.node = l.builder.emit(
        op, [x.node, wide.node], named: node.outputs.first ?? node.name)
      return result
    }
    let centred = combined(source, .subtract, mean(source, &l), &l)
    let variance = mean(Layout.map(&l, centred, .square, node), &l)
    let deviation = Layout.map(
      &l, Arithmetic.affine(&l, variance, shift: [epsilon], node), .sqrt, node)
    return combined(centred, .divide, deviation, &l)
  }

  /// `x · scale + shift` of constants that are broadcast against the value, perhaps with numbers for each step.
  static func scaled(
    _ l: inout Lowering, _ value: CarriedValue, _ scale: SourceTensor?, _ shift: SourceTensor?,
    _ node: SourceNode
  ) throws(ImportError) -> CarriedValue {
    var result = LoweredValue.carried(value)
    for (op, constant) in [("Mul", scale), ("Add", shift)] {
      guard let constant else { continue }
      result = try ElementwiseLowering.binary(&l, node, op, result, .constant(constant))
    }
    guard case .carried(let scaled) = result else { return value }
    return scaled
  }

  /// LayerNorm over steps and elements, whose weights are of one number of steps.
  static func layer(
    _ l: inout Lowering, _ node: SourceNode, _ value: CarriedValue, axis: Int
  ) throws(ImportError) -> CarriedValue {
    let atoms = value.axes[axis...].joined()
    let weights = [try l.constant(node, 1, "weights"), try l.constant(node, 2, "weights")]
    for (axis, count) in zip(value.axes[axis...], weights[0]?.shape ?? []) {
      let refusal = node.refusal(
        "an open number of steps", because: "there are weights for \(count) of them")
      if let error = ExampleLength.require(&l, axis, count: count, or: refusal) { throw error }
    }
    try ExampleLength.keep(&l, Array(atoms), node, "has numbers for each step")
    let shape = Array(value.shape[axis...])
    let size = shape.reduce(1, *)
    var tensors: [SourceTensor?] = []
    for tensor in weights {
      guard tensor?.count ?? size == size else {
        throw node.refusal(
          "weights of \(tensor?.shape ?? [])", because: "\(size) numbers are normalised")
      }
      tensors.append(tensor?.reshaped(shape))
    }
    let own = atoms.filter { $0.role == .element }
    let result = normalised(
      &l, value, over: own, epsilon: node.float("epsilon") ?? 1e-5, node)
    return try scaled(&l, result, tensors[0], tensors[1], node)
  }

  /// Groups of channels, normalised over their steps: GroupNorm and InstanceNorm of [batch, channels, steps].
  static func groups(
    _ l: inout Lowering, _ node: SourceNode, _ value: CarriedValue, count: Int
  ) throws(ImportError) -> CarriedValue {
    let channels = value.shape[1]
    let (scale, shift) = (try l.constant(node, 1, "a scale"), try l.constant(node, 2, "a bias"))
    guard count > 0, channels % count == 0, value.axes[1].allSatisfy({ $0.role == .element }),
      scale?.count ?? channels == channels, shift?.count ?? channels == channels
    else {
      throw node.refusal(
        "\(count) groups of \(value.shape)", because: "each group has as many channels",
        instead: "transpose before the norm: it takes [batch, channels, steps]")
    }
    let shape = value.shape
    var parts = shape
    parts.replaceSubrange(1...1, with: [count, channels / count])
    var result = try ShapeLowering.reshaped(&l, value, to: parts, node)
    let own = result.axes[2...].joined().filter { $0.role == .element }
    result = normalised(&l, result, over: own, epsilon: node.float("epsilon") ?? 1e-5, node)
    result = try ShapeLowering.reshaped(&l, result, to: shape, node)
    let wide = [1, channels] + Array(repeating: 1, count: shape.count - 2)
    return try scaled(&l, result, scale?.reshaped(wide), shift?.reshaped(wide), node)
  }
}
