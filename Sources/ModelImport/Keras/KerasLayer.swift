import JSON

/// A layer of a Keras model, by its configuration.
struct KerasLayer {
  let className: String
  let name: String
  /// The Python module of the class in Keras 3: `keras.layers`, or `keras.src.ops.…` for a function.
  let module: String
  let members: [JSONValue.Member]
  let source: KerasSource
  /// Whether the class is not Keras's but one of the model's authors, which may have the name of one of Keras's.
  let isCustom: Bool
  /// The names of the surrounding models and its own: `encoder/lstm`.
  var path: String

  /// - Parameter value: an object with `class_name` and `config`, in Keras 1 and 2 perhaps also with `name`.
  init(_ value: JSONValue, in parent: String, source: KerasSource) throws(ImportError) {
    guard let className = value["class_name"]?.string, let config = value["config"] else {
      throw source.refusal(
        place: parent.isEmpty ? nil : parent,
        "found \(value.kind), expected a layer: an object with \"class_name\" and \"config\"")
    }
    self.className = String(className.split(separator: ">").last ?? "")
    module = value["module"]?.string ?? ""
    let place = module
    let registered = value["registered_name"]?.string
    // Classes of Keras 3's own have a module.
    isCustom =
      className.contains(">") || registered?.contains(">") == true
      || (place.isEmpty
        ? registered != nil || source.version > 1 && Self.lacksOwnMember(self.className, config)
        : !Self.modules.contains { place.hasPrefix($0) })
    // The configuration of a Sequential model of Keras 1 is just the array of layers.
    members = config.members ?? [JSONValue.Member(key: "layers", value: config)]
    name =
      value["name"]?.string ?? config["name"]?.string
      ?? KerasWeightStore.snakeCase(self.className)
    self.source = source
    path = parent.isEmpty ? name : "\(parent)/\(name)"
  }

  private static let modules = ["keras", "tf_keras", "tensorflow", "builtins"]

  /// What every version since Keras 2 writes of its own layers. `.h5` does not say whose a class is, and one of the model's authors
  /// may have the same name.
  private static let ownMembers = [
    "Attention": "use_scale", "AdditiveAttention": "use_scale", "MultiHeadAttention": "num_heads",
    "GroupQueryAttention": "num_query_heads", "LayerNormalization": "epsilon",
    "GroupNormalization": "groups", "UnitNormalization": "axis", "RMSNormalization": "epsilon",
    "BatchNormalization": "epsilon", "SpectralNormalization": "layer", "Dense": "units",
    "EinsumDense": "equation", "Embedding": "input_dim", "LSTM": "units", "GRU": "units",
    "SimpleRNN": "units", "Conv1D": "filters", "Rescaling": "scale", "Dropout": "rate",
  ]

  private static func lacksOwnMember(_ name: String, _ config: JSONValue) -> Bool {
    config.members?.isEmpty == true || ownMembers[name].map { config[$0] == nil } ?? false
  }

  subscript(key: String) -> JSONValue? {
    guard let value = members.first(where: { $0.key == key })?.value, value != .null else {
      return nil
    }
    return value
  }

  /// Whether the layer is itself a model.
  var isModel: Bool {
    self["layers"] != nil
      && (className == "Sequential" || self["output_layers"] != nil || self["input_layers"] != nil)
  }

  /// Whether the layer is a function's call, which Keras writes like a layer. Keras 3 writes no modules to `.h5`, but
  /// functions have no members of their own there besides their arguments.
  var isFunction: Bool {
    guard module.isEmpty else { return module.contains(".ops") && !module.contains("layers") }
    return source.version == 3 && self["trainable"] == nil && self["dtype"] == nil && !isModel
  }

  // MARK: Refusals

  /// The layer's place in a message: `LSTM "encoder/lstm"`.
  var place: String { "\(className) \(path.jsonExcerpt)" }

  func refusal(_ problem: String, remedy: String? = nil) -> ImportError {
    source.refusal(place: place, problem, remedy: remedy)
  }

  private func refusal(of key: String, expected: String) -> ImportError {
    refusal("\(key): found \(self[key]?.kind ?? "nothing"), expected \(expected)")
  }

  // MARK: Members of the configuration

  func bool(_ key: String, _ standard: Bool = false) throws(ImportError) -> Bool {
    switch self[key] {
    case nil: return standard
    case .bool(let value): return value
    case .number(let text): return text != "0"
    default: throw refusal(of: key, expected: "true or false")
    }
  }

  func text(_ key: String) throws(ImportError) -> String? {
    guard let value = self[key] else { return nil }
    guard let text = value.string else { throw refusal(of: key, expected: "a text") }
    return text
  }

  /// A number; Keras 2 writes a NumPy number as an object with its value.
  func number(_ key: String, _ standard: Double) throws(ImportError) -> Double {
    guard let value = self[key] else { return standard }
    guard let number = (value["value"] ?? value).number, number.isFinite else {
      throw refusal(of: key, expected: "a finite number")
    }
    return number
  }

  /// A whole number from 0 to a million.
  func integer(_ key: String, _ standard: Int? = nil) throws(ImportError) -> Int {
    if self[key] == nil, let standard { return standard }
    guard let integer = self[key]?.integer, (0...Self.maxSize).contains(integer) else {
      throw refusal(of: key, expected: "a whole number from 0 to \(Self.maxSize)")
    }
    return integer
  }

  /// A whole number, or an array of one: for kernels, strides and pools over one axis.
  func single(_ key: String, _ standard: Int? = nil) throws(ImportError) -> Int {
    guard case .array(let elements) = self[key] else { return try integer(key, standard) }
    guard elements.count == 1, let number = elements[0].integer,
      (0...Self.maxSize).contains(number)
    else {
      throw refusal(of: key, expected: "one whole number from 0 to \(Self.maxSize)")
    }
    return number
  }

  /// Whole numbers in an array; a single one counts as an array of one.
  func integers(_ key: String) throws(ImportError) -> [Int]? {
    guard let value = self[key] else { return nil }
    guard let numbers = value.integers,
      numbers.allSatisfy({ (-Self.maxSize...Self.maxSize).contains($0) })
    else {
      throw refusal(of: key, expected: "whole numbers")
    }
    return numbers
  }

  /// The largest size that a configuration may have.
  static let maxSize = 4_194_304
  /// The most numbers of a matrix that is made of a layer.
  static let maxWeights = 1 << 24
  /// Those of an axis.
  static let sizes = 1...maxSize
  /// What may be added to an end of an axis, or cut from it.
  static let ends = 0...maxSize

  /// The layer inside a wrapper.
  func layer(_ key: String) throws(ImportError) -> KerasLayer? {
    guard let value = self[key] else { return nil }
    return try KerasLayer(value, in: path, source: source)
  }
}

/// The file of a model, and the Keras that wrote it.
struct KerasSource {
  let file: String
  /// Keras's major version: 1, 2 or 3.
  let version: Int
  /// The number behind the major version's point; nil if the file does not say, which the newest is taken for.
  var minor: Int?
  /// Whether a Bidirectional answers masked steps with zeros: true except in standalone Keras, apart from TensorFlow.
  var answersZeros = true
  /// The version that wrote the weights, where it had hard gates and the one that wrote the layers has not.
  var olderWeights: String?

  /// The major version in a text such as `2.2.4-tf`.
  static func version(of text: String?) -> Int {
    // Keras wrote no version before 1.2.
    guard let text, let major = Int(text.prefix { $0.isNumber }) else { return 1 }
    return min(max(major, 1), 3)
  }

  /// The number behind the major version's point.
  static func minor(of text: String?) -> Int? {
    let parts = text?.split(separator: ".") ?? []
    return parts.count > 1 ? Int(parts[1].prefix { $0.isNumber }) : nil
  }

  /// Whether Keras 3.`minor` or a later one wrote the file.
  func isKeras3(since minor: Int) -> Bool { version == 3 && self.minor ?? .max >= minor }

  /// Whether the text is the version of standalone Keras: up to 2.3.1, without `-tf`.
  static func isApart(_ text: String?) -> Bool {
    guard let text, version(of: text) == 2 else { return version(of: text) == 1 }
    return ["2.0.", "2.1.", "2.2.", "2.3."].contains { text.hasPrefix($0) }
      && !text.hasSuffix("-tf")
  }

  /// Whether the recurrent layers of the version in `text` had `hard_sigmoid` as their gates' activation where nothing else
  /// was given: those of standalone Keras before 2.3.
  static func hasHardGates(_ text: String?) -> Bool {
    isApart(text) && text?.hasPrefix("2.3.") != true
  }

  func refusal(place: String?, _ problem: String, remedy: String? = nil) -> ImportError {
    ImportError(file: file, place: place, problem: problem, remedy: remedy)
  }
}
