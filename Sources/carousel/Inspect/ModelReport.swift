import Inference
import ModelFormat

/// A description of a model, for people (`text`) and as JSON.
struct ModelReport: Encodable {
  let name: String
  let version: String
  var summary: String?
  let source: String?
  let licence: String?
  let inputs: [Input]
  let nodes: [Node]
  let outputs: [Output]
  /// The decoder; nil for a model that answers with its outputs.
  let decoder: Decoder?
  /// The number of elements in the tensors that the graph reads.
  let parameters: Int
  /// The bytes of those tensors in the file.
  let bytes: Int
  /// The precision in memory of the recurrent networks' weights.
  let precision: String
  /// The bytes of weights in memory, packed for the kernels.
  let packedBytes: Int
  /// Whether the model computes step by step, without the whole sequence.
  let streamable: Bool
  /// The steps of one forecast; nil for a model that does not forecast.
  let forecastSteps: Int?
  /// The default of `outputs`.
  let defaultOutputs: String
  var unusedTensors: [String]
  /// The difference that the precision makes, if it was measured.
  let deviation: Deviation?

  struct Input: Encodable {
    let name: String
    let kind: String
    let size: Int
    /// Whether the model takes raw units and normalises them itself.
    let normalised: Bool
    /// Whether text is accepted as tokens.
    let text: Bool
  }

  struct Node: Encodable {
    let name: String
    let op: String
    let inputs: [String]
    let kind: String
    let size: Int
    /// Further facts about a recurrent network.
    let shape: String?
    let parameters: Int
  }

  struct Output: Encodable {
    let name: String
    let kind: String
    let size: Int
    /// Whether the output has an answer at every step.
    let everyStep: Bool
    let labels: [String]?
    let forecasts: String?
    let quantiles: [Float]?
    let decode: String?
    let reconstructs: String?

    private enum CodingKeys: String, CodingKey {
      case name, kind, size
      case everyStep = "every_step"
      case labels, forecasts, quantiles, decode, reconstructs
    }
  }

  private enum CodingKeys: String, CodingKey {
    case name, version, summary, source, licence, inputs, nodes, outputs, decoder, parameters,
      bytes, precision
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
    nodes = Self.nodes(of: model)
    decoder = model.decoder.map { Decoder($0, of: model) }
    outputs = model.outputs.enumerated().map { index, output in
      Output(
        name: output.name, kind: output.form.kind, size: output.size,
        everyStep: graph.answersEveryStep(output: index), labels: output.labels,
        forecasts: output.forecasts.map { description.inputs[$0].name },
        quantiles: description.outputs[index].quantiles, decode: output.decode?.name,
        reconstructs: output.reconstructs.map { description.inputs[$0.input].name })
    }
    unusedTensors = model.unusedTensors
    parameters = model.parameterCount
    bytes = model.tensors.byteCount(except: Set(unusedTensors))
    precision = graph.precision.rawValue
    packedBytes = graph.packedByteCount
    streamable = graph.isStreamable
    forecastSteps = graph.forecastSteps
    defaultOutputs = Self.text(graph.defaultSelection, of: model)
    self.deviation = deviation
  }

  static func nodes(of model: Model) -> [Node] {
    model.nodes.map { node in
      Node(
        name: node.name, op: node.op.name, inputs: inputs(of: node, in: model),
        kind: node.form.kind, size: node.size, shape: networkText(of: node),
        parameters: node.tensors.reduce(0) { $0 + model.tensors.elementCount(of: $1) })
    }
  }

  private static func name(_ reference: Model.ValueReference, of model: Model) -> String {
    switch reference {
    case .input(let index): model.description.inputs[index].name
    case .node(let index): model.nodes[index].name
    case .hidden(let index, let layer): model.nodes[index].stateName("hidden", layer: layer)
    case .cell(let index, let layer): model.nodes[index].stateName("cell", layer: layer)
    }
  }

  /// The names of a node's inputs; a c₀ without an h₀ has a dash before it.
  private static func inputs(of node: Model.ResolvedNode, in model: Model) -> [String] {
    var names = node.inputs.map { name($0, of: model) }
    if node.initialHidden == nil, node.initialCell != nil { names.insert("-", at: 1) }
    if let mask = node.mask { names.append("mask: \(name(mask, of: model))") }
    return names
  }

  /// `last`, `all`, or one of these for each output.
  private static func text(_ selection: Selection, of model: Model) -> String {
    guard case .each(let steps) = selection else { return selection.steps(ofOutput: 0).rawValue }
    return zip(model.outputs, steps).map { "\($0.name) \($1.rawValue)" }.joined(separator: ", ")
  }

  private static func networkText(of node: Model.ResolvedNode) -> String? {
    guard let shape = node.recurrent else { return nil }
    var parts = ["\(shape.inputSize)→\(shape.hiddenSize)"]
    if let size = shape.projectionSize { parts.append("projected to \(size)") }
    parts.append(shape.layers == 1 ? "1 layer" : "\(shape.layers) layers")
    if shape.bidirectional { parts.append("both directions") }
    if shape.isReverse { parts.append("in reverse") }
    if shape.hasPeepholes { parts.append("peepholes") }
    if shape.hasInitialState { parts.append("initial states of its own") }
    for (key, json) in node.op.attributes where key != "direction" {
      parts.append("\(key) \(json)")
    }
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
  /// The bytes in the file of all tensors except `excluded`.
  fileprivate func byteCount(except excluded: Set<String>) -> Int {
    names.filter { !excluded.contains($0) }.reduce(0) { sum, name in
      sum + elementCount(of: name) * (dtype(of: name)?.bits ?? 0) / 8
    }
  }
}

extension Model.ResolvedNode {
  /// The name of a layer's final state; the last layer's has the network's own name.
  fileprivate func stateName(_ state: String, layer: Int) -> String {
    layer + 1 == recurrent?.layers ? "\(name).\(state)" : "\(name).\(state).\(layer)"
  }
}
