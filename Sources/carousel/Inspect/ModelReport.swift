import Inference
import ModelFormat

/// What a model is, for people (`text`) and as JSON.
struct ModelReport: Encodable {
  let name: String
  let version: String
  let summary: String?
  let source: String?
  let licence: String?
  let inputs: [Input]
  let nodes: [Node]
  let outputs: [Output]
  /// Numbers in the tensors that the graph reads.
  let parameters: Int
  /// Bytes of those tensors in the file.
  let bytes: Int
  /// What the weights of the lstms are kept as in memory.
  let precision: String
  /// Bytes of weights in memory, packed for the kernels.
  let packedBytes: Int
  /// Whether sequences ride step by step.
  let streamable: Bool
  /// Steps that one forecast foretells; nil where the model is no forecaster.
  let forecastSteps: Int?
  /// What `outputs` is where a question does not say.
  let defaultOutputs: String
  let unusedTensors: [String]
  /// What the precision costs, where it was measured.
  let deviation: Deviation?

  struct Input: Encodable {
    let name: String
    let kind: String
    let size: Int
    /// Whether the model takes raw units and normalises them itself.
    let normalised: Bool
    /// Whether text is taken for tokens.
    let text: Bool
  }

  struct Node: Encodable {
    let name: String
    let op: String
    let inputs: [String]
    let kind: String
    let size: Int
    /// What more there is to say of an lstm.
    let shape: String?
    let parameters: Int
  }

  struct Output: Encodable {
    let name: String
    let kind: String
    let size: Int
    let labels: [String]?
    let forecasts: String?
  }

  private enum CodingKeys: String, CodingKey {
    case name, version, summary, source, licence, inputs, nodes, outputs, parameters, bytes,
      precision
    case packedBytes = "packed_bytes"
    case streamable
    case forecastSteps = "forecast_steps"
    case defaultOutputs = "default_outputs"
    case unusedTensors = "unused_tensors"
    case deviation
  }

  init(_ graph: ModelGraph, deviation: Deviation? = nil) {
    let model = graph.model
    let description = model.description
    name = description.name
    version = description.version
    summary = description.summary
    source = description.source
    licence = description.licence
    inputs = description.inputs.map(Input.init)
    nodes = model.nodes.map { node in
      Node(
        name: node.name, op: node.op.name, inputs: node.inputs.map { Self.name($0, of: model) },
        kind: node.form.kind, size: node.size, shape: node.lstm.map(Self.text),
        parameters: node.op.hasTensors
          ? model.tensors.elementCount(under: node.weights ?? node.name) : 0)
    }
    outputs = model.outputs.map { output in
      Output(
        name: output.name, kind: output.form.kind, size: output.size, labels: output.labels,
        forecasts: output.forecasts.map { description.inputs[$0].name })
    }
    unusedTensors = model.unusedTensors
    parameters = model.parameterCount
    bytes = model.tensors.byteCount(except: Set(unusedTensors))
    precision = graph.precision.rawValue
    packedBytes = graph.packedByteCount
    streamable = graph.isStreamable
    forecastSteps = graph.forecastSteps
    defaultOutputs = graph.defaultSelection.rawValue
    self.deviation = deviation
  }

  private static func name(_ reference: Model.ValueReference, of model: Model) -> String {
    switch reference {
    case .input(let index): model.description.inputs[index].name
    case .node(let index): model.nodes[index].name
    case .hidden(let index): model.nodes[index].name + ".hidden"
    case .cell(let index): model.nodes[index].name + ".cell"
    }
  }

  private static func text(_ shape: Model.LSTMShape) -> String {
    var parts = ["\(shape.inputSize)→\(shape.hiddenSize)"]
    if let size = shape.projectionSize { parts.append("projected to \(size)") }
    parts.append(shape.layers == 1 ? "1 layer" : "\(shape.layers) layers")
    if shape.bidirectional { parts.append("both directions") }
    return parts.joined(separator: ", ")
  }
}

extension ModelReport.Input {
  fileprivate init(_ input: ModelDescription.Input) {
    name = input.name
    kind = input.kind.form.kind
    size = input.kind.size
    switch input.kind {
    case .features(_, let mean, let scale):
      normalised = mean != nil || scale != nil
      text = false
    case .tokens(_, let vocabulary):
      normalised = false
      text = vocabulary != nil
    case .vector:
      normalised = false
      text = false
    }
  }
}

extension TensorFile {
  /// The elements of the tensors whose names begin with `prefix` and a point.
  fileprivate func elementCount(under prefix: String) -> Int {
    names.filter { $0.hasPrefix(prefix + ".") }.reduce(0) { $0 + elementCount(of: $1) }
  }

  /// What the tensors but `excluded` take of the file.
  fileprivate func byteCount(except excluded: Set<String>) -> Int {
    names.filter { !excluded.contains($0) }.reduce(0) { sum, name in
      sum + elementCount(of: name) * (dtype(of: name)?.bits ?? 0) / 8
    }
  }
}
