import ModelFormat

/// Which rows a value has within a turn.
enum RowDomain: Sendable, Equatable {
  /// A row a step of each rider, as the PackedLayout of the value's steps places them.
  case steps
  /// A row a rider, known from its boarding on: the model's vector inputs and what is computed from them.
  case riders
  /// A row a reported step: the final one of a rider that finishes, or all of a rider's that asks for every step of an
  /// output that is computed from `last`.
  case reported
  /// A row a rider that finishes: what exists at the end of a sequence only.
  case ends
}

/// A node ready to run: its weights packed, its inputs found. One object, which every turn of every thread reads.
final class GraphNode: Sendable {
  let op: any OpForward
  let inputs: [Model.ValueReference]
  /// Elements a row.
  let size: Int
  let domain: RowDomain
  /// The steps of its value or, of a vector, of its inputs: an index in the model's `axes`.
  let axis: Int
  /// The steps of its value alone; 0 of a vector.
  let valueAxis: Int
  /// Of a recurrent network, the layers whose final states something reads.
  let finalLayers: Set<Int>
  /// Of a recurrent network, where its initial states come from; nil where they are zero.
  let initialHidden: Model.ValueReference?
  let initialCell: Model.ValueReference?
  /// Where the node's floats lie in a rider's state; empty where it has none.
  let state: Range<Int>
  /// Says which steps of its input count; nil for all.
  let mask: Model.ValueReference?
  /// Likewise, what the node keeps for its mask.
  let maskState: Range<Int>

  /// - Parameters:
  ///   - domain: the rows of its value.
  ///   - finalLayers: of a recurrent network, the layers whose final states something reads.
  ///   - state: where its floats lie in a rider's state.
  ///   - maskState: where those lie that it keeps for its mask.
  init(
    _ node: Model.ResolvedNode, op: any OpForward, domain: RowDomain, finalLayers: Set<Int>,
    state: Range<Int>, maskState: Range<Int>
  ) {
    self.op = op
    inputs = node.inputs
    size = node.size
    self.domain = domain
    axis = node.axis ?? 0
    valueAxis = if case .sequence = node.form { axis } else { 0 }
    self.finalLayers = finalLayers
    initialHidden = node.initialHidden
    initialCell = node.initialCell
    self.state = state
    mask = node.mask
    self.maskState = maskState
  }
}

/// What a turn has to know of one of the model's inputs.
struct GraphInput: Sendable {
  let domain: RowDomain
  /// Its steps: an index in the model's `axes`; 0 of a vector.
  let axis: Int
}

/// What a turn has to know of a value that it reports: an output of the model or, behind these, a mask or what its decoder reads.
struct GraphAnswer: Sendable {
  let value: Model.ValueReference
  let domain: RowDomain
  let axis: Int
  /// Whether it is a row a step.
  let isSequence: Bool
  /// The output that it is, or is the mask of: a question says which of its steps are wanted. Nil: all are.
  let output: Int?
}
