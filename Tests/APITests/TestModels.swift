import HTTPCore
import Inference
import ModelFormat
import Scheduling

@testable import API

/// Models whose answers can be told by heart.
enum TestModels {
  /// Two features a step, given back as they are.
  static func echo(size: Int = 2, name: String = "echo") throws -> Model {
    try model(
      name, inputs: [.init(name: "x", kind: .features(size: size, mean: nil, scale: nil))],
      nodes: [affine("y", "x", size: size)], outputs: ["y"])
  }

  /// One feature; foretells two steps: the last one plus 1 and plus 2.
  static func counter() throws -> Model {
    try model(
      "counter", inputs: [.init(name: "x", kind: .features(size: 1, mean: nil, scale: nil))],
      nodes: [
        .init(name: "last", op: .last, inputs: ["x"], weights: nil),
        .init(name: "twice", op: .concat, inputs: ["last", "last"], weights: nil),
        affine("y", "twice", size: 2, shift: [1, 2]),
      ], outputs: ["y"], forecasts: "x", labels: ["next", "after"])
  }

  /// Two features; foretells one step: the last one plus 1 and plus 10.
  static func twoCounters() throws -> Model {
    try model(
      "two", inputs: [.init(name: "x", kind: .features(size: 2, mean: nil, scale: nil))],
      nodes: [
        .init(name: "last", op: .last, inputs: ["x"], weights: nil),
        affine("y", "last", size: 2, shift: [1, 10]),
      ], outputs: ["y"], forecasts: "x")
  }

  /// One feature; foretells one step, the largest float times as much.
  static func runaway() throws -> Model {
    try model(
      "runaway", inputs: [.init(name: "x", kind: .features(size: 1, mean: nil, scale: nil))],
      nodes: [
        .init(name: "last", op: .last, inputs: ["x"], weights: nil),
        .init(
          name: "y", op: .affine(scale: [.greatestFiniteMagnitude], shift: nil),
          inputs: ["last"], weights: nil),
      ], outputs: ["y"], forecasts: "x")
  }

  /// Tokens; answers ten times the id of each step.
  static func tokens(
    vocabulary: [String]? = nil, name: String = "tokens", example: String? = nil
  ) throws -> Model {
    try model(
      name, inputs: [.init(name: "t", kind: .tokens(size: 4, vocabulary: vocabulary))],
      nodes: [.init(name: "y", op: .embedding, inputs: ["t"], weights: "table")], outputs: ["y"],
      table: [0, 10, 20, 30], example: example)
  }

  /// Features and ids side by side, an output for each.
  static func pair() throws -> Model {
    try model(
      "pair",
      inputs: [
        .init(name: "x", kind: .features(size: 2, mean: nil, scale: nil)),
        .init(name: "t", kind: .tokens(size: 4, vocabulary: nil)),
      ],
      nodes: [
        affine("y", "x", size: 2),
        .init(name: "z", op: .embedding, inputs: ["t"], weights: "table"),
      ], outputs: ["y", "z"], table: [0, 10, 20, 30])
  }

  /// One feature a step and a vector of three a sequence: answers the last step and the vector.
  static func vector() throws -> Model {
    try model(
      "vector",
      inputs: [
        .init(name: "x", kind: .features(size: 1, mean: nil, scale: nil)),
        .init(name: "v", kind: .vector(size: 3)),
      ],
      nodes: [
        .init(name: "last", op: .last, inputs: ["x"], weights: nil),
        .init(name: "y", op: .concat, inputs: ["last", "v"], weights: nil),
      ], outputs: ["y"])
  }

  /// One feature; answers each step, the last one, and their mean.
  static func encoder() throws -> Model {
    try model(
      "encoder", inputs: [.init(name: "x", kind: .features(size: 1, mean: nil, scale: nil))],
      nodes: [
        affine("y", "x", size: 1),
        .init(name: "end", op: .last, inputs: ["x"], weights: nil),
        .init(name: "m", op: .mean, inputs: ["x"], weights: nil),
      ], outputs: ["y", "end", "m"])
  }

  /// One feature; answers its mean.
  static func mean() throws -> Model {
    try model(
      "mean", inputs: [.init(name: "x", kind: .features(size: 1, mean: nil, scale: nil))],
      nodes: [.init(name: "y", op: .mean, inputs: ["x"], weights: nil)], outputs: ["y"])
  }

  /// Multiplies one feature by the largest float: overflows.
  static func overflow() throws -> Model {
    try model(
      "overflow", inputs: [.init(name: "x", kind: .features(size: 1, mean: nil, scale: nil))],
      nodes: [
        .init(
          name: "y", op: .affine(scale: [.greatestFiniteMagnitude], shift: nil), inputs: ["x"],
          weights: nil)
      ], outputs: ["y"])
  }

  private static func affine(
    _ name: String, _ input: String, size: Int, shift: [Float]? = nil
  ) -> ModelDescription.Node {
    .init(
      name: name, op: .affine(scale: Array(repeating: 1, count: size), shift: shift),
      inputs: [input], weights: nil)
  }

  private static func model(
    _ name: String, inputs: [ModelDescription.Input], nodes: [ModelDescription.Node],
    outputs: [String], forecasts: String? = nil, labels: [String]? = nil, table: [Float]? = nil,
    example: String? = nil
  ) throws -> Model {
    let header =
      table.map {
        #"{"table.weight":{"dtype":"F32","shape":[\#($0.count),1],"data_offsets":[0,\#($0.count * 4)]}}"#
      } ?? "{}"
    var bytes: [UInt8] = (0..<8).map { UInt8(truncatingIfNeeded: header.utf8.count >> ($0 * 8)) }
    bytes += header.utf8
    for value in table ?? [] {
      bytes += (0..<4).map { UInt8(truncatingIfNeeded: value.bitPattern >> ($0 * 8)) }
    }
    return try Model(
      description: ModelDescription(
        name: name, version: "7", summary: "A \"test\" model", source: nil, licence: "CC0",
        example: example,
        inputs: inputs, nodes: nodes,
        outputs: outputs.map { .init(name: $0, labels: labels, forecasts: forecasts) }),
      tensors: TensorFile(bytes: bytes))
  }
}

extension Service {
  /// A service that is ready, over `models`, the first of which is the default.
  static func make(
    _ models: Model..., settings: ServiceSettings = ServiceSettings(),
    limits: EngineLimits = EngineLimits(), sessionStore: (any SessionStore)? = nil
  ) throws -> Service {
    let service = Service(
      engines: try models.map {
        ($0.description.name, Engine(graph: try ModelGraph($0), limits: limits))
      }, settings: settings, sessionStore: sessionStore)
    service.setReadiness(.ready)
    return service
  }

  /// Requests by status to the endpoint that metrics call `label`.
  func requests(of label: String) -> [(status: String, count: UInt64)] {
    parts.metrics.endpoints.first { $0.label == label }?.requests ?? []
  }

  /// The answer to one request.
  func answer(
    _ method: String, _ path: String, _ body: String = ""
  ) async -> (status: Int, body: String, fields: HTTPFields) {
    let response = await withCheckedContinuation { continuation in
      handle(
        HTTPExchange(
          request: HTTPRequest(method: method, path: path, body: Array(body.utf8)),
          deliver: { continuation.resume(returning: $0) }))
    }
    return (
      response.status.code, String(decoding: response.body, as: UTF8.self), response.fields
    )
  }

  func predict(_ body: String, model: String? = nil) async -> (status: Int, body: String) {
    let answer = await answer(
      "POST", model.map { "/models/\($0)/predict" } ?? "/predict", body)
    return (answer.status, answer.body)
  }
}

extension Endpoint {
  /// An endpoint without routes.
  convenience init(label: String) {
    self.init(routes: [], methods: [], counters: EndpointCounters(label: label))
  }
}
