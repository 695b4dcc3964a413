/// The names that the nodes and tensors of a graph have so far.
struct KerasNodeNames {
  /// For each layer that was called, what stands before the names of its tensors.
  private var prefixes: [String: String] = [:]
  private var knownPrefixes: Set<String> = []
  private var names: Set<String> = []

  /// A name that no input and no node has, made of Keras's.
  mutating func unused(_ text: String) -> String {
    // What ends like a state of a recurrent network would be taken for one.
    let plain = text.replacing(".cell", with: "_cell").replacing(".hidden", with: "_hidden")
    let name = String(FolderDraft.name(from: plain).prefix(80))
    var candidate = name
    var count = 1
    while !names.insert(candidate).inserted {
      candidate = "\(name)_\(count)"
      count += 1
    }
    return candidate
  }

  /// What stands before the names of a layer's tensors, and whether they are there already: of a layer that is called twice.
  mutating func prefix(of layer: KerasLayer, name: String) -> (prefix: String, isNew: Bool) {
    if let prefix = prefixes[layer.path] { return (prefix, false) }
    var prefix = FolderDraft.name(from: name)
    while !knownPrefixes.insert(prefix).inserted { prefix += "_" }
    prefixes[layer.path] = prefix
    return (prefix, true)
  }
}
