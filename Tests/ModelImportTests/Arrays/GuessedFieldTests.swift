import ModelFormat
import Testing

@testable import ModelImport

/// Conditional random fields that are recognised by their transitions.
@Suite struct GuessedFieldTests {
  /// An LSTM, a linear layer to as many labels as the transitions have, and these.
  private func table(labels: Int, _ fields: [(name: String, shape: [Int], floats: [Float])])
    -> WeightTable
  {
    var table = WeightTable(file: "m.pt")
    func add(_ name: String, _ shape: [Int], _ floats: [Float]? = nil) {
      let all = floats ?? Array(repeating: 0.5, count: shape.reduce(1, *))
      table.weights.append(.init(name: name, shape: shape, floats: all))
    }
    add("lstm.weight_ih_l0", [16, 3])
    add("lstm.weight_hh_l0", [16, 4])
    add("hidden2tag.weight", [labels, 4])
    add("hidden2tag.bias", [labels])
    for field in fields { add(field.name, field.shape, field.floats) }
    return table
  }

  /// Transitions of -10000 to one label and from another, at their places [to, from].
  private func transitions(_ size: Int, noneTo start: Int, noneFrom end: Int) -> [Float] {
    (0..<size * size).map { $0 / size == start || $0 % size == end ? -10000 : 0.25 }
  }

  private func field(_ table: WeightTable) throws -> (ModelDescription.Decode.CRF?, String) {
    let (description, notes) = try GraphGuess.description(of: table, name: "m")
    guard case .crf(let field)? = description.outputs[0].decode else { return (nil, "") }
    return (field, notes.first { $0.contains("conditional random field") } ?? "")
  }

  /// As PyTorch's tutorial and Flair write them, to row from column, and as NCRF++ does.
  @Test func transitionsWithAStartAndAnEnd() throws {
    let (tutorial, note) = try field(
      table(
        labels: 5, [("crf.transitions", [5, 5], transitions(5, noneTo: 3, noneFrom: 4))]))
    let found = try #require(tutorial)
    #expect(found.order == .toFrom && found.start == 3 && found.end == 4)
    #expect(found.weights == "crf" && note.contains("to row from column"))
    let (other, _) = try field(
      table(
        labels: 5, [("tagger.crf.transitions", [5, 5], transitions(5, noneTo: 4, noneFrom: 3))]))
    let turned = try #require(other)
    #expect(turned.order == .fromTo && turned.start == 3 && turned.end == 4)
    #expect(turned.weights == "tagger.crf")
  }

  /// The tutorial's transitions belong to the model itself.
  @Test func transitionsWithoutAPrefix() throws {
    var table = table(
      labels: 5, [("transitions", [5, 5], transitions(5, noneTo: 3, noneFrom: 4))])
    GuessedField.nameTransitions(&table)
    #expect(try field(table).0?.weights == "crf")
  }

  /// What nothing forbids does not tell its start: the refusal shows no name of a recurrent layer's for it.
  @Test func otherTransitionsAreRefused() {
    let matrix: [Float] = Array(repeating: 0.25, count: 25)
    let error = #expect(throws: ImportError.self) {
      try field(table(labels: 5, [("crf.transitions", [5, 5], matrix)]))
    }
    #expect(error?.problem.contains("crf.transitions") == true)
    #expect(error?.remedy?.contains("\"crf.transitions\": \"lstm") == false)
    #expect(error?.remedy?.contains("\"weights\": \"crf\", \"order\"") == true)
  }

  /// A field in a file of its own, whose network was exported without it.
  @Test func aFieldAloneIsRefusedWithWhereItGoes() {
    var table = WeightTable(file: "crf.npz")
    for name in ["start_transitions", "end_transitions", "transitions"] {
      let shape = name == GuessedField.transitions ? [5, 5] : [5]
      table.weights.append(
        .init(name: name, shape: shape, floats: Array(repeating: 0.5, count: shape.reduce(1, *))))
    }
    GuessedField.nameTransitions(&table)
    let error = #expect(throws: ImportError.self) {
      try GraphGuess.description(of: table, name: "m")
    }
    #expect(error?.problem.contains("without a network") == true, "\(String(describing: error))")
    #expect(error?.remedy?.contains("'FOLDER/model.safetensors'") == true)
  }

  /// AllenNLP's mask of the allowed transitions: from rows to columns, with the start and the end behind the labels.
  @Test func constraintsForbid() throws {
    let allowed: [Float] = [
      1, 0, 1, 0, 1,  // from the first label
      1, 1, 1, 0, 0,
      1, 1, 1, 0, 1,
      1, 0, 1, 0, 0,  // from the start
      0, 0, 0, 0, 0,
    ]
    var table = table(
      labels: 3,
      [
        ("crf.transitions", [3, 3], (0..<9).map { Float($0) }),
        ("crf._constraint_mask", [5, 5], allowed), ("crf.start_transitions", [3], [1, 2, 3]),
        ("crf.end_transitions", [3], [4, 5, 6]),
      ])
    GuessedField.applyConstraints(&table)
    #expect(table["crf.transitions"]?.floats == [0, -10000, 2, 3, 4, 5, 6, 7, 8])
    #expect(table["crf.start_transitions"]?.floats == [1, -10000, 3])
    #expect(table["crf.end_transitions"]?.floats == [4, -10000, 6])
    #expect(table["crf._constraint_mask"] == nil && table.notes.count == 1)
    #expect(try field(table).0?.order == .fromTo)
  }
}
