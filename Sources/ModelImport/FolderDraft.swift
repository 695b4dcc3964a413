import ModelFormat

/// A model folder before it is written: readers of formats fill it, and it is checked before writing.
package struct FolderDraft: Sendable {
  package var description: ModelDescription
  /// Notes for the person: guesses to confirm, and parts that were left out because they change nothing.
  package var notes: [String] = []
  /// The inputs that are states which other nodes than a recurrent network read too, so that a caller has to keep them.
  var callersStates: Set<String> = []
  /// Whether what convolutions read of earlier requests is what the source keeps in caches.
  package var keepsCaches = false
  /// The graph of the source file, if it has one.
  package var reference: SourceReference?
  /// What the framework's own model takes, where the source has no graph that is computed here.
  package var examples: [ExampleInput] = []
  /// The keys of the outputs, in their order, where the framework's own model answers with a dictionary.
  package var outputKeys: [String]?
  /// The paths of further files with weights, which the model's file names.
  package var externalFiles: Set<String> = []
  /// The version of Keras that wrote the file, 1 to 3; nil for other files.
  package var kerasVersion: Int?
  private(set) var tensors: [(name: String, shape: [Int], floats: [Float])] = []
  private var tensorNames: Set<String> = []

  /// - Parameter name: the model's name; characters that names don't allow become `-`.
  package init(name: String) {
    description = ModelDescription(
      name: Self.name(from: name), version: "1", inputs: [], nodes: [], outputs: [])
  }

  package init(description: ModelDescription) {
    self.description = description
  }

  /// Adds a tensor for `model.safetensors`, row-major; replaces one of the same name.
  package mutating func add(tensor name: String, shape: [Int], _ floats: [Float]) {
    if !tensorNames.insert(name).inserted { tensors.removeAll { $0.name == name } }
    tensors.append((name, shape, floats))
  }

  /// Whether the source rounds to 8 bits what goes into products. The folder does not: its values differ by some thousandths.
  package var isRoundedInSource: Bool { notes.contains(Note.roundedActivations) }

  /// Whether the source may compute with 16 bits, so that the framework's answers differ by some thousandths.
  package var hasHalfWeights: Bool { notes.contains(Note.halfWeights) }

  /// Whether inputs or outputs of the source became states of the sequence.
  package var keepsStates: Bool {
    notes.contains { $0.hasSuffix(Note.keptInput) || $0.hasSuffix(Note.keptOutput) }
  }

  /// Says of these states that they are not kept, as the model answers whole sequences alone.
  package mutating func noteUnkeptStates() {
    for (kept, unkept) in [
      (Note.keptInput, Note.unkeptInput), (Note.keptOutput, Note.unkeptOutput),
    ] {
      for index in notes.indices where notes[index].hasSuffix(kept) {
        notes[index] = notes[index].dropLast(kept.count) + unkept
      }
    }
  }

  /// The number of steps of the sequence with which the folder is compared with its source's graph; nil for any.
  ///
  /// The file may leave open what the folder fixes, as the steps of a loop that was unrolled.
  package var comparedSteps: Int? {
    reference?.fixedSteps ?? reference?.exampleSteps
      ?? description.inputs.lazy.compactMap(\.steps).first { $0 > 1 }
  }

  package func hasTensor(_ name: String) -> Bool { tensorNames.contains(name) }

  /// Removes nodes without weights of their own that lead to no output, such as the steps of a layer of which only the states
  /// are used.
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
    func prefix(_ node: ModelDescription.Node) -> String { (node.weights ?? node.name) + "." }
    // The last step of a recurrent layer has the layer's name, and so the prefix of its tensors.
    let used = Set(needed.map { prefix(description.nodes[$0]) })
    description.nodes = description.nodes.enumerated().filter { place, node in
      let prefix = prefix(node)
      return needed.contains(place)
        || !used.contains(prefix)
          && tensors.contains {
            $0.name.hasPrefix(prefix) && !$0.name.dropFirst(prefix.count).contains(".")
          }
    }.map(\.element)
  }

  /// The model of the folder, checked as on loading.
  package func model() throws(ModelError) -> Model {
    try Model(
      description: description, tensors: try TensorFile(bytes: try TensorFile.serialize(tensors)))
  }

  /// Checks the model as on loading, and writes `model.json` and `model.safetensors` into the existing `folder`.
  package func write(to folder: String) throws(ModelError) {
    _ = try model()
    try TensorFile.write(tensors, to: "\(folder)/\(Model.tensorFile)")
    try description.write(to: "\(folder)/\(Model.descriptionFile)")
  }

  /// A name like `text` that none of `names` is.
  static func unusedName(_ text: String, among names: some Collection<String>) -> String {
    var name = text
    while names.contains(name) { name += "_" }
    return name
  }

  /// Makes a valid name of a model, an input or a node from any text: letters, digits, `-`, `_` and `.`, at most 100 bytes.
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
