/// The names of a graph's nodes and tensors.
struct KerasNodeNames {
  /// The prefix of the tensors of each layer that was called.
  private var prefixes: [String: String] = [:]
  private var knownPrefixes: Set<String> = []
  private var names: Set<String> = []
  /// The names with a number behind them, which may be another layer's.
  private var counted: Set<String> = []

  /// A new name for an input or node, made from Keras's.
  mutating func unused(_ text: String) -> String {
    // These endings would be read as states of a recurrent network.
    let plain = text.replacing(".cell", with: "_cell").replacing(".hidden", with: "_hidden")
    let name = String(FolderDraft.name(from: plain).prefix(80))
    var candidate = name
    var count = 1
    while names.contains(candidate) || candidate != name && knownPrefixes.contains(candidate) {
      candidate = "\(name)_\(count)"
      count += 1
    }
    names.insert(candidate)
    if candidate != name { counted.insert(candidate) }
    return candidate
  }

  /// The prefix of a layer's tensors, and whether they are there already, as for a layer that is called again.
  mutating func prefix(of layer: KerasLayer, name: String) -> (prefix: String, isNew: Bool) {
    if let prefix = prefixes[layer.path] { return (prefix, false) }
    var prefix = FolderDraft.name(from: name)
    // Nodes without a layer of their own have tensors too, by their names.
    while counted.contains(prefix) || !knownPrefixes.insert(prefix).inserted { prefix += "_" }
    prefixes[layer.path] = prefix
    return (prefix, true)
  }
}
