/// An op of `model.json`: its name, inputs, attributes and tensors, and the form of its value.
///
/// An op is a file with a struct of this protocol, and a row in `ModelDescription.Op.all`. Its stored properties are its
/// attributes. Its computation is a file in `Inference`.
package protocol OpDefinition: Sendable, Equatable {
  /// The op with the defaults of its attributes.
  init()
  /// The op's name in `model.json`.
  static var name: String { get }
  /// The op's row of FORMAT.md.
  static var documentation: OpDocumentation { get }
  /// The number of inputs that the op takes.
  static var inputCount: ClosedRange<Int> { get }
  /// The names of the op's tensors, without the node's prefix; empty for ops without tensors, whose nodes have no prefix.
  static var tensors: [String] { get }
  /// The keys of the op's nodes that nodes of other ops do not have.
  static var attributes: [OpAttribute<Self>] { get }
  /// Whether the op's inputs may have different axes.
  static var combinesAxes: Bool { get }
  /// The index of the input whose steps a mask selects; nil if the op takes no mask.
  static var maskedInput: Int? { get }

  /// Checks the forms of the node's inputs and the shapes of its tensors, and infers the form of its value.
  mutating func resolve(_ node: inout NodeResolution) throws(ModelError) -> Model.ValueForm
}

extension OpDefinition {
  package static var inputCount: ClosedRange<Int> { 1...1 }
  package static var tensors: [String] { [] }
  package static var combinesAxes: Bool { false }
  package static var maskedInput: Int? { nil }
  package static var attributes: [OpAttribute<Self>] { [] }

  /// The default, for an op that works on each step, or on a vector, and keeps the size.
  package func resolve(_ node: inout NodeResolution) throws(ModelError) -> Model.ValueForm {
    _ = try node.size(of: node.arguments[0])
    return node.arguments[0].form
  }
}

/// The cells of an op's row in FORMAT.md, between its name and the end.
package struct OpDocumentation: Sendable, Equatable {
  package let inputs: String
  /// The cell of tensors and attributes.
  package let parameters: String
  package let result: String

  init(inputs: String, parameters: String = "", result: String) {
    self.inputs = inputs
    self.parameters = parameters
    self.result = result
  }
}

extension ModelDescription {
  /// An op with its attributes.
  package struct Op: Sendable, Equatable {
    package private(set) var definition: any OpDefinition

    init(_ definition: some OpDefinition) {
      self.definition = definition
    }

    package static func == (first: Op, second: Op) -> Bool {
      first.definition.isEqual(to: second.definition)
    }

    /// The op's name in `model.json`.
    package var name: String { type(of: definition).name }
    package var documentation: OpDocumentation { type(of: definition).documentation }
    var inputCount: ClosedRange<Int> { type(of: definition).inputCount }
    var combinesAxes: Bool { type(of: definition).combinesAxes }
    /// The index of the input whose steps a mask selects; nil if the op takes no mask.
    package var maskedInput: Int? { type(of: definition).maskedInput }
    /// The names of the op's tensors, without the node's prefix.
    var tensors: [String] { type(of: definition).tensors }
    /// The keys of a node that only this op has.
    var attributeKeys: [String] { definition.attributeKeys }

    /// Reads the attributes that are present.
    mutating func read(_ node: JSONObject) throws(ModelError) {
      try definition.read(node)
    }

    /// The attributes as JSON, without omitted ones.
    package var attributes: [(key: String, json: String)] { definition.writtenAttributes }

    /// Checks the attributes, without the tensors.
    func check(path: String) throws(ModelError) {
      try definition.check(path: path)
    }

    mutating func resolve(_ node: inout NodeResolution) throws(ModelError) -> Model.ValueForm {
      try definition.resolve(&node)
    }
  }
}

extension OpDefinition {
  fileprivate func isEqual(to other: any OpDefinition) -> Bool { other as? Self == self }

  fileprivate var attributeKeys: [String] { Self.attributes.map(\.key) }

  fileprivate mutating func read(_ node: JSONObject) throws(ModelError) {
    for attribute in Self.attributes {
      if let field = node[attribute.key] { try attribute.read(field, &self) }
    }
  }

  fileprivate var writtenAttributes: [(key: String, json: String)] {
    Self.attributes.compactMap { attribute in
      attribute.json(self).map { (attribute.key, $0) }
    }
  }

  fileprivate func check(path: String) throws(ModelError) {
    for attribute in Self.attributes { try attribute.check(self, "\(path).\(attribute.key)") }
  }
}
