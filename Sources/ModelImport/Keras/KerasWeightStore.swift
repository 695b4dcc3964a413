import JSON

/// Finds the weights of each layer: in the groups of Keras 3, or in the lists of Keras 1 and 2.
struct KerasWeightStore {
  let file: HDF5File
  /// Where layers have their weights that several nested models share.
  private(set) var shared = KerasSharedWeights()

  init(file: HDF5File) { self.file = file }

  /// The store of a whole model.
  init(file: HDF5File, of model: KerasModel, in container: Container) {
    self.file = file
    if case .store(let path) = container {
      shared = KerasSharedWeights(model, in: self, at: path)
    }
  }

  /// The place of a model's weights.
  enum Container {
    /// A group with one group for each layer, under `layers`.
    case store(String)
    /// A group with one list for each layer (`layer_names`, `weight_names`).
    case lists(String)
    /// One list for all layers of a nested model.
    case list([String])
  }

  /// The container of the whole model.
  func root() throws(HDF5Error) -> Container {
    if try file.texts("layer_names", of: "") != nil { return .lists("") }
    if file.exists("model_weights") { return .lists("model_weights") }
    return .store("")
  }

  /// The weights of each layer of a model, in the order of its layers.
  func weights(
    of model: KerasModel, in container: Container
  ) throws(ImportError) -> [KerasWeights] {
    do throws(HDF5Error) {
      switch container {
      case .store(let path): return stored(model, at: path)
      case .lists(let path):
        return try listed(model, at: path).map { KerasWeights(file: file, place: .list($0)) }
      case .list(let paths):
        return split(paths, over: model).map { KerasWeights(file: file, place: .list($0)) }
      }
    } catch { throw model.layer.refusal(error) }
  }

  /// The container of a nested model.
  static func container(of weights: KerasWeights) -> Container {
    switch weights.place {
    case .group(let path): .store(path)
    case .list(let paths): .list(paths)
    }
  }

  // MARK: Keras 3

  /// Groups are called by class: `lstm`, `lstm_1`.
  func stored(_ model: KerasModel, at path: String) -> [KerasWeights] {
    // Keras 2.12 has another name.
    let folder =
      file.exists("\(path)/layers") ? "\(path)/layers" : "\(path)/_layer_checkpoint_dependencies"
    var counts: [String: Int] = [:]
    return model.layers.map { entry in
      // Keras exports one class by another name than its own.
      let own = entry.layer.className.replacing(
        "GroupQueryAttention", with: "GroupedQueryAttention")
      let name = Self.snakeCase(own)
      guard !entry.layer.isFunction else {
        return KerasWeights(file: file, place: .list([]))
      }
      let count = counts[name, default: 0]
      counts[name] = count + 1
      let group = "\(folder)/\(count == 0 ? name : "\(name)_\(count)")"
      return resolved(KerasWeights(file: file, place: .group(group)), of: entry.layer)
    }
  }

  /// A layer's weights or, where its group is not in the file, those of the layer that it is elsewhere in the model.
  func resolved(_ weights: KerasWeights, of layer: KerasLayer) -> KerasWeights {
    guard case .group(let group) = weights.place, !file.exists(group),
      let other = shared.group(of: layer)
    else { return weights }
    return KerasWeights(file: file, place: .group(other))
  }

  /// A class's name in snake case, as Keras makes it: `TimeDistributed` is `time_distributed`, `Conv1D` `conv1d`.
  static func snakeCase(_ name: String) -> String {
    let letters = Array(name.unicodeScalars.filter { $0.isWord })
    var text = ""
    for (index, letter) in letters.enumerated() {
      if index > 0, letter.isUpper {
        // A word begins at a capital before a small letter, or after one.
        let isBeforeSmall = index + 1 < letters.count && letters[index + 1].isLower
        if isBeforeSmall && letters[index - 1] != "_" || letters[index - 1].isLower { text += "_" }
      }
      text.unicodeScalars.append(letter)
    }
    return text.lowercased()
  }

  // MARK: Keras 1 and 2

  /// Matches layers by name if the file has the model's names; else in the order of the layers with weights, as Keras does.
  private func listed(_ model: KerasModel, at path: String) throws(HDF5Error) -> [[String]] {
    var lists: [(name: String, paths: [String])] = []
    for name in try file.texts("layer_names", of: path) ?? [] {
      let group = path.isEmpty ? name : "\(path)/\(name)"
      let names = try file.texts("weight_names", of: group) ?? []
      lists.append((name, names.map { "\(group)/\($0)" }))
    }
    let names = Set(model.layers.map(\.layer.name))
    let byName = Dictionary(lists.map { ($0.name, $0.paths) }) { first, _ in first }
    if lists.allSatisfy({ $0.paths.isEmpty || names.contains($0.name) }) {
      return model.layers.map { byName[$0.layer.name] ?? [] }
    }
    var rest = lists.map(\.paths).filter { !$0.isEmpty }[...]
    return model.layers.map { entry in
      KerasLayerTable.weightCount(of: entry.layer).total == 0 ? [] : rest.popFirst() ?? []
    }
  }

  /// The trainable weights of all layers come first, then the others: frozen layers, and running means.
  private func split(_ paths: [String], over model: KerasModel) -> [[String]] {
    let counts = model.layers.map { KerasLayerTable.weightCount(of: $0.layer) }
    var rest = paths[...]
    func take(_ count: Int) -> [String] {
      let taken = Array(rest.prefix(count))
      rest = rest.dropFirst(count)
      return taken
    }
    let trained = counts.map { take($0.trained) }
    return zip(trained, counts).map { $0 + take($1.fixed) }
  }
}

/// The number of a layer's trainable weights, and of the others.
struct KerasWeightCount: Equatable {
  var trained = 0
  var fixed = 0
  var total: Int { trained + fixed }

  static func + (first: Self, second: Self) -> Self {
    Self(trained: first.trained + second.trained, fixed: first.fixed + second.fixed)
  }
}

extension Unicode.Scalar {
  fileprivate var isUpper: Bool { ("A"..."Z").contains(self) }
  fileprivate var isLower: Bool { ("a"..."z").contains(self) }
  fileprivate var isWord: Bool {
    isUpper || isLower || ("0"..."9").contains(self) || self == "_" || value > 0x7F
  }
}
