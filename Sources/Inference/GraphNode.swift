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

/// A node ready to run: its weights packed, its inputs found.
struct GraphNode: Sendable {
  let op: any OpForward
  let inputs: [Model.ValueReference]
  /// Elements a row.
  let size: Int
  let domain: RowDomain
  /// The steps of its value or, of a vector, of its inputs: an index in the model's `axes`.
  let axis: Int
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
}
