/// An LSTM, GRU or RNN node of ONNX: its weights by direction and its attributes.
struct RecurrentCell {
  enum Kind: String {
    case lstm = "LSTM"
    case gru = "GRU"
    case rnn = "RNN"

    var gates: Int {
      switch self {
      case .lstm: 4
      case .gru: 3
      case .rnn: 1
      }
    }

    /// The default activations of a direction.
    var activations: [String] {
      switch self {
      case .lstm: ["Sigmoid", "Tanh", "Tanh"]
      case .gru: ["Sigmoid", "Tanh"]
      case .rnn: ["Tanh"]
      }
    }
  }

  struct Activation: Equatable {
    var name: String
    var alpha: Double?
    var beta: Double?
  }

  /// The index of a projection's input, after ONNX's own inputs.
  static let projectionInput = 8

  let kind: Kind
  let hiddenSize: Int
  let inputSize: Int
  /// The number of directions.
  let directions: Int
  let isReverse: Bool
  let isBatchFirst: Bool
  let clip: Double?
  let couplesForgetGate: Bool
  let resetsAfter: Bool
  /// A list for each direction.
  let activations: [[Activation]]
  /// For each direction, row-major: [gates · H, D], [gates · H, H], [2 · gates · H], [3H].
  let inputWeights: [[Double]]
  let recurrentWeights: [[Double]]
  let biases: [[Double]]?
  let peepholes: [[Double]]?
  /// The projections of h, [P, H]: PyTorch's `proj_size`, which ONNX's LSTM lacks.
  let projections: [[Double]]?
  /// The size of h: the number of units, or of the projection's rows.
  let outputSize: Int

  init(
    _ node: SourceNode, w: SourceTensor, r: SourceTensor, b: SourceTensor?, p: SourceTensor?,
    projection: SourceTensor? = nil
  ) throws(ImportError) {
    guard let kind = Kind(rawValue: node.op) else {
      throw node.refusal(node.op, because: "it is no recurrent network")
    }
    self.kind = kind
    let direction = node.text("direction", default: "forward")
    guard ["forward", "reverse", "bidirectional"].contains(direction) else {
      throw node.refusal(
        "the direction \(direction)", because: "forward, reverse and bidirectional are known")
    }
    directions = direction == "bidirectional" ? 2 : 1
    isReverse = direction == "reverse"
    isBatchFirst = node.integer("layout") == 1
    clip = node.float("clip")
    couplesForgetGate = node.integer("input_forget", default: 0) != 0
    resetsAfter = node.integer("linear_before_reset", default: 0) != 0
    guard r.rank == 3, w.rank == 3, w.shape[0] == directions, r.shape[0] == directions else {
      throw node.refusal(
        "W of \(w.shape) and R of \(r.shape)", because: "each has \(directions) matrices here")
    }
    if let projection {
      guard kind == .lstm, projection.rank == 3, projection.shape[0] == directions,
        projection.shape[1] == r.shape[2]
      else {
        throw node.refusal(
          "a projection of \(projection.shape)",
          because: "an LSTM may have one, [\(directions), \(r.shape[2]), hidden_size] here")
      }
    }
    let size = projection?.shape[2] ?? r.shape[2]
    let rows = kind.gates * size
    hiddenSize = size
    outputSize = r.shape[2]
    inputSize = w.shape[2]
    guard size > 0, w.shape[1] == rows, r.shape[1] == rows,
      node.integer("hidden_size", default: size) == size
    else {
      throw node.refusal(
        "W of \(w.shape), R of \(r.shape), hidden_size \(node.integer("hidden_size") ?? size)",
        because:
          "W is [directions, \(kind.gates) · hidden_size, input_size], R [directions, \(kind.gates) · hidden_size, hidden_size]",
        instead: kind == .lstm ? Remedy.projection : nil)
    }
    if let b, b.shape != [directions, 2 * rows] {
      throw node.refusal("B of \(b.shape)", because: "B is [\(directions), \(2 * rows)] here")
    }
    if let p, p.shape != [directions, 3 * size] {
      throw node.refusal("P of \(p.shape)", because: "P is [\(directions), \(3 * size)] here")
    }
    inputWeights = Self.parts(w, directions)
    recurrentWeights = Self.parts(r, directions)
    biases = b.map { [directions] in Self.parts($0, directions) }
    peepholes = p.map { [directions] in Self.parts($0, directions) }
    projections = projection.map { [directions] in Self.parts($0, directions) }
    activations = try Self.activations(node, kind, directions)
  }

  private static func parts(_ tensor: SourceTensor, _ directions: Int) -> [[Double]] {
    let (elements, size) = (tensor.dense, tensor.count / directions)
    return (0..<directions).map { Array(elements[$0 * size..<($0 + 1) * size]) }
  }

  private static func activations(
    _ node: SourceNode, _ kind: Kind, _ directions: Int
  ) throws(ImportError) -> [[Activation]] {
    let each = kind.activations.count
    let names =
      node.texts("activations")
      ?? Array(repeating: kind.activations, count: directions).flatMap { $0 }
    guard names.count == each * directions else {
      throw node.refusal(
        "\(names.count) activations", because: "\(node.op) has \(each) a direction")
    }
    // The values belong, in order, to the activations with parameters.
    var alphas = (node.floats("activation_alpha") ?? [])[...]
    var betas = (node.floats("activation_beta") ?? [])[...]
    var all: [Activation] = []
    for name in names {
      let plain = name.lowercased()
      let takesAlpha = [
        "affine", "leakyrelu", "thresholdedrelu", "scaledtanh", "hardsigmoid", "elu",
      ].contains(plain)
      let takesBeta = ["affine", "scaledtanh", "hardsigmoid"].contains(plain)
      all.append(
        Activation(
          name: plain, alpha: takesAlpha ? alphas.popFirst() : nil,
          beta: takesBeta ? betas.popFirst() : nil))
    }
    guard alphas.isEmpty || alphas.allSatisfy({ $0 == 0 }),
      betas.isEmpty || betas.allSatisfy({ $0 == 0 })
    else {
      throw node.refusal(
        "\(alphas.count) values of activation_alpha and \(betas.count) of activation_beta too many",
        because: "the activations \(names) take fewer")
    }
    return (0..<directions).map { Array(all[$0 * each..<($0 + 1) * each]) }
  }
}
