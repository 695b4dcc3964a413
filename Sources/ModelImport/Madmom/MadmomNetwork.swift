import ModelFormat

/// A network of madmom, a library for the analysis of music (Böck et al., 2016): a pickle of layers of its own
/// (`madmom.ml.nn.layers`), with their weights as NumPy arrays.
struct MadmomNetwork {
  /// Several files are an ensemble, as madmom's models mostly are.
  static let format = ImportFormat(
    name: "a network of madmom (.pkl)", takesGraph: false, takesNames: false,
    recognises: { _, bytes in isNetwork(bytes) },
    read: { request, files throws(ImportError) in
      do throws(ImportError) {
        return try GraphTranslation(try ensemble(of: files))
          .folder(named: request.name ?? files[0].stem)
      } catch { throw error.of(files[0].path) }
    })

  /// Whether a pickle begins with an object of the class `NeuralNetwork`.
  private static func isNetwork(_ bytes: [UInt8]) -> Bool {
    let words = String(decoding: bytes.prefix(headBytes), as: UTF8.self)
    return words.contains("madmom.ml.nn") && words.contains("NeuralNetwork")
  }

  private static let headBytes = 128

  /// The mean of what the networks answer, as `madmom.ml.nn.average_predictions` computes it.
  private static func ensemble(of files: [SourceFile]) throws(ImportError) -> SourceGraph {
    var graph = MadmomGraph()
    var answers: [(name: String, width: Int)] = []
    for (index, file) in files.enumerated() {
      guard isNetwork(file.bytes) else {
        throw ImportError(
          file: file.path, problem: "found another file beside a network of madmom",
          remedy: "name the networks of one ensemble together, and nothing else")
      }
      do throws(ImportError) {
        let network = try MadmomNetwork(file)
        graph.prefix = files.count == 1 ? "" : "network\(index)."
        answers.append(try network.add(to: &graph))
      } catch { throw error.of(file.path) }
      if let first = answers.first, let last = answers.last, first.width != last.width {
        throw ImportError(
          file: file.path,
          problem:
            "found a network that answers \(last.width) numbers a step, expected \(first.width), as the networks before",
          remedy: "name the networks of one ensemble together, and nothing else")
      }
    }
    if files.count > 1 {
      graph.note(
        "the answers are the mean of those of the \(files.count) networks, as NeuralNetworkEnsemble of madmom has it"
      )
    }
    return graph.finished(answers.map(\.name))
  }

  private let file: TorchFile
  private let pickled: PickledTensors
  private let layers: [PickleGraph.Reference]
  /// The most elements of all weights: several layers may share the same bytes.
  private let maxElements: Int

  private init(_ file: SourceFile) throws(ImportError) {
    do { self.file = try TorchFile(file) } catch {
      var error = error
      error.remedy = Remedy.incomplete
      throw error
    }
    pickled = PickledTensors(self.file.graph)
    maxElements = WeightTable.maxElements(fileBytes: file.bytes.count)
    guard let network = Object(self.file.root, in: pickled), network.kind == "NeuralNetwork",
      let layers = network["layers"].flatMap({ [pickled] in pickled.graph.elements($0) }),
      !layers.isEmpty
    else {
      throw ImportError(
        file: "", problem: "found no NeuralNetwork with layers, expected one",
        remedy:
          "of an ensemble each network is saved by its dump, n.dump('network_1.pkl'), and all files are named together"
      )
    }
    self.layers = layers
  }

  /// An object of a class of madmom's.
  private struct Object {
    /// The class without its module.
    let kind: String
    private let graph: PickleGraph
    private let state: PickleGraph.Reference

    init?(_ reference: PickleGraph.Reference, in pickled: PickledTensors) {
      graph = pickled.graph
      guard case .call(let call) = graph[reference], let state = call.state,
        let name = pickled.className(of: call), name.hasPrefix("madmom.ml.nn.")
      else { return nil }
      self.state = state
      kind = name.split(separator: ".").last.map(String.init) ?? name
    }

    /// An attribute; nil where it is None.
    subscript(_ name: String) -> PickleGraph.Reference? {
      guard let value = graph.value(name, of: state) else { return nil }
      if case .none = graph[value] { return nil }
      return value
    }
  }

  // MARK: Layers

  /// Adds the layers to the graph; returns the name of the last value, and how many elements it has.
  private func add(
    to graph: inout MadmomGraph
  ) throws(ImportError) -> (name: String, width: Int) {
    var value = MadmomGraph.input
    var width: Int?
    for (index, reference) in layers.enumerated() {
      let (place, name) = ("layers[\(index)]", "layer\(index)")
      let layer = try object(reference, place)
      let parts: [MadmomLayer]
      if layer.kind == "BidirectionalLayer" {
        parts = [
          try self.layer(layer["fwd_layer"], "\(place).fwd_layer", &graph),
          try self.layer(layer["bwd_layer"], "\(place).bwd_layer", &graph),
        ]
      } else {
        parts = [try self.layer(reference, place, &graph)]
      }
      for part in parts {
        guard part.inputs == width ?? part.inputs else {
          throw problem(
            at: place, "weights for \(part.inputs) elements", expected: "\(width ?? 0), as go in")
        }
        width = part.inputs
      }
      if graph.width == nil { graph.width = width }
      guard index > 0 || graph.width == width else {
        throw problem(
          at: place, "weights for \(width ?? 0) elements",
          expected: "\(graph.width ?? 0), as the networks before")
      }
      width = parts.reduce(0) { $0 + $1.units }
      value = graph.add(parts, to: value, named: name)
    }
    return (width == 1 ? graph.squeezed(value) : value, width ?? 0)
  }

  private func object(
    _ reference: PickleGraph.Reference?, _ place: String
  ) throws(ImportError) -> Object {
    guard let object = reference.flatMap({ Object($0, in: pickled) }) else {
      throw problem(at: place, "no object of madmom.ml.nn", expected: "one")
    }
    return object
  }

  private func layer(
    _ reference: PickleGraph.Reference?, _ place: String, _ graph: inout MadmomGraph
  ) throws(ImportError) -> MadmomLayer {
    let layer = try object(reference, place)
    let parts: [String]
    switch layer.kind {
    case "FeedForwardLayer", "RecurrentLayer": parts = []
    case "LSTMLayer": parts = ["input_gate", "output_gate", "forget_gate", "cell"]
    case "GRULayer": parts = ["update_gate", "reset_gate", "cell"]
    default:
      throw ImportError(
        file: "", place: place,
        problem:
          "found a \(layer.kind), expected a FeedForwardLayer, RecurrentLayer, LSTMLayer or GRULayer, or a BidirectionalLayer of them",
        remedy:
          "where recurrent layers follow, save the network of these, and compute what goes into it in Python: "
          + "n = NeuralNetwork.load('\(file.path)'); NeuralNetwork(n.layers[i:]).dump('recurrent.pkl')"
      )
    }
    var gates: [MadmomLayer.Gate] = []
    for part in parts {
      gates.append(
        try gate(try object(layer[part], "\(place).\(part)"), "\(place).\(part)", &graph))
    }
    if parts.isEmpty { gates.append(try gate(layer, place, &graph)) }
    // Former versions of the GRU have the state before the first step as hid_init.
    var states: [SourceTensor?] = []
    for name in ["init", "cell_init"] {
      let state = layer[name] ?? (name == "init" ? layer["hid_init"] : nil)
      states.append(
        try state.map { state throws(ImportError) in
          try vector(state, "\(place).\(name)", count: gates[0].bias.count, &graph)
        })
    }
    let output = layer.kind == "LSTMLayer" ? try activation(of: layer, place) : nil
    do throws(ImportError) {
      return try MadmomLayer(
        kind: layer.kind, gates: gates, states: states, outputActivation: output)
    } catch {
      var error = error
      error.place = error.place.map { "\(place).\($0)" } ?? place
      throw error
    }
  }

  private func gate(
    _ object: Object, _ place: String, _ graph: inout MadmomGraph
  ) throws(ImportError) -> MadmomLayer.Gate {
    let weights = try tensor(object["weights"], "\(place).weights", &graph)
    guard weights.rank == 2 else {
      throw problem(at: "\(place).weights", "\(weights.shape)", expected: "[inputs, units]")
    }
    let units = weights.shape[1]
    var gate = MadmomLayer.Gate(
      weights: weights,
      bias: try vector(object["bias"], "\(place).bias", count: units, &graph),
      activation: try activation(of: object, place))
    if let reference = object["recurrent_weights"] {
      let recurrent = try tensor(reference, "\(place).recurrent_weights", &graph)
      guard recurrent.shape == [units, units] else {
        throw problem(
          at: "\(place).recurrent_weights", "\(recurrent.shape)", expected: "\([units, units])")
      }
      gate.recurrent = recurrent
    }
    if let reference = object["peephole_weights"] {
      gate.peephole = try vector(reference, "\(place).peephole_weights", count: units, &graph)
    }
    return gate
  }

  private func activation(
    of object: Object, _ place: String
  ) throws(ImportError) -> MadmomLayer.Activation {
    let name = object["activation_fn"].flatMap { pickled.graph.globalName($0) }
    let activation = name.flatMap { name in
      MadmomLayer.Activation.allCases.first { name == "madmom.ml.nn.activations.\($0.rawValue)" }
    }
    guard let activation else {
      throw problem(
        at: "\(place).activation_fn", name ?? "no function",
        expected: "one of madmom.ml.nn.activations: "
          + MadmomLayer.Activation.allCases.map(\.rawValue).joined(separator: ", "))
    }
    return activation
  }

  // MARK: Arrays

  /// An array of `count` elements, or of one that stands for all.
  private func vector(
    _ reference: PickleGraph.Reference?, _ place: String, count: Int, _ graph: inout MadmomGraph
  ) throws(ImportError) -> SourceTensor {
    let vector = try tensor(reference, place, &graph)
    guard vector.count == count || vector.count == 1 else {
      throw problem(at: place, "\(vector.shape)", expected: "\(count) elements")
    }
    return vector.count == count
      ? vector.reshaped([count]) : SourceTensor(repeating: vector.first, shape: [count])
  }

  private func tensor(
    _ reference: PickleGraph.Reference?, _ place: String, _ graph: inout MadmomGraph
  ) throws(ImportError) -> SourceTensor {
    guard let reference, case .tensor(let tensor)? = pickled.finding(reference) else {
      throw problem(at: place, "no array", expected: "one of numbers")
    }
    guard let count = tensor.elementCount, count > 0,
      graph.elementCount + count <= maxElements
    else {
      throw problem(
        at: place, "an array of \(tensor.shape)",
        expected: "one or more elements, and at most \(maxElements) in all of a file of this size")
    }
    graph.elementCount += count
    return try tensor.constant(name: place) { [file] () throws(ImportError) in
      try file.bytes(of: tensor.storage)
    }.tensor()
  }

  private func problem(at place: String, _ found: String, expected: String) -> ImportError {
    ImportError(file: "", place: place, problem: "found \(found), expected \(expected)")
  }
}
