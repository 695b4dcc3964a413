import HTTPCore
import Inference
import JSON
import ModelFormat
import Serving

/// The pages about the models.
struct ModelPages: Sendable {
  private let models: ModelRegistry

  init(_ parts: ServiceParts) { models = parts.models }

  /// `GET /models`
  func list(_ call: Call) -> HTTPResponse {
    let models = call.grant.models(of: models.snapshot)
    var writer = JSONWriter()
    writer.raw(#"{"models":"#)
    writer.array(models.models.filter { models.allows($0.name) }) { writer, model in
      write(model, of: models, to: &writer)
    }
    writer.raw("}\n")
    return .json(writer.bytes)
  }

  /// `GET /models/NAME`
  func one(_ call: Call) throws(Fault) -> HTTPResponse {
    let models = call.grant.models(of: models.snapshot)
    var writer = JSONWriter()
    write(try models.model(call.path["name"] ?? ""), of: models, isWhole: true, to: &writer)
    writer.raw("\n")
    return .json(writer.bytes)
  }

  /// Writes a model; `isWhole` adds the vocabularies and the example, which are too long for a list.
  private func write(
    _ model: ServedModel, of models: ModelSnapshot, isWhole: Bool = false,
    to writer: inout JSONWriter
  ) {
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
    writer.boolean(model.name == models.defaultModelName)
    writer.raw(#","inputs":"#)
    writer.array(description.inputs) { writer, input in
      Self.write(input, withVocabulary: isWhole, to: &writer)
    }
    writer.raw(#","outputs":"#)
    writer.array(Array(model.graph.model.outputs.enumerated())) { writer, output in
      Self.write(
        output.element, of: description,
        answersEveryStep: model.graph.answersEveryStep(output: output.offset),
        quantiles: description.outputs[output.offset].quantiles, to: &writer)
    }
    if let decoder = model.graph.decoder {
      writer.raw(#","decoder":"#)
      Self.write(decoder, withVocabulary: isWhole, to: &writer)
    } else {
      writer.raw(#","default_outputs":"#)
      write(model.graph.defaultSelection, of: description, to: &writer)
    }
    writer.raw(#","streamable":"#)
    writer.boolean(model.graph.isStreamable)
    if let steps = model.graph.forecastSteps {
      writer.raw(#","forecast_steps":"#)
      writer.integer(steps)
    }
    writer.raw(#","parameters":"#)
    writer.integer(model.graph.model.parameterCount)
    writer.raw(#","precision":"#)
    writer.string(model.graph.precision.rawValue)
    writer.raw(#","packed_bytes":"#)
    writer.integer(model.graph.packedByteCount)
    if isWhole, let example = description.example {
      writer.raw(#","example":"#)
      writer.raw(Array(example.utf8))
    }
    writer.byte("}")
  }

  private static func write(
    _ input: ModelDescription.Input, withVocabulary: Bool, to writer: inout JSONWriter
  ) {
    writer.raw(#"{"name":"#)
    writer.string(input.name)
    write(kind: input.kind.form.kind, size: input.kind.size, to: &writer)
    if let axis = input.axis {
      writer.raw(#","axis":"#)
      writer.string(axis)
    }
    if let steps = input.steps {
      writer.raw(#","steps":"#)
      writer.integer(steps)
    }
    if case .tokens(_, let vocabulary) = input.kind {
      writer.raw(#","text":"#)
      writer.boolean(vocabulary != nil)
      if withVocabulary, let vocabulary {
        writer.raw(#","vocabulary":"#)
        writer.array(vocabulary) { writer, text in writer.string(text) }
      }
    }
    writer.byte("}")
  }

  /// Writes the description of a decoder and its output.
  private static func write(
    _ graph: DecoderGraph, withVocabulary: Bool, to writer: inout JSONWriter
  ) {
    let decoder = graph.decoder
    writer.raw(#"{"output":"#)
    writer.string(decoder.model.outputs[0].name)
    writer.raw(#","size":"#)
    writer.integer(graph.scoreCount)
    writer.raw(#","start":"#)
    writer.integer(decoder.start)
    writer.raw(#","end":"#)
    writer.array(decoder.ends.sorted()) { writer, id in writer.integer(id) }
    writer.raw(#","max_steps":"#)
    writer.integer(decoder.maxSteps)
    writer.raw(#","text":"#)
    writer.boolean(decoder.vocabulary != nil)
    if withVocabulary, let vocabulary = decoder.vocabulary {
      writer.raw(#","vocabulary":"#)
      writer.array(vocabulary) { writer, text in writer.string(text) }
    }
    writer.byte("}")
  }

  private static func write(
    _ output: Model.ResolvedOutput, of description: ModelDescription, answersEveryStep: Bool,
    quantiles: [Float]?,
    to writer: inout JSONWriter
  ) {
    writer.raw(#"{"name":"#)
    writer.string(output.name)
    write(kind: output.form.kind, size: output.size, to: &writer)
    writer.raw(#","every_step":"#)
    writer.boolean(answersEveryStep)
    if let labels = output.labels {
      writer.raw(#","labels":"#)
      writer.array(labels) { writer, label in writer.string(label) }
    }
    if let input = output.forecasts {
      writer.raw(#","forecasts":"#)
      writer.string(description.inputs[input].name)
    }
    if let quantiles {
      writer.raw(#","quantiles":"#)
      writer.floats(quantiles[...])
    }
    if let decode = output.decode {
      writer.raw(#","decode":"#)
      writer.string(decode.name)
    }
    if let reconstruction = output.reconstructs {
      writer.raw(#","reconstructs":"#)
      writer.string(description.inputs[reconstruction.input].name)
    }
    writer.byte("}")
  }

  /// Writes `selection` in the form of the `outputs` member of a request.
  private func write(
    _ selection: Selection, of description: ModelDescription, to writer: inout JSONWriter
  ) {
    guard case .each(let steps) = selection else {
      return writer.string(selection.steps(ofOutput: 0).rawValue)
    }
    writer.byte("{")
    for (index, output) in description.outputs.enumerated() {
      if index > 0 { writer.byte(",") }
      writer.string(output.name)
      writer.byte(":")
      writer.string(steps[index].rawValue)
    }
    writer.byte("}")
  }

  private static func write(kind: String, size: Int, to writer: inout JSONWriter) {
    writer.raw(#","kind":"#)
    writer.string(kind)
    writer.raw(#","size":"#)
    writer.integer(size)
  }
}
