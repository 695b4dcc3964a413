import JSON

/// The groups of the layers of a model and its nested models, in a file of Keras 3. A layer that several of them share has its
/// weights in the first alone.
struct KerasSharedWeights {
  private var groups: [String: [(group: String, layer: KerasLayer)]] = [:]

  init() {}

  init(_ model: KerasModel, in store: KerasWeightStore, at path: String) {
    add(model, in: store, at: path)
  }

  private mutating func add(_ model: KerasModel, in store: KerasWeightStore, at path: String) {
    for (entry, weights) in zip(model.layers, store.stored(model, at: path)) {
      add(entry.layer, weights, in: store)
    }
  }

  private mutating func add(
    _ layer: KerasLayer, _ weights: KerasWeights, in store: KerasWeightStore
  ) {
    guard case .group(let group) = weights.place, store.file.exists(group) else { return }
    groups[layer.name, default: []].append((group, layer))
    if layer.isModel {
      if let model = try? KerasModel(layer) { add(model, in: store, at: group) }
    } else if layer.className == "TimeDistributed", let inner = try? layer.layer("layer") {
      add(inner, weights.part("layer"), in: store)
    }
  }

  /// The group of the one layer of the same name and configuration elsewhere; nil if there is none, or are several.
  func group(of layer: KerasLayer) -> String? {
    let others = (groups[layer.name] ?? []).filter {
      $0.layer.className == layer.className
        && Self.isSame(JSONValue.object($0.layer.members), JSONValue.object(layer.members))
    }
    return others.count == 1 ? others[0].group : nil
  }

  /// Whether configurations are equal but for the identity that Keras writes where an object comes again.
  private static func isSame(_ first: JSONValue, _ second: JSONValue) -> Bool {
    if let one = first.elements, let other = second.elements {
      return one.count == other.count && zip(one, other).allSatisfy(isSame)
    }
    guard let one = first.members, let other = second.members else { return first == second }
    func own(_ members: [JSONValue.Member]) -> [JSONValue.Member] {
      members.filter { $0.key != "shared_object_id" }
    }
    let (left, right) = (own(one), own(other))
    return left.count == right.count
      && zip(left, right).allSatisfy { $0.key == $1.key && isSame($0.value, $1.value) }
  }
}
