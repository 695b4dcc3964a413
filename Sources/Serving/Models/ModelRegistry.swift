import Scheduling
import Synchronization

/// The models that are served by name: they come, go and are replaced while requests are answered.
///
/// Requests never see it change: each looks at a snapshot, and holds the model that it found there.
package final class ModelRegistry: Sendable {
  private let current: Mutex<ModelSnapshot>

  /// - Parameters:
  ///   - models: no name twice.
  ///   - defaultModel: the name of the one that answers where none is named; the first where nil.
  package init(_ models: [ServedModel] = [], defaultModel: String? = nil) {
    current = Mutex(ModelSnapshot(models, defaultName: defaultModel))
  }

  /// The models that are served now.
  package var snapshot: ModelSnapshot { current.withLock { $0 } }

  /// Serves `model` by its name, after all others; in the place of the one that had its name, where there was one.
  package func serve(_ model: ServedModel) {
    // Let go of outside the lock: the last lease of it may be this one.
    _ = current.withLock { $0.serve(model) }
  }

  /// Serves nothing by `name` any more; false where nothing was.
  @discardableResult
  package func remove(_ name: String) -> Bool {
    current.withLock { $0.remove(name) } != nil
  }
}

/// The models that were served at one moment.
package struct ModelSnapshot: Sendable {
  /// In the order in which they came.
  package private(set) var models: [ServedModel]
  private var places: [String: Int] = [:]
  private let defaultName: String?
  /// Models that are not served by their names any more, but whose sessions may still be there: each once.
  package private(set) var former: [ModelIdentity] = []

  /// The models that a token is for, and what it is called; nil for all.
  private var limit: (names: Set<String>, token: String)?

  fileprivate init(_ models: [ServedModel], defaultName: String?) {
    self.models = models
    self.defaultName = defaultName
    findPlaces()
    precondition(places.count == models.count, "two models with one name")
    precondition(defaultName.map { places[$0] != nil } ?? true, "no such default model")
  }

  /// The model called `name`.
  package func model(_ name: String) throws(Fault) -> ServedModel {
    if let limit, !limit.names.contains(name) {
      throw Fault(ModelChoiceError.notAllowed(name: name, token: limit.token))
    }
    guard let place = places[name] else {
      throw Fault(ModelChoiceError.noSuchModel(name: name, known: models.map(\.name)))
    }
    return models[place]
  }

  /// The same models, of which only those in `names` are found: those that the token of that name is for.
  package func limited(to names: Set<String>, ofToken token: String) -> ModelSnapshot {
    var snapshot = self
    snapshot.limit = (names, token)
    return snapshot
  }

  /// The one that answers where none is named.
  package func defaultModel() throws(Fault) -> ServedModel {
    if let defaultName { return try model(defaultName) }
    guard let first = models.first else { throw Fault(ModelChoiceError.noModels) }
    return try model(first.name)
  }

  /// Its name; nil where there is none.
  package var defaultModelName: String? {
    defaultName.map { places[$0] == nil ? nil : $0 } ?? models.first?.name
  }

  /// Returns the model in whose place the other one is now.
  fileprivate mutating func serve(_ model: ServedModel) -> ServedModel? {
    defer { former.removeAll { $0 == model.identity } }
    guard let place = places[model.name] else {
      models.append(model)
      findPlaces()
      return nil
    }
    let replaced = models[place]
    remember(replaced)
    models[place] = model
    return replaced
  }

  /// Returns the model that is no more there.
  fileprivate mutating func remove(_ name: String) -> ServedModel? {
    guard let place = places[name] else { return nil }
    let removed = models.remove(at: place)
    remember(removed)
    findPlaces()
    return removed
  }

  /// Remembers a model that is about to go.
  private mutating func remember(_ model: ServedModel) {
    if let identity = model.identity { former.append(identity) }
  }

  private mutating func findPlaces() {
    places = Dictionary(
      models.indices.map { (models[$0].name, $0) }, uniquingKeysWith: { first, _ in first })
  }
}
