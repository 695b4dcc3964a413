import JSON
import ModelFormat

extension FolderDraft {
  /// Ops whose elements are those of their input, selected and moved.
  private static let selections: Set = [
    SliceOp.name, GatherOp.name, TransposeOp.name, SliceStepsOp.name, ReverseOp.name, FirstOp.name,
    LastOp.name,
  ]

  /// Whether a value's elements are an input's, selected and moved.
  func isSelected(_ value: String, from inputs: [String]) -> Bool {
    guard !inputs.contains(value) else { return true }
    guard let node = description.nodes.last(where: { $0.name == value }),
      Self.selections.contains(node.op.name), let source = node.inputs[0]
    else { return false }
    return isSelected(source, from: inputs)
  }

  /// Tells of inputs whose numbers are ids, among others, or make ids.
  mutating func noteTables() {
    for input in description.inputs {
      guard let use = tableUse(of: input.name) else { continue }
      let name = input.name.jsonExcerpt
      let last = use.rows - 1
      notes.append(
        use.isComputed
          ? "of numbers of the input \(name) the model makes ids, from 0 to \(last) for the smallest table: a question that makes others has no finite answer"
          : last > 0
            ? "numbers of the input \(name) are ids, from 0 to \(last) for the smallest table: a question with others has no finite answer"
            : "a number of the input \(name) is an id of a table of one row, 0: a question with others has no finite answer"
      )
    }
  }

  /// How many numbers of an input, from 0 on, are ids: the rows of the smallest table from which they choose; 2 where ids are made
  /// of them; nil where neither is so.
  package func tableRows(of input: String) -> Int? {
    tableUse(of: input).map { $0.isComputed ? min(2, $0.rows) : $0.rows }
  }

  /// The smallest table from which an input's numbers choose, or numbers that are made of them; nil if there is none.
  private func tableUse(of input: String) -> (rows: Int, isComputed: Bool)? {
    var (selected, computed): (Set<String>, Set<String>) = ([input], [])
    var (chosen, made): (Int?, Int?)
    for node in description.nodes {
      let sources = Set(node.inputs.compactMap { $0 })
      let isSelected = !sources.isDisjoint(with: selected)
      guard isSelected || !sources.isDisjoint(with: computed) else { continue }
      if isSelected, Self.selections.contains(node.op.name) {
        selected.insert(node.name)
      } else if WholeNumbers.keeping.contains(node.op.name) || node.op.name == AffineOp.name {
        computed.insert(node.name)
      }
      let table = tensorName("weight", under: node.weights ?? node.name)
      guard node.op.name == LookupOp.name,
        let count = tensors.first(where: { $0.name == table })?.shape.first
      else { continue }
      if isSelected {
        chosen = min(chosen ?? count, count)
      } else {
        made = min(made ?? count, count)
      }
    }
    return chosen.map { ($0, false) } ?? made.map { ($0, true) }
  }
}
