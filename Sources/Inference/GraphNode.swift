import ModelFormat

/// Which rows a value has within a turn.
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
  /// The number of elements of a row.
  let size: Int
  let domain: RowDomain
  /// The axis of the node's value or, for a vector, of the node's inputs: an index in the model's `axes`.
  let axis: Int
  /// The axis of the node's value; 0 for a vector.
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
  /// The range in a rider's state that keeps the value's last step so far; empty if no later turn reads it.
  let lastStep: Range<Int>

  /// - Parameters:
  ///   - domain: the rows of the node's value.
  ///   - finalLayers: recurrent networks: the layers whose final states are read.
  ///   - state: the range of the node's floats in a rider's state.
  ///   - maskState: the range of the floats for the node's mask.
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
  /// The input's axis, an index in the model's `axes`; 0 for a vector.
  let axis: Int
}

/// A value that a turn reports: an output of the model, the mask of an output, or a value that the decoder reads.
/// `ModelGraph.answers` lists them in this order.
struct ReportedValue: Sendable {
  let value: Model.ValueReference
  let domain: RowDomain
  let axis: Int
  /// Whether the value has a row for each step.
  let isSequence: Bool
  /// The output that this value is or masks: a question selects the steps of that output. Nil for a value that the
  /// decoder reads, of which every step is reported.
  let output: Int?
}

extension Model {
  /// For each node, the layers of a recurrent network whose final states are read.
  var finalLayers: [Int: Set<Int>] {
    var finals: [Int: Set<Int>] = [:]
    for reference in nodes.flatMap(\.inputs) + answers.map(\.value) {
      switch reference {
      case .hidden(let index, let layer), .cell(let index, let layer):
        finals[index, default: []].insert(layer)
      case .input, .node: break
      }
    }
    return finals
  }
}
