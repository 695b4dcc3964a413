import ModelFormat

/// An op ready to run: computes a node's value in a turn.
///
/// An op is a file with a struct of this protocol, and a row in `OpTable`; its name, attributes and shape rule are a file
/// in `ModelFormat`. A row's result depends only on that row's values and, over time, on its own sequence; it has the same
/// bits on every machine. So ops use plain floating-point operations in a fixed order, and the routines of `CKernels`.
protocol OpForward: Sendable {
  associatedtype Definition: OpDefinition

  /// Reads and packs the weights of a node.
  init(_ op: Definition, _ weights: NodeWeights) throws(ModelError)

  /// The bytes of the op's weights in memory.
  var byteCount: Int { get }
  /// Recurrent networks: the bytes of the largest recurrent matrix.
  var largestRecurrentByteCount: Int { get }
  /// Whether the op needs every step of a sequence at once.
  var needsWholeSequence: Bool { get }
  /// Whether the op's state holds sums over the steps (`PreciseSum`).
  var addsOverTime: Bool { get }

  /// The domain of the op's value, for inputs with these domains.
  func domain(of inputs: [RowDomain]) -> RowDomain
  /// The op's floats in the state of a sequence that has done no step, for a node of this size; empty if the op keeps
  /// nothing.
  func initialState(size: Int) -> [Float]
  /// The floats that a node with a mask has in addition, before the first step.
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

  /// The domain of an op that works row by row: steps if an input has steps (other inputs are repeated), else the domain of the
  /// input that is known last.
  func domain(of inputs: [RowDomain]) -> RowDomain {
    inputs.first { $0 == .steps } ?? inputs.first { $0 == .ends } ?? inputs.first {
      $0 == .reported
    } ?? inputs[0]
  }

  func initialState(size: Int) -> [Float] { [] }
  func maskState(size: Int) -> [Float] { [] }
}

/// An op that changes each row of its only input in place.
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

/// Reads a node's tensors; has the precision and kernels for its weights.
struct NodeWeights {
  let node: Model.ResolvedNode
  let tensors: TensorFile
  /// The precision of a recurrent network's weights.
  let precision: Precision
  /// The kernels that will use the weights.
  let kernels: Kernels

  /// The prefix of the names of the node's tensors.
  var prefix: String { node.weights ?? node.name }

  /// A tensor's elements, by its name after the prefix.
  func required(_ name: String) throws(ModelError) -> [Float] {
    try tensors.floats(tensorName(name, under: prefix))
  }

  /// The elements of an optional tensor; nil if the tensor is absent.
  func optional(_ name: String) throws(ModelError) -> [Float]? {
    tensors.contains(tensorName(name, under: prefix)) ? try required(name) : nil
  }
}
