/// The named tensors of a pickle: of a state dict, of one within a checkpoint, or of a whole module.
struct StateDict {
  /// The tensors in the file's order.
  private(set) var tensors: [(name: String, tensor: StridedTensor)] = []
  /// The names of tensors that can't be read, and why.
  private(set) var unreadable: [(name: String, reason: String)] = []
  /// The name of the first quantised tensor.
  private(set) var quantised: String?
  /// The parts of a checkpoint that were skipped although they have tensors.
  private(set) var passedOver: [String] = []
  /// The class of the module, if a whole module was saved.
  private(set) var moduleClass: String?
  /// The object that was saved, if it is of a library's own class.
  private(set) var object: PickledObject?

  /// The names of tensor objects; of several names, the first.
  private(set) var references: [PickleGraph.Reference: String] = [:]

  private let pickled: PickledTensors
  private var places: [String: Int] = [:]
  private var visits = 0

  /// The most objects that are visited: as a tree, a graph with shared parts could be endless.
  static let maxVisits = 2_000_000
  static let maxDepth = 64

  /// The keys of the model's state dict in checkpoints; the first one present is used.
  private static let modelKeys = [
    "state_dict", "model_state_dict", "model_state", "model_dict", "model", "net", "network",
    "module", "weights", "params", "parameters", "state",
  ]

  /// Parts of keys of other data in checkpoints.
  private static let otherKeys = ["optim", "sched", "scaler", "callback", "loops", "rng_state"]

  init(_ pickled: PickledTensors, root: PickleGraph.Reference) {
    self.pickled = pickled
    var root = root
    if let objects = pickled.objects(in: root), objects.count == 1 { root = objects[0] }
    for _ in 0..<8 {
      guard let next = nested(in: root) else { break }
      root = next
    }
    if let name = pickled.moduleClass(root) {
      moduleClass = name
    } else {
      var copy = self
      let found = PickledObject.find(root, in: pickled) {
        pickled.moduleClass($0) != nil && copy.hasTensors($0)
      }
      if found?.place.isEmpty ?? false || !hasTensors(root) {
        object = found
        root = found?.module?.reference ?? root
      }
    }
    collect(root, name: "", path: [])
  }

  /// The model's state dict in a checkpoint; nil if the object is not a checkpoint.
  private mutating func nested(in root: PickleGraph.Reference) -> PickleGraph.Reference? {
    guard let entries = pickled.graph.entries(root) else { return beside(in: root) }
    let named = entries.prefix(Self.maxVisits).map { (pickled.graph.text($0.key) ?? "", $0.value) }
    // A state dict has tensors directly under dotted names. A checkpoint may have single tensors too, such as a best loss.
    guard !named.contains(where: { $0.0.contains(".") && pickled.finding($0.1) != nil }) else {
      return nil
    }
    for key in Self.modelKeys {
      guard let value = named.last(where: { $0.0 == key })?.1, hasTensors(value) else { continue }
      for (other, value) in named where other != key && !other.isEmpty && hasTensors(value) {
        passedOver.append(other)
      }
      return value
    }
    return nil
  }

  /// The only state dict among the elements of a tuple or list, the others of which are an optimizer's state or have no tensors.
  private mutating func beside(in root: PickleGraph.Reference) -> PickleGraph.Reference? {
    let elements: [PickleGraph.Reference]
    switch pickled.graph[root] {
    case .tuple(let found), .list(let found): elements = found
    default: return nil
    }
    guard (2...16).contains(elements.count) else { return nil }
    var models: [PickleGraph.Reference] = []
    for element in elements {
      if pickled.graph.value("param_groups", of: element) != nil { continue }
      if hasTensors(element) { models.append(element) }
    }
    guard models.count == 1, pickled.graph.entries(models[0]) != nil else {
      return nil
    }
    passedOver += elements.indices.filter { elements[$0] != models[0] }.map { "[\($0)]" }
    return models[0]
  }

  private mutating func hasTensors(_ reference: PickleGraph.Reference) -> Bool {
    var copy = self
    copy.tensors = []
    copy.places = [:]
    copy.unreadable = []
    copy.quantised = nil
    copy.collect(reference, name: "", path: [])
    visits = copy.visits
    return !copy.tensors.isEmpty || !copy.unreadable.isEmpty || copy.quantised != nil
  }

  private mutating func collect(
    _ reference: PickleGraph.Reference, name: String, path: [PickleGraph.Reference]
  ) {
    visits += 1
    guard visits <= Self.maxVisits, path.count < Self.maxDepth, !path.contains(reference) else {
      return
    }
    switch pickled.finding(reference) {
    case .tensor(let tensor):
      references[reference] = references[reference] ?? name
      return add(name, tensor)
    case .unreadable(let reason): return unreadable.append((name, reason))
    case .quantised:
      quantised = quantised ?? name
      return
    case nil: break
    }
    let path = path + [reference]
    for (key, value) in parts(of: reference) {
      collect(value, name: name.isEmpty ? key : "\(name).\(key)", path: path)
    }
  }

  /// The members of an object that may have tensors, with the names that a state dict would have.
  private func parts(
    of reference: PickleGraph.Reference
  ) -> [(key: String, value: PickleGraph.Reference)] {
    let graph = pickled.graph
    if let entries = graph.entries(reference) {
      return entries.compactMap { entry in
        guard let key = graph.text(entry.key) ?? graph.int(entry.key).map({ "\($0)" }) else {
          return nil
        }
        let isOther = Self.otherKeys.contains { key.lowercased().contains($0) }
        return isOther && pickled.finding(entry.value) == nil ? nil : (key, entry.value)
      }
    }
    if let objects = pickled.objects(in: reference) {
      return objects.enumerated().map { ("\($0.offset)", $0.element) }
    }
    switch graph[reference] {
    case .list(let elements), .tuple(let elements):
      return elements.enumerated().map { ("\($0.offset)", $0.element) }
    case .call(let call):
      guard var state = call.state else { return [] }
      // An object with slots has two states.
      if case .tuple(let states) = graph[state], let first = states.first { state = first }
      let attributes = graph.entries(state) ?? []
      let kinds = ["_parameters", "_buffers", "_modules"].compactMap { graph.value($0, of: state) }
      let isScript = graph.globalName(call.function)?.hasPrefix("__torch__.") ?? false
      let held = kinds.isEmpty && isScript ? attributes : kinds.flatMap { graph.entries($0) ?? [] }
      return held.compactMap { entry in graph.text(entry.key).map { ($0, entry.value) } }
    case .none, .bool, .int, .largeInt, .float, .text, .bytes, .set, .dictionary, .global,
      .persistent:
      return []
    }
  }

  private mutating func add(_ name: String, _ tensor: StridedTensor) {
    // Of two values of one key the last is used, as in Python.
    if let place = places[name] {
      tensors[place].tensor = tensor
    } else {
      places[name] = tensors.count
      tensors.append((name, tensor))
    }
  }
}
