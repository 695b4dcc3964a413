import ModelFormat

/// The rows of a value within a turn.
enum RowDomain: Sendable, Equatable {
  /// A row for each step of each rider, in the order of the `PackedLayout` of the value's axis.
  case steps
  /// A row for each rider, known when it boards: vector inputs, and values computed from them.
  case riders
  /// A row for each reported step: the final step of a rider that finishes, or all steps of a rider that asks for every step of
  /// an output computed from `last`.
  case reported
  /// A row for each rider that finishes: values that exist only at the end of a sequence.
  case ends
}

/// A node ready to run, with packed weights and resolved inputs. Immutable and shared by all threads.
final class GraphNode: Sendable {
  let op: any OpForward
  let inputs: [Model.ValueReference]
  /// The elements of a row.
  let size: Int
  let domain: RowDomain
  /// The axis of its value or, for a vector, of its inputs: an index in the model's `axes`.
  let axis: Int
  /// The axis of its value; 0 for a vector.
  let valueAxis: Int
  /// Recurrent networks: the layers whose final states are read by other nodes or outputs.
  let finalLayers: Set<Int>
  /// Recurrent networks: the values of the initial states; nil where they are zero.
  let initialHidden: Model.ValueReference?
  let initialCell: Model.ValueReference?
  /// The range of the node's floats in a rider's state; empty if it has none.
  let state: Range<Int>
  /// The mask that says which steps of the input count; nil for all.
  let mask: Model.ValueReference?
  /// The range in a rider's state of the floats for the node's mask.
  let maskState: Range<Int>
  /// The range in a rider's state of the value's last step so far; empty if nobody needs it beyond the turn that gave it.
  let lastStep: Range<Int>

  /// - Parameters:
  ///   - domain: the rows of its value.
  ///   - finalLayers: recurrent networks: the layers whose final states are read.
  ///   - state: the range of its floats in a rider's state.
  ///   - maskState: the range of the floats for its mask.
  ///   - lastStep: the range of the value's last step.
  init(
    _ node: Model.ResolvedNode, op: any OpForward, domain: RowDomain, finalLayers: Set<Int>,
    state: Range<Int>, maskState: Range<Int>, lastStep: Range<Int>
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
    self.lastStep = lastStep
  }
}

/// Facts about one of the model's inputs that a turn needs.
struct GraphInput: Sendable {
  let domain: RowDomain
  /// Its axis, an index in the model's `axes`; 0 for a vector.
  let axis: Int
}

/// What a turn has to know of a value that it reports: an output of the model or, behind these, a mask or what its decoder reads.
struct GraphAnswer: Sendable {
  let value: Model.ValueReference
  let domain: RowDomain
  let axis: Int
  /// Whether it has a row for each step.
  let isSequence: Bool
  /// The output that it is, or is the mask of: a question says which of its steps are wanted. Nil: all are.
  let output: Int?
}
