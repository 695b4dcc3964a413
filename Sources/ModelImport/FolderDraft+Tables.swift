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

  /// Tells of inputs whose numbers are ids, among others.
  mutating func noteTables() {
    for input in description.inputs {
      guard let rows = tableRows(of: input.name) else { continue }
      let name = input.name.jsonExcerpt
      notes.append(
        rows > 1
          ? "numbers of the input \(name) are ids, from 0 to \(rows - 1) for the smallest table: a question with others has no finite answer"
          : "a number of the input \(name) is an id of a table of one row, 0: a question with others has no finite answer"
      )
    }
  }

  /// The rows of the smallest table from which an input's numbers choose; nil if they choose none.
  package func tableRows(of input: String) -> Int? {
    var (selected, rows): (Set<String>, Int?) = ([input], nil)
    for node in description.nodes {
      guard let source = node.inputs.first ?? nil, selected.contains(source) else { continue }
      if Self.selections.contains(node.op.name) { selected.insert(node.name) }
      let table = tensorName("weight", under: node.weights ?? node.name)
      guard node.op.name == LookupOp.name,
        let count = tensors.first(where: { $0.name == table })?.shape.first
      else { continue }
      rows = min(rows ?? count, count)
    }
    return rows
  }
}
