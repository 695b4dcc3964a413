import ModelFormat

/// An op ready to run: what a node of it computes in a turn.
///
/// An op is a file with a struct of this protocol, and a row in `OpTable`. Its name, attributes and shape rule are a file
/// in `ModelFormat`. A row's result depends on that row's values and, over time, on its sequence's alone, to the bit, on
/// every machine: plain floating-point operations in one order, and the routines of `CKernels`.
protocol OpForward: Sendable {
  associatedtype Definition: OpDefinition

  /// Reads and packs the weights of a node.
  init(_ op: Definition, _ weights: NodeWeights) throws(ModelError)

  /// Bytes of weights as the op holds them.
  var byteCount: Int { get }
  /// Of a recurrent network, bytes of its largest recurrent matrix.
  var largestRecurrentByteCount: Int { get }
  /// Whether the op needs every step of a sequence at once.
  var needsWholeSequence: Bool { get }
  /// Whether the op's state holds sums over the steps (`PreciseSum`).
  var addsOverTime: Bool { get }

  /// The rows of the op's value, whose inputs have those.
  func domain(of inputs: [RowDomain]) -> RowDomain
  /// What a sequence's state holds for a node of that size before the first step; empty where nothing is kept.
  func initialState(size: Int) -> [Float]
  /// What it holds beside that where the node has a mask.
  func maskState(size: Int) -> [Float]

  /// Computes the node's value over the turn.
  func forward(
    _ node: NodeTurn, states: inout SeatStates, workspace: inout Workspace,
    into output: inout Matrix)
}

extension OpForward {
  var byteCount: Int { 0 }
  var largestRecurrentByteCount: Int { 0 }
  var needsWholeSequence: Bool { false }
  var addsOverTime: Bool { false }

  /// Of an op that works on each row by itself: the steps where an input has steps, at each of which its other inputs
  /// stand, else those of the input that is known last.
  func domain(of inputs: [RowDomain]) -> RowDomain {
    inputs.first { $0 == .steps } ?? inputs.first { $0 == .ends } ?? inputs.first {
      $0 == .reported
    } ?? inputs[0]
  }

  func initialState(size: Int) -> [Float] { [] }
  func maskState(size: Int) -> [Float] { [] }
}

/// An op that changes the rows of its one input in place, each by itself.
protocol RowForward: OpForward {
  func apply(to rows: inout Matrix, kernels: Kernels)
}

extension RowForward {
  func forward(
    _ node: NodeTurn, states: inout SeatStates, workspace: inout Workspace,
    into output: inout Matrix
  ) {
    output = node.operand(0, workspace)
    apply(to: &output, kernels: node.graph.kernels)
  }
}

/// Where a node's tensors are read, and how its weights are to be kept.
struct NodeWeights {
  let node: Model.ResolvedNode
  let tensors: TensorFile
  /// What a recurrent network's weights are kept as.
  let precision: Precision
  /// What will compute with them.
  let kernels: Kernels

  /// What stands before the names of the node's tensors.
  var prefix: String { node.weights ?? node.name }

  /// A tensor's elements, by its name behind the prefix.
  func required(_ name: String) throws(ModelError) -> [Float] {
    try tensors.floats(tensorName(name, under: prefix))
  }

  /// Likewise; nil where it is not there.
  func optional(_ name: String) throws(ModelError) -> [Float]? {
    tensors.contains(tensorName(name, under: prefix)) ? try required(name) : nil
  }
}
