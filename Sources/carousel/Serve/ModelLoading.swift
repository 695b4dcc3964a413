import Dispatch
import Inference
import Logging
import ModelFormat
import Synchronization

/// Loads the model of `folder`, with the weights of its recurrent networks in `precision`; nil is the precision that
/// the model asks for.
func loadModel(_ folder: String, precision: Precision?) throws(ModelError) -> ModelGraph {
  let model = try Model(folder: folder)
  do { return try ModelGraph(model, precision: precision) } catch {
    throw .inFile(path: folder, error)
  }
}

/// Loads the models of `folders` in parallel; returns them in the folders' order.
///
/// - Throws: the error of the first folder that can't be loaded.
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

/// Throws if two models have the same name, as names are used in URLs.
private func checkNames(of names: [String], in folders: [String]) throws(CarouselError) {
  for (index, name) in names.enumerated() {
    guard let first = names.firstIndex(of: name), first != index else { continue }
    throw .duplicateModel(name: name, folders: [folders[first], folders[index]])
  }
}

/// Logs the tensors that no node reads, as one may be a forgotten bias.
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
