import ModelFormat

/// Makes a model folder from tensors without a graph: by a graph that is given, or by a guess.
struct WeightsImport {
  let request: ImportRequest

  func draft(_ tables: [(stem: String, table: WeightTable)]) throws(ImportError) -> FolderDraft {
    var table = WeightTable.joined(tables)
    if let names = request.names {
      try NameMap(try SourceFile(path: names)).apply(to: &table)
    }
    if KerasNames.areThere(in: table) { try KerasNames.convert(&table) }
    TorchNames.unwrap(&table)
    Reparametrizations.merge(&table)
    TorchNames.readDroppedWeights(&table)
    TorchNames.numberCells(&table)
    GuessedField.applyConstraints(&table)
    var short = table
    let isShorter = TorchNames.removeSharedPrefixes(&short)
    guard let graph = request.graph else {
      let name = request.name ?? tables[0].stem
      GuessedField.nameTransitions(&short)
      let (description, notes) = try GraphGuess.description(of: short, name: name)
      var draft = try GraphFit(description: description, graphFile: nil).draft([short])
      draft.notes += notes
      CheckpointTexts.add(table.texts, to: &draft, beside: request)
      return draft
    }
    var description: ModelDescription
    do { description = try ModelDescription(path: graph) } catch {
      throw ImportError(file: graph, error)
    }
    if let name = request.name { description.name = FolderDraft.name(from: name) }
    var draft = try GraphFit(description: description, graphFile: graph)
      .draft(isShorter ? [short, table] : [table])
    CheckpointTexts.add(table.texts, to: &draft, beside: request)
    return draft
  }
}
