import Dispatch
import Inference
import Logging
import ModelFormat
import Synchronization

/// Loads the model of `folder`, its recurrent networks' weights kept as `precision`, or as it asks for itself where nil.
func loadModel(_ folder: String, precision: Precision?) throws(ModelError) -> ModelGraph {
  let model = try Model(folder: folder)
  do { return try ModelGraph(model, precision: precision) } catch {
    throw .inFile(path: folder, error)
  }
}

/// Loads the models of `folders`, all at once, in their order.
///
/// - Throws: the error of the first folder that has one.
func loadModels(_ folders: [String], precision: Precision? = nil) throws -> [ModelGraph] {
  let results = Mutex<[Result<ModelGraph, ModelError>?]>(
    Array(repeating: nil, count: folders.count))
  DispatchQueue.concurrentPerform(iterations: folders.count) { index in
    let result = Result { () throws(ModelError) in
      try loadModel(folders[index], precision: precision)
    }
    results.withLock { $0[index] = result }
  }
  let graphs = try results.withLock { results in
    try results.map { result in
      guard let result else { preconditionFailure("a folder was left out") }
      return try result.get()
    }
  }
  try checkNames(of: graphs.map(\.model.description.name), in: folders)
  return graphs
}

/// Refuses two models of one name: it stands in URLs.
private func checkNames(of names: [String], in folders: [String]) throws(CarouselError) {
  for (index, name) in names.enumerated() {
    guard let first = names.firstIndex(of: name), first != index else { continue }
    throw .duplicateModel(name: name, folders: [folders[first], folders[index]])
  }
}

/// Says which tensors of the files no node reads, as one of them may be a bias that has been forgotten.
func logUnreadTensors(of graphs: [ModelGraph], to logger: Logger) {
  for model in graphs.map(\.model) where !model.unusedTensors.isEmpty {
    let some = model.unusedTensors.prefix(20)
    logger.warning(
      "tensors that no node reads",
      metadata: [
        "model": .string(model.description.name),
        "count": .stringConvertible(model.unusedTensors.count),
        "tensors": .array(some.map { .string($0) }),
      ])
  }
}
