import JSON

/// The graph of a model: its layers, their calls, its inputs and outputs.
struct KerasModel {
  /// The model as a layer.
  let layer: KerasLayer
  var layers: [Entry] = []
  /// The names of the input layers, in order; for a Sequential model, of its first layer's input.
  var inputs: [String] = []
  /// The inputs' names in a dictionary that the model is called with, if it was made with one.
  private(set) var inputKeys: [String]?
  var outputs: [Tensor] = []
  /// The outputs' names, if the model answers with a dictionary.
  private(set) var outputKeys: [String]?

  /// A layer with its calls, in order.
  struct Entry {
    let layer: KerasLayer
    var calls: [Call]
  }

  /// An output of a call of a layer. Calls count from 0.
  struct Tensor: Equatable {
    let layer: String
    var call: Int
    let output: Int
  }

  struct Call {
    var arguments: [Argument] = []
    var named: [(key: String, value: Argument)] = []
  }

  enum Argument {
    case tensor(Tensor)
    case list([Argument])
    // Not pairs, which the compiler may take for a circle.
    case dictionary(keys: [String], [Argument])
    case constant(JSONValue)
  }

  /// What to do where the first layers can't be carried.
  static let remedyInParts =
    "save the layers behind this one, whose input is what it makes: y = model.get_layer(NAME).output, of the last layer that "
    + "can't be carried; keras.Model(y, model.outputs).save('model.keras'), of several inputs [y, the others]; and send what "
    + "keras.Model(model.inputs, y).predict() answers"

  /// The most layers of a model; Keras's own largest models have some hundreds.
  static let maxLayers = 2000

  init(_ layer: KerasLayer) throws(ImportError) {
    self.layer = layer
    guard let values = layer["layers"]?.elements, !values.isEmpty,
      values.count <= Self.maxLayers
    else {
      throw layer.refusal(
        "found \(layer["layers"]?.kind ?? "no layers"), expected 1 to \(Self.maxLayers) layers")
    }
    if layer.className == "Sequential" {
      try readSequence(of: values)
    } else {
      try readGraph(of: values)
    }
  }

  // MARK: Sequential

  private mutating func readSequence(of values: [JSONValue]) throws(ImportError) {
    var previous: Tensor?
    for value in values {
      let entry = try KerasLayer(value, in: layer.path, source: layer.source)
      let call: Call
      if let previous {
        call = Call(arguments: [.tensor(previous)])
      } else if entry.className == "InputLayer" {
        call = Call()
      } else {
        // The input of a Sequential model without an input layer.
        let input = "\(entry.name)_input"
        inputs = [input]
        call = Call(arguments: [.tensor(Tensor(layer: input, call: 0, output: 0))])
      }
      if entry.className == "InputLayer" { inputs = [entry.name] }
      guard !layers.contains(where: { $0.layer.name == entry.name }) else {
        throw entry.refusal("found a second layer of this name")
      }
      layers.append(Entry(layer: entry, calls: [call]))
      previous = Tensor(layer: entry.name, call: 0, output: 0)
    }
    if let previous { outputs = [previous] }
  }

  // MARK: Functional

  private mutating func readGraph(of values: [JSONValue]) throws(ImportError) {
    var names: Set<String> = []
    for value in values {
      let entry = try KerasLayer(value, in: layer.path, source: layer.source)
      let name = value["name"]?.string ?? entry.name
      guard names.insert(name).inserted else {
        throw entry.refusal("found a second layer of this name")
      }
      var calls: [Call] = []
      for node in value["inbound_nodes"]?.elements ?? [] {
        calls.append(try call(node, of: entry))
      }
      layers.append(Entry(layer: entry, calls: calls))
    }
    inputs = try tensors(layer["input_layers"], key: "input_layers").map(\.layer)
    inputKeys = Self.keys(of: layer["input_layers"])
    outputs = try tensors(layer["output_layers"], key: "output_layers")
    outputKeys = Self.keys(of: layer["output_layers"])
    countCallsFromZero()
  }

  private static func keys(of value: JSONValue?) -> [String]? {
    guard let members = value?.members, !members.isEmpty else { return nil }
    return members.map(\.key)
  }

  /// Makes calls of nested models count from 0: they count from 1, as the model itself has a node first. Keras 3.2 and later
  /// count so in the outputs alone.
  private mutating func countCallsFromZero() {
    let isOnlyInOutputs = layer.source.isKeras3(since: 2)
    let nested = layers.map(\.layer).filter {
      $0.isModel && !(isOnlyInOutputs && $0.className == "Sequential")
    }
    var first = Dictionary(nested.map { ($0.name, 1) }) { first, _ in first }
    if !isOnlyInOutputs {
      let arguments = layers.flatMap(\.calls).flatMap { $0.arguments + $0.named.map(\.value) }
      for tensor in arguments.flatMap(\.tensors) + outputs where tensor.call == 0 {
        first[tensor.layer] = 0
      }
      for index in layers.indices {
        for call in layers[index].calls.indices {
          layers[index].calls[call].subtract(first)
        }
      }
    }
    for index in outputs.indices { outputs[index].call -= first[outputs[index].layer] ?? 0 }
  }

  private func call(_ node: JSONValue, of layer: KerasLayer) throws(ImportError) -> Call {
    var call = Call()
    if let arguments = node["args"]?.elements {
      // Keras 3.
      call.arguments = arguments.map { Argument(keras3: $0) }
      for member in node["kwargs"]?.members ?? [] where !Argument.isEmpty(member.value) {
        call.named.append((member.key, Argument(keras3: member.value)))
      }
      return call
    }
    // Keras 1 and 2: an array of tensors as [layer, call, output, named arguments]; for a function, a single one.
    guard var elements = node.elements else {
      throw layer.refusal("inbound_nodes: found \(node.kind), expected an array")
    }
    if case .string? = elements.first { elements = [node] }
    for element in elements {
      guard let parts = element.elements, parts.count >= 3 else {
        throw layer.refusal("inbound_nodes: found \(element.kind), expected [layer, call, output]")
      }
      if parts[0].string == "_CONSTANT_VALUE" {
        call.arguments.append(.constant(parts[2]))
      } else if let tensor = Tensor(element) {
        call.arguments.append(.tensor(tensor))
      } else {
        throw layer.refusal("inbound_nodes: found \(element.text), expected [layer, call, output]")
      }
      guard parts.count > 3 else { continue }
      // None in the place of a mask is another thing than none given.
      for member in parts[3].members ?? [] where member.value != .null || member.key == "mask" {
        call.named.append((member.key, Argument(keras2: member.value)))
      }
    }
    return call
  }

  /// A tensor, an array of tensors, or an object of named tensors.
  private func tensors(_ value: JSONValue?, key: String) throws(ImportError) -> [Tensor] {
    guard let value else { throw layer.refusal("found no \(key)") }
    if let tensor = Tensor(value) { return [tensor] }
    var found: [Tensor] = []
    for element in value.elements ?? value.members?.map(\.value) ?? [] {
      guard let tensor = Tensor(element) else {
        throw layer.refusal("\(key): found \(element.kind), expected [layer, call, output]")
      }
      found.append(tensor)
    }
    guard !found.isEmpty else { throw layer.refusal("\(key): found \(value.kind), expected some") }
    return found
  }
}

extension KerasModel.Tensor {
  /// `[layer, call, output]`, perhaps followed by named arguments.
  init?(_ value: JSONValue) {
    guard let parts = value.elements, (3...4).contains(parts.count),
      let layer = parts[0].string, let call = parts[1].integer, let output = parts[2].integer,
      call >= 0, output >= 0
    else { return nil }
    self.init(layer: layer, call: call, output: output)
  }
}

extension KerasModel.Argument {
  init(keras3 value: JSONValue) {
    if value["class_name"]?.string == "__keras_tensor__",
      let history = value["config"]?["keras_history"], let tensor = KerasModel.Tensor(history)
    {
      self = .tensor(tensor)
    } else if let elements = value.elements {
      self = .list(elements.map { Self(keras3: $0) })
    } else if value["class_name"]?.string == "__tuple__",
      let elements = (value["items"] ?? value["config"]?["value"])?.elements
    {
      self = .list(elements.map { Self(keras3: $0) })
    } else if let members = value.members, !members.isEmpty, value["class_name"] == nil {
      self = .dictionary(keys: members.map(\.key), members.map { Self(keras3: $0.value) })
    } else {
      self = .constant(value)
    }
  }

  /// Whether it holds nothing, as the masks of a model that is called with a dictionary.
  static func isEmpty(_ value: JSONValue) -> Bool {
    value == .null
      || value["class_name"] == nil
        && value.members.map { !$0.isEmpty && $0.allSatisfy { $0.value == .null } } ?? false
  }

  init(keras2 value: JSONValue) {
    if let tensor = KerasModel.Tensor(value) {
      self = .tensor(tensor)
    } else if let elements = value.elements, elements.contains(where: { $0.elements != nil }) {
      self = .list(elements.map { Self(keras2: $0) })
    } else {
      self = .constant(value)
    }
  }

  /// The tensors in it, in order.
  var tensors: [KerasModel.Tensor] {
    switch self {
    case .tensor(let tensor): [tensor]
    case .list(let arguments): arguments.flatMap(\.tensors)
    case .dictionary(_, let values): values.flatMap(\.tensors)
    case .constant: []
    }
  }

  /// The argument with calls that count from 0.
  func subtracting(_ first: [String: Int]) -> Self {
    switch self {
    case .tensor(var tensor):
      tensor.call -= first[tensor.layer] ?? 0
      return .tensor(tensor)
    case .list(let arguments): return .list(arguments.map { $0.subtracting(first) })
    case .dictionary(let keys, let values):
      return .dictionary(keys: keys, values.map { $0.subtracting(first) })
    case .constant: return self
    }
  }
}

extension KerasModel.Call {
  mutating func subtract(_ first: [String: Int]) {
    arguments = arguments.map { $0.subtracting(first) }
    named = named.map { ($0.key, $0.value.subtracting(first)) }
  }
}
