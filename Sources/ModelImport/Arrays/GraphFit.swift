import ModelFormat

/// Fits the tensors of a file to a graph: finds the tensors of its nodes, and makes a model folder.
struct GraphFit {
  let description: ModelDescription
  /// The file of `--graph`; nil for a guessed graph.
  let graphFile: String?

  /// The folder with the tensors that the graph reads.
  ///
  /// - Parameter tables: the same tensors under different conventions of names; the table in which the graph's nodes find
  ///   most of their tensors is used.
  func draft(_ tables: [WeightTable]) throws(ImportError) -> FolderDraft {
    var best: (table: WeightTable, found: Int)?
    for table in tables {
      let found = nodesFound(in: table)
      if let best, best.found >= found { continue }
      best = (table, found)
    }
    guard let table = best?.table else {
      preconditionFailure("there is at least one table")
    }
    return try draft(table)
  }

  private func nodesFound(in table: WeightTable) -> Int {
    description.nodes.count { node in
      let prefix = node.weights ?? node.name
      return table.names.contains {
        prefix.isEmpty ? !$0.contains(".") : $0.hasPrefix("\(prefix).")
      }
    }
  }

  private func draft(_ table: WeightTable) throws(ImportError) -> FolderDraft {
    let model: Model
    do {
      // Values that are not finite are refused below, if the graph reads them.
      let tensors = table.weights.map { weight in
        (
          name: weight.name, shape: weight.shape,
          floats: weight.floats.allSatisfy(\.isFinite)
            ? weight.floats : weight.floats.map { $0.isFinite ? $0 : 0 }
        )
      }
      model = try Model(
        description: description, tensors: try TensorFile(bytes: try TensorFile.serialize(tensors)))
    } catch {
      throw ImportError(
        file: table.file, place: graphFile.map { "against \($0)" }, problem: "\(error)",
        remedy: "the file's tensors are \(excerpt(table.weights.map { "\($0.name) \($0.shape)" }))")
    }
    var draft = FolderDraft(description: description)
    draft.notes = table.notes
    let used = Set(table.names).subtracting(model.unusedTensors)
    for weight in table.weights where used.contains(weight.name) {
      if let index = weight.floats.firstIndex(where: { !$0.isFinite }) {
        throw ImportError(
          file: table.file, place: weight.name,
          problem: "element \(index) is \(weight.floats[index]), expected finite weights",
          remedy: "the training may have diverged; an earlier checkpoint may hold finite ones")
      }
      draft.add(tensor: weight.name, shape: weight.shape, weight.floats)
    }
    let unread = table.names.filter { !used.contains($0) }
    if !unread.isEmpty { draft.notes.append("no node reads \(excerpt(unread))") }
    return draft
  }
}
