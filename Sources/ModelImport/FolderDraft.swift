import ModelFormat

/// A model folder in the making: what a reader of a format fills, and what is written once it holds.
package struct FolderDraft: Sendable {
  package var description: ModelDescription
  /// What the person should know or confirm: guesses, and what was left out because it changes nothing.
  package var notes: [String] = []
  /// The graph of the file that it was made of, where the file has one.
  package var reference: SourceReference?
  private(set) var tensors: [(name: String, shape: [Int], floats: [Float])] = []
  private var tensorNames: Set<String> = []

  /// - Parameter name: the model's name; letters that a name has no place for become `-`.
  package init(name: String) {
    description = ModelDescription(
      name: Self.name(from: name), version: "1", inputs: [], nodes: [], outputs: [])
  }

  package init(description: ModelDescription) {
    self.description = description
  }

  /// Adds a tensor for `model.safetensors`, row-major; the last of two of one name stays.
  package mutating func add(tensor name: String, shape: [Int], _ floats: [Float]) {
    if !tensorNames.insert(name).inserted { tensors.removeAll { $0.name == name } }
    tensors.append((name, shape, floats))
  }

  package func hasTensor(_ name: String) -> Bool { tensorNames.contains(name) }

  /// Leaves out nodes without weights that lead to no output, such as the steps of a layer of which only the states are used.
  package mutating func dropUnusedNodes() {
    let places = Dictionary(
      description.nodes.enumerated().map { ($0.element.name, $0.offset) },
      uniquingKeysWith: { first, _ in first })
    func place(_ value: String) -> Int? {
      if let place = places[value] { return place }
      for state in [".hidden", ".cell"] where value.hasSuffix(state) {
        return places[String(value.dropLast(state.count))]
      }
      return nil
    }
    var needed: Set<Int> = []
    var pending = description.outputs.map(\.name)
    while let value = pending.popLast() {
      guard let place = place(value), needed.insert(place).inserted else { continue }
      let node = description.nodes[place]
      pending += node.inputs.compactMap { $0 } + [node.mask].compactMap { $0 }
    }
    description.nodes = description.nodes.enumerated().filter { place, node in
      let prefix = (node.weights ?? node.name) + "."
      return needed.contains(place)
        || tensors.contains {
          $0.name.hasPrefix(prefix) && !$0.name.dropFirst(prefix.count).contains(".")
        }
    }.map(\.element)
  }

  /// The model that the folder would hold, checked as a folder is when it is loaded.
  package func model() throws(ModelError) -> Model {
    try Model(
      description: description, tensors: try TensorFile(bytes: try TensorFile.serialize(tensors)))
  }

  /// Writes `model.json` and `model.safetensors` into `folder`, which exists, after the checks of a load.
  package func write(to folder: String) throws(ModelError) {
    _ = try model()
    try TensorFile.write(tensors, to: "\(folder)/\(Model.tensorFile)")
    try description.write(to: "\(folder)/\(Model.descriptionFile)")
  }

  /// A name that a model, an input or a node may have, made from any text: letters, digits, `-`, `_` and `.`, at most 100.
  package static func name(from text: String) -> String {
    var name = String(
      text.unicodeScalars.map { scalar in
        let isPlain =
          scalar.isASCII && (scalar.properties.isAlphabetic || scalar.properties.numericType != nil)
          || "-_.".unicodeScalars.contains(scalar)
        return isPlain ? Character(scalar) : "-"
      }.prefix(100))
    while name.hasPrefix(".") { name.removeFirst() }
    return name.isEmpty ? "model" : name
  }
}
