import Inference
import ModelFormat

extension Service {
  /// `GET /`
  var indexPage: [UInt8] {
    var writer = JSONWriter()
    writer.raw(#"{"name":"carousel","version":"#)
    writer.string(settings.version)
    writer.raw(#","default_model":"#)
    writer.optional(models.defaultModel?.name)
    writer.raw(#","endpoints":"#)
    writer.array(Endpoint.allCases.filter { $0 != .unknown }) { writer, endpoint in
      writer.raw(#"{"method":"#)
      writer.string(endpoint.methods[0])
      writer.raw(#","path":"#)
      writer.string(endpoint.path)
      writer.raw(#","summary":"#)
      writer.string(endpoint.summary)
      writer.byte("}")
    }
    writer.raw("}\n")
    return writer.bytes
  }

  /// `GET /models`
  var modelsPage: [UInt8] {
    var writer = JSONWriter()
    writer.raw(#"{"models":"#)
    writer.array(models.models) { writer, model in write(model, to: &writer) }
    writer.raw("}\n")
    return writer.bytes
  }

  /// `GET /models/NAME`
  func modelPage(_ model: ServedModel) -> [UInt8] {
    var writer = JSONWriter()
    write(model, to: &writer)
    writer.raw("\n")
    return writer.bytes
  }

  private func write(_ model: ServedModel, to writer: inout JSONWriter) {
    let description = model.description
    writer.raw(#"{"name":"#)
    writer.string(model.name)
    writer.raw(#","version":"#)
    writer.string(description.version)
    writer.raw(#","summary":"#)
    writer.optional(description.summary)
    writer.raw(#","source":"#)
    writer.optional(description.source)
    writer.raw(#","licence":"#)
    writer.optional(description.licence)
    writer.raw(#","default":"#)
    writer.boolean(model.name == models.defaultModel?.name)
    writer.raw(#","inputs":"#)
    writer.array(description.inputs) { writer, input in Self.write(input, to: &writer) }
    writer.raw(#","outputs":"#)
    writer.array(model.graph.model.outputs) { writer, output in
      Self.write(output, of: description, to: &writer)
    }
    writer.raw(#","default_outputs":"#)
    writer.string(model.graph.defaultSelection.rawValue)
    writer.raw(#","streamable":"#)
    writer.boolean(model.graph.isStreamable)
    if let steps = model.graph.forecastSteps {
      writer.raw(#","forecast_steps":"#)
      writer.integer(steps)
    }
    writer.raw(#","parameters":"#)
    writer.integer(Self.parameterCount(model.graph.model))
    writer.raw(#","weight_bytes":"#)
    writer.integer(model.graph.packedByteCount)
    writer.byte("}")
  }

  private static func write(_ input: ModelDescription.Input, to writer: inout JSONWriter) {
    writer.raw(#"{"name":"#)
    writer.string(input.name)
    switch input.kind {
    case .features(let size, _, _):
      writer.raw(#","kind":"features","size":"#)
      writer.integer(size)
    case .tokens(let size, let vocabulary):
      writer.raw(#","kind":"tokens","size":"#)
      writer.integer(size)
      writer.raw(#","text":"#)
      writer.boolean(vocabulary != nil)
    case .vector(let size):
      writer.raw(#","kind":"vector","size":"#)
      writer.integer(size)
    }
    writer.byte("}")
  }

  private static func write(
    _ output: Model.ResolvedOutput, of description: ModelDescription, to writer: inout JSONWriter
  ) {
    writer.raw(#"{"name":"#)
    writer.string(output.name)
    switch output.form {
    case .tokens: writer.raw(#","kind":"tokens","size":1"#)
    case .sequence(let size):
      writer.raw(#","kind":"features","size":"#)
      writer.integer(size)
    case .vector(let size):
      writer.raw(#","kind":"vector","size":"#)
      writer.integer(size)
    }
    if let labels = output.labels {
      writer.raw(#","labels":"#)
      writer.array(labels) { writer, label in writer.string(label) }
    }
    if let input = output.forecasts {
      writer.raw(#","forecasts":"#)
      writer.string(description.inputs[input].name)
    }
    writer.byte("}")
  }

  private static func parameterCount(_ model: Model) -> Int {
    model.tensors.names.reduce(0) { count, name in
      count + (model.tensors.shape(of: name) ?? []).reduce(1, *)
    }
  }
}
