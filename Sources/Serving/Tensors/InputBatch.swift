import Inference
import ModelFormat

/// The values of one input for all sequences of a request.
package struct InputColumn: Sendable {
  package var values: [InputSequence.Values]
  /// Whether many sequences were sent, be it one in an array.
  package var isArray: Bool
  /// Whether steps were written as bare numbers (or text), not as vectors.
  package var isFlat: Bool

  package init(values: [InputSequence.Values], isArray: Bool, isFlat: Bool) {
    self.values = values
    self.isArray = isArray
    self.isFlat = isFlat
  }
}

/// The sequences of a request, checked against their model: the one place where they are made.
package struct InputBatch: Sendable {
  package let sequences: [InputSequence]
  /// Whether the question was an array of sequences, be it of one: its answer is too.
  package let isArray: Bool
  /// Whether steps were written as bare numbers (or text), not as vectors: the answer's steps of one
  /// element are too.
  package let isFlat: Bool

  /// Why columns are no sequences of a model.
  package enum Flaw: Error, Equatable, Sendable {
    /// An input has other sequences than those before it: so many in an array, or one that is in none (nil).
    case sequenceCounts(input: String, found: Int?, expected: Int?)
    /// A sequence, by its place in the array, is none of the model's.
    case sequence(Int?, InputError)
  }

  /// - Parameter columns: one an input of the model, in the model's order.
  package init(_ columns: [InputColumn], for model: Model) throws(Flaw) {
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
      do { sequences.append(try InputSequence(columns.map { $0.values[index] }, for: model)) } catch
      {
        throw .sequence(first.isArray ? index : nil, error)
      }
    }
    self.init(
      sequences: sequences, isArray: first.isArray, isFlat: columns.allSatisfy(\.isFlat))
  }

  /// Sequences that are checked already.
  package init(sequences: [InputSequence], isArray: Bool, isFlat: Bool) {
    self.sequences = sequences
    self.isArray = isArray
    self.isFlat = isFlat
  }
}

extension InputBatch {
  /// Checks that the model takes the sequences with so many steps more, which the member at `path` asks for.
  package func checkLengths(with more: Int, path: String, for model: ServedModel) throws(Fault) {
    for sequence in sequences {
      do { try sequence.checkLength(with: more, for: model.graph.model) } catch {
        throw Fault(InputsError.input(path: path, error))
      }
    }
  }
}
