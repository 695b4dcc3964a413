/// The graph of an imported model, in ONNX's operators whatever the file's format.
///
/// Readers of files make it; `Lowering` translates it to a model folder, and `Interpreter` computes it.
package struct SourceGraph: Sendable {
  package var inputs: [Input] = []
  /// The nodes, in an order in which every value is computed before it is used.
  package var nodes: [SourceNode] = []
  package var outputs: [String] = []
  package var constants: [String: SourceConstant] = [:]
  /// The version of ONNX's operators that the nodes have.
  package var opset: Int
  /// How many elements the constants may have that are read, together: a file may have many views of the same bytes.
  var maxConstants = Int.max
  /// The paths of further files with weights of the graph.
  var externalFiles: Set<String> = []
  /// Whether one of PyTorch's exporters to ONNX wrote it.
  var isFromPyTorch = false
  /// Whether tf2onnx wrote it, mostly of a Keras model.
  var isFromTensorFlow = false
  /// Whether what was computed from lengths of the example is computed in the graph too, and no number of it is one.
  var computesLengths = false
  /// The sizes of values in the exporter's example, where the file tells them and its axes are read as open.
  var examples: [String: [Int?]] = [:]
  /// The sizes of outputs, where the file tells them.
  var outputDimensions: [String: [Dimension]] = [:]
  /// What the reader of the file found, to be told.
  var notes: [String] = []

  package init(opset: Int) { self.opset = opset }

  package struct Input: Sendable, Equatable {
    package var name: String
    package var kind: SourceTensor.Kind
    package var dimensions: [Dimension]
    /// Whether the file says how many axes there are.
    var hasShape = true
    /// The sizes of the exporter's example, also of axes that are read as open; empty if the file does not tell.
    var example: [Int?] = []
    /// The sizes that axes that are open in the file had in the exporter's example; empty if the file does not tell.
    var hints: [Int?] = []
    /// Whether its fixed sizes are guesses, and not those of the file.
    var isGuessed = false

    /// Whether an axis has no size, of those from the first or another on.
    func isOpen(from axis: Int = 0) -> Bool {
      dimensions.dropFirst(axis).contains { if case .named = $0 { true } else { false } }
    }

    /// Whether its first two axes are of the sizes of another's: of the same names, or in the exporter's example.
    func liesAs(_ other: Input) -> Bool {
      guard dimensions.count >= 2, other.dimensions.count >= 2 else { return false }
      return (0..<2).allSatisfy { axis in
        dimensions[axis] == other.dimensions[axis]
          || size(axis).map { $0 == other.size(axis) } ?? false
      } && size(0) != 1
    }

    /// The size of an axis, that of the exporter's example if it is open; nil if the file does not tell.
    func size(_ axis: Int) -> Int? {
      if case .fixed(let size) = dimensions[axis] { return size }
      return example.indices.contains(axis) ? example[axis] : nil
    }

    package init(name: String, kind: SourceTensor.Kind, dimensions: [Dimension]) {
      self.name = name
      self.kind = kind
      self.dimensions = dimensions
    }
  }

  package enum Dimension: Sendable, Equatable {
    case fixed(Int)
    /// A size that is known only when the model runs; sizes of one name are equal.
    case named(String)
  }
}

/// A constant of a graph; its elements are read on demand.
package struct SourceConstant: Sendable {
  package let shape: [Int]
  package let kind: SourceTensor.Kind
  package let load: @Sendable () throws(ImportError) -> [Double]
  /// The least and the largest number of its type, if that has 8 or 16 bits.
  package var limits: [Int]?
  /// Whether its type is one of floats of 16 bits.
  package var isHalf = false

  package init(
    shape: [Int], kind: SourceTensor.Kind,
    load: @escaping @Sendable () throws(ImportError) -> [Double]
  ) {
    self.shape = shape
    self.kind = kind
    self.load = load
  }

  package init(_ tensor: SourceTensor) {
    self.init(shape: tensor.shape, kind: tensor.kind) { () throws(ImportError) in tensor.elements }
  }

  package func tensor() throws(ImportError) -> SourceTensor {
    let elements = try load()
    guard let count = RowMajor.count(shape),
      elements.count == count || elements.count == 1 && count <= SourceTensor.maxElements
    else {
      throw ImportError(
        file: "",
        problem:
          "found \(elements.count) elements for a constant of \(shape), expected as many as that")
    }
    return SourceTensor(shape: shape, kind: kind, elements: elements)
  }
}

/// One operation of a graph.
package struct SourceNode: Sendable {
  /// The node's name in its file, or its first output's.
  package var name: String
  /// ONNX's name of the operator; with a domain other than ONNX's, `domain.name`.
  package var op: String
  /// The names of input values; empty for an omitted optional input.
  package var inputs: [String]
  /// The names of output values; empty for an omitted one.
  package var outputs: [String]
  package var attributes: [String: SourceAttribute]

  package init(
    name: String, op: String, inputs: [String], outputs: [String],
    attributes: [String: SourceAttribute] = [:]
  ) {
    self.name = name
    self.op = op
    self.inputs = inputs
    self.outputs = outputs
    self.attributes = attributes
  }
}

package enum SourceAttribute: Sendable {
  case integer(Int)
  case float(Double)
  case text(String)
  case integers([Int])
  case floats([Double])
  case texts([String])
  case tensor(SourceConstant)
  case graph(SourceGraph)
}

extension SourceNode {
  /// A whole number, such as an axis or a size; one beyond any size is the largest one, so that sums of some thousands need no check.
  func integer(_ key: String) -> Int? {
    if case .integer(let value)? = attributes[key] { SourceTensor.integer(value) } else { nil }
  }

  func integer(_ key: String, default value: Int) -> Int { integer(key) ?? value }

  func float(_ key: String) -> Double? {
    if case .float(let value)? = attributes[key] { value } else { nil }
  }

  func text(_ key: String, default value: String) -> String {
    if case .text(let text)? = attributes[key] { text } else { value }
  }

  func integers(_ key: String) -> [Int]? {
    if case .integers(let values)? = attributes[key] {
      values.map(SourceTensor.integer)
    } else {
      nil
    }
  }

  func floats(_ key: String) -> [Double]? {
    if case .floats(let values)? = attributes[key] { values } else { nil }
  }

  func texts(_ key: String) -> [String]? {
    if case .texts(let values)? = attributes[key] { values } else { nil }
  }

  func graph(_ key: String) -> SourceGraph? {
    if case .graph(let graph)? = attributes[key] { graph } else { nil }
  }

  /// The values that it reads, also within graphs of its own.
  var needed: [String] {
    inputs
      + attributes.values.flatMap { attribute -> [String] in
        if case .graph(let graph) = attribute { graph.nodes.flatMap(\.needed) } else { [] }
      }
  }

  /// The name of an input; nil if it is omitted.
  func input(_ index: Int) -> String? {
    index < inputs.count && !inputs[index].isEmpty ? inputs[index] : nil
  }

  /// The name of an output; nil if it is omitted.
  func output(_ index: Int) -> String? {
    index < outputs.count && !outputs[index].isEmpty ? outputs[index] : nil
  }
}
