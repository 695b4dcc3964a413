import Inference
import ModelFormat

/// The values of one input for all sequences of a request.
package struct InputColumn: Sendable {
  package var values: [InputSequence.Values]
  /// Whether the client sent an array of sequences, even of one.
  package var isArray: Bool
  /// Whether the client wrote steps as single numbers (or text), not as vectors.
  package var isFlat: Bool

  package init(values: [InputSequence.Values], isArray: Bool, isFlat: Bool) {
    self.values = values
    self.isArray = isArray
    self.isFlat = isFlat
  }
}

/// The sequences of a request, checked against their model.
package struct InputBatch: Sendable {
  package let sequences: [InputSequence]
  /// Whether the client sent an array of sequences, even of one; the answer is then an array too.
  package let isArray: Bool
  /// Whether the client wrote steps as single numbers (or text), not as vectors; the answer's steps of one
  /// element are then single numbers too.
  package let isFlat: Bool

  /// Why columns don't make sequences of a model.
  package enum Flaw: Error, Equatable, Sendable {
    /// An input has another number of sequences than the inputs before it; nil is one sequence outside an array.
    case sequenceCounts(input: String, found: Int?, expected: Int?)
    /// The sequence at this index of the array (nil: outside an array) does not fit the model.
    case sequence(Int?, InputError)
  }

  /// - Parameters:
  ///   - columns: one for each input of the model, in the model's order.
  ///   - mayContinue: whether sequences may go on from a state. If so, the caller checks by `checkStart` those that don't.
  package init(
    _ columns: [InputColumn], for model: Model, mayContinue: Bool = false
  ) throws(Flaw) {
    let first = columns[0]
    for (index, column) in columns.enumerated().dropFirst()
    where column.isArray != first.isArray || column.values.count != first.values.count {
      throw .sequenceCounts(
        input: model.description.inputs[index].name,
        found: column.isArray ? column.values.count : nil,
        expected: first.isArray ? first.values.count : nil)
    }
    var sequences: [InputSequence] = []
    sequences.reserveCapacity(first.values.count)
    for index in first.values.indices {
      do {
        sequences.append(
          try InputSequence(
            columns.map { $0.values[index] }, for: model, mayContinue: mayContinue))
      } catch { throw .sequence(first.isArray ? index : nil, error) }
    }
    self.init(
      sequences: sequences, isArray: first.isArray, isFlat: columns.allSatisfy(\.isFlat))
  }

  /// A batch of sequences that are already checked.
  package init(sequences: [InputSequence], isArray: Bool, isFlat: Bool) {
    self.sequences = sequences
    self.isArray = isArray
    self.isFlat = isFlat
  }
}

extension InputBatch {
  /// Checks that a sequence that goes on from no state has as many steps as the model needs.
  package func checkStart(of index: Int, for model: ServedModel) throws(Fault) {
    do { try sequences[index].checkStart(for: model.graph.model) } catch {
      throw Fault(InputsError(.sequence(isArray ? index : nil, error)))
    }
  }

  /// Checks that the model allows the sequences with `more` additional steps, which the member at `path` asks for.
  package func checkLengths(with more: Int, path: String, for model: ServedModel) throws(Fault) {
    for sequence in sequences {
      do { try sequence.checkLength(with: more, for: model.graph.model) } catch {
        throw Fault(InputsError.input(path: path, error))
      }
    }
  }
}
