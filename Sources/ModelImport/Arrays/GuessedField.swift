import ModelFormat

/// A conditional random field behind a guessed chain, recognised by the names and values of its transitions.
struct GuessedField {
  /// The number of labels, with those that stand for a sequence's start and end.
  let labels: Int
  let decode: ModelDescription.Decode.CRF
  /// What the person should confirm.
  let note: String

  static let transitions = "transitions"

  /// Whether a tensor has the name of transitions between labels.
  static func isTransitions(_ name: String) -> Bool { name.hasSuffix(".\(transitions)") }

  /// Scores at or below this forbid a transition: libraries write -10000, and training hardly changes it.
  private static let forbidden: Float = -1000

  /// The field of the tensors that belong to no layer; nil if they are of something else, or of more than that.
  init?(_ others: [String], in table: WeightTable) {
    let suffix = ".\(Self.transitions)"
    guard let name = others.first(where: Self.isTransitions), let matrix = table[name],
      matrix.shape.count == 2, matrix.shape[0] == matrix.shape[1]
    else { return nil }
    let prefix = String(name.dropLast(suffix.count))
    labels = matrix.shape[0]
    var decode = ModelDescription.Decode.CRF()
    decode.weights = prefix
    if others.count == 1 {
      guard let (row, column) = Self.forbiddenLabels(matrix) else { return nil }
      // No transition leads to the start, or from the end; of the two labels the start is the first.
      decode.order = row < column ? .toFrom : .fromTo
      (decode.start, decode.end) = (min(row, column), max(row, column))
      let direction = row < column ? "to row from column" : "from row to column"
      note =
        "\(prefix) is taken for a conditional random field, its transitions \(direction), with the label \(min(row, column)) before a sequence and \(max(row, column)) behind it, as their scores of \(Int(matrix.floats[row * labels])) tell"
    } else {
      guard
        Set(others)
          == Set(
            ["start_transitions", "end_transitions", Self.transitions].map { "\(prefix).\($0)" })
      else { return nil }
      note =
        "\(prefix) is taken for a conditional random field, its transitions from row to column as pytorch-crf has them"
    }
    self.decode = decode
  }

  /// The only row and the only column whose scores forbid all transitions; nil if there are none or several.
  private static func forbiddenLabels(_ matrix: WeightTable.Weight) -> (row: Int, column: Int)? {
    let size = matrix.shape[0]
    let rows = (0..<size).filter { row in
      (0..<size).allSatisfy { matrix.floats[row * size + $0] <= forbidden }
    }
    let columns = (0..<size).filter { column in
      (0..<size).allSatisfy { matrix.floats[$0 * size + column] <= forbidden }
    }
    guard rows.count == 1, columns.count == 1, rows != columns else { return nil }
    return (rows[0], columns[0])
  }

  /// Gives transitions that belong to the model itself, as in PyTorch's tutorial, the prefix that they have here.
  static func nameTransitions(_ table: inout WeightTable) {
    guard !table.names.contains(where: { $0.hasPrefix("crf.") }) else { return }
    table.rename { $0 == transitions ? "crf.\(transitions)" : $0 }
  }

  /// Forbids the transitions that AllenNLP's mask of the allowed ones leaves out, and drops the mask. Its last row and column
  /// are those of the end, those before them the start's.
  static func applyConstraints(_ table: inout WeightTable) {
    let suffix = "._constraint_mask"
    for mask in table.weights where mask.name.hasSuffix(suffix) {
      let prefix = mask.name.dropLast(suffix.count)
      func place(_ part: String) -> Int? {
        table.weights.firstIndex { $0.name == "\(prefix).\(part)" }
      }
      guard let between = place(transitions), let labels = table.weights[between].shape.first,
        table.weights[between].shape == [labels, labels], mask.shape == [labels + 2, labels + 2]
      else { continue }
      func isAllowed(_ from: Int, _ to: Int) -> Bool { mask.floats[from * (labels + 2) + to] != 0 }
      for from in 0..<labels {
        for to in 0..<labels where !isAllowed(from, to) {
          table.weights[between].floats[from * labels + to] = 10 * forbidden
        }
      }
      if let start = place("start_transitions"), table.weights[start].shape == [labels] {
        for to in 0..<labels where !isAllowed(labels, to) {
          table.weights[start].floats[to] = 10 * forbidden
        }
      }
      if let end = place("end_transitions"), table.weights[end].shape == [labels] {
        for from in 0..<labels where !isAllowed(from, labels + 1) {
          table.weights[end].floats[from] = 10 * forbidden
        }
      }
      table.remove([mask.name])
      table.notes.append("\(prefix).\(transitions) forbids what \(mask.name) does")
    }
  }
}
