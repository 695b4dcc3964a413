import ModelFormat

/// An object of a library's class that was pickled whole, such as the learner that trained a model.
struct PickledObject {
  /// The full name of its class.
  let className: String
  /// The Python that leads to it from what the file holds, such as `['model']`.
  let place: String
  /// The module in one of its attributes, and the Python that leads from the object to it, such as `.model`.
  let module: (reference: PickleGraph.Reference, step: String)?

  /// The most objects that are looked at for a module, and the most attributes of each.
  private static let maxVisits = 20_000
  private static let maxDepth = 4

  /// Nil for dictionaries, lists, tensors and modules themselves.
  ///
  /// - Parameter isModule: whether an object is a module with weights.
  init?(
    _ root: PickleGraph.Reference, at place: String = "", in pickled: PickledTensors,
    isModule: (PickleGraph.Reference) -> Bool
  ) {
    let graph = pickled.graph
    guard case .call(let call) = graph[root], pickled.finding(root) == nil,
      graph.entries(root) == nil, graph.elements(root) == nil, pickled.objects(in: root) == nil,
      let name = pickled.className(of: call)
    else { return nil }
    className = name
    self.place = place
    // The nearest module: what trains it may hold others deeper within.
    var level = [(reference: root, step: "")]
    var seen: Set<PickleGraph.Reference> = [root]
    for _ in 0..<Self.maxDepth {
      var next: [(reference: PickleGraph.Reference, step: String)] = []
      for (reference, step) in level {
        for (part, value) in Self.parts(of: reference, graph) where seen.insert(value).inserted {
          guard seen.count <= Self.maxVisits else { break }
          next.append((value, step + part))
        }
      }
      if let found = next.first(where: { isModule($0.reference) }) {
        module = found
        return
      }
      level = next
    }
    module = nil
  }

  /// The object that a file holds, or that of a dictionary in it: one with a module, or a model of Keras's.
  static func find(
    _ root: PickleGraph.Reference, in pickled: PickledTensors,
    isModule: (PickleGraph.Reference) -> Bool
  ) -> PickledObject? {
    if let object = PickledObject(root, in: pickled, isModule: isModule) { return object }
    for entry in (pickled.graph.entries(root) ?? []).prefix(100) {
      guard let key = pickled.graph.text(entry.key),
        let object = PickledObject(
          entry.value, at: "['\(key)']", in: pickled, isModule: isModule),
        object.module != nil || object.isOfKeras || object.isOfSkorch
      else { continue }
      return object
    }
    return nil
  }

  /// Whether it is a model of Keras's, or has one.
  private var isOfKeras: Bool {
    ["keras", "tf_keras", "tensorflow", "scikeras"].contains(library)
  }

  /// Whether it is a network of skorch's, which may keep its module as the bytes of a file.
  private var isOfSkorch: Bool { library == "skorch" }

  private var library: Substring { className.split(separator: ".").first ?? "" }

  /// The class of the object that a file holds by itself; nil if it holds something else.
  static func className(in file: TorchFile) -> String? {
    let pickled = PickledTensors(file.graph, isBigEndian: file.isBigEndian)
    return find(file.root, in: pickled) { pickled.moduleClass($0) != nil }?.className
  }

  /// The attributes of an object, or the elements of a dictionary or list, with the Python that leads to them.
  private static func parts(
    of reference: PickleGraph.Reference, _ graph: PickleGraph
  ) -> [(step: String, value: PickleGraph.Reference)] {
    func named(
      _ reference: PickleGraph.Reference, _ step: (String) -> String
    ) -> [(String, PickleGraph.Reference)] {
      (graph.entries(reference) ?? []).compactMap { entry in
        graph.text(entry.key).map { (step($0), entry.value) }
      }
    }
    if case .call(let call) = graph[reference], let state = call.state {
      // An object with slots has two states.
      let states = graph.elements(state) ?? [state]
      return states.flatMap { named($0) { ".\($0)" } }
    }
    if let elements = graph.elements(reference) {
      return elements.enumerated().map { ("[\($0.offset)]", $0.element) }
    }
    return named(reference) { "['\($0)']" }
  }

  /// What to do with a file of such an object.
  ///
  /// - Parameter isOfTorch: whether `torch.save` wrote the file, not `pickle.dump`.
  func remedy(path: String, isOfTorch: Bool) -> String {
    let load =
      isOfTorch
      ? "torch.load('\(path)', weights_only=False)" : "pickle.load(open('\(path)', 'rb'))"
    let checkpoint = "\(path).ckpt"
    if module == nil, FileStatus(checkpoint) != nil {
      return "its weights are in the file beside it: carousel-import \(checkpoint) -o FOLDER"
    }
    if isOfKeras {
      // The wrapper of scikit-learn's interface has the model in an attribute.
      let model =
        library == "scikeras" && !className.hasSuffix("unpack_keras_model") ? ".model_" : ""
      return "\(load)\(place)\(model).save('model.keras') writes one that can be imported"
    }
    let step = module?.step ?? (isOfSkorch ? ".module_" : nil)
    guard let step else {
      return
        "where \(library) is installed, load it and save the network that is in it: torch.save(network.state_dict(), 'weights.pt') of PyTorch's, model.save('model.keras') of Keras's, or its arrays by PyTorch's names, numpy.savez('weights.npz', **{'fc.weight': array})"
    }
    return
      "where \(library) is installed, m = \(load)\(place)\(step) is the module: export it with its graph, torch.onnx.export(m.eval(), (example,), 'model.onnx', dynamo=True), or its weights, torch.save(m.state_dict(), 'weights.pt')"
  }
}
