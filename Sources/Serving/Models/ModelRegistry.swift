import Scheduling
import Synchronization

/// The models in service, by name. They are added, replaced and removed while requests are answered.
///
/// A request uses one snapshot of the registry, and holds the model that it found there.
package final class ModelRegistry: Sendable {
  private let current: Mutex<ModelSnapshot>

  /// - Parameters:
  ///   - models: models with different names.
  ///   - defaultModel: the name of the model for requests that name none; nil for the first.
  package init(_ models: [ServedModel] = [], defaultModel: String? = nil) {
    current = Mutex(ModelSnapshot(models, defaultName: defaultModel))
  }

  /// The models in service now.
  package var snapshot: ModelSnapshot { current.withLock { $0 } }

  /// Adds `model` behind the others, or replaces the model of the same name.
  package func serve(_ model: ServedModel) {
    // The replaced model is released outside the lock: this may be its last reference, whose end shuts an engine down.
    _ = current.withLock { $0.serve(model) }
  }

  /// Removes the model called `name`; false where there is none.
  @discardableResult
  package func remove(_ name: String) -> Bool {
    current.withLock { $0.remove(name) } != nil
  }
}

/// The models in service at one moment.
package struct ModelSnapshot: Sendable {
  /// The models in the order in which they were added.
  package private(set) var models: [ServedModel]
  private var places: [String: Int] = [:]
  private let defaultName: String?
  /// Models that were replaced or removed, but whose sessions may still be there; each once.
  package private(set) var former: [ModelIdentity] = []

  /// The models that the client's access token allows, and the token's name; nil for all models.
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
    if let limit, !allows(name) {
      throw Fault(ModelChoiceError.notAllowed(name: name, token: limit.token))
    }
    guard let place = places[name] else {
      throw Fault(ModelChoiceError.noSuchModel(name: name, known: models.map(\.name)))
    }
    return models[place]
  }

  /// Whether the client's access token allows the model called `name`.
  package func allows(_ name: String) -> Bool { limit?.names.contains(name) ?? true }

  /// A snapshot that finds only the models in `names`, those that the access token called `token` allows.
  package func limited(to names: Set<String>, ofToken token: String) -> ModelSnapshot {
    var snapshot = self
    snapshot.limit = (names, token)
    return snapshot
  }

  /// The model for requests that name none.
  package func defaultModel() throws(Fault) -> ServedModel {
    if let defaultName { return try model(defaultName) }
    guard let first = models.first else { throw Fault(ModelChoiceError.noModels) }
    return try model(first.name)
  }

  /// The default model's name; nil where there is no model.
  package var defaultModelName: String? {
    defaultName.map { places[$0] == nil ? nil : $0 } ?? models.first?.name
  }

  /// Returns the model that was replaced.
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

  /// Returns the model that was removed.
  fileprivate mutating func remove(_ name: String) -> ServedModel? {
    guard let place = places[name] else { return nil }
    let removed = models.remove(at: place)
    remember(removed)
    findPlaces()
    return removed
  }

  /// Adds a model to `former`.
  private mutating func remember(_ model: ServedModel) {
    if let identity = model.identity { former.append(identity) }
  }

  private mutating func findPlaces() {
    places = Dictionary(
      models.indices.map { (models[$0].name, $0) }, uniquingKeysWith: { first, _ in first })
  }
}
