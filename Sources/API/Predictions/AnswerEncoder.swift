import Inference
import JSON
import Serving

/// Writes predictions as JSON, nested like the question.
struct AnswerEncoder {
  let question: Question
  let sealer: StateSealer
  /// Called repeatedly while labels are decoded; its error ends the decoding.
  var checkpoint: @Sendable () throws(Fault) -> Void = {}

  /// About how many bytes a float takes: 16 at most, with sign, exponent and comma; most take less.
  static let bytesPerFloat = 12

  /// The text of the answer; written at once if `isWhole`, else part by part.
  func text(of predictions: [Prediction], isWhole: Bool) throws(Fault) -> AnswerText {
    var text = AnswerText(isWhole: isWhole)
    if isWhole {
      let floats = predictions.reduce(0) { $0 + $1.floatCount }
      text.writer.reserve(question.model.name.utf8.count + Self.bytesPerFloat * floats + 96)
    }
    text.writer.raw(#"{"model":"#)
    text.writer.string(question.model.name)
    guard question.decoding == nil else {
      try DecodedAnswer(question, predictions).write(to: &text)
      text.writer.raw("}\n")
      return text
    }
    let names = question.outputNames
    if question.answer.contains(.outputs) {
      text.writer.raw(#","outputs":"#)
      // With a horizon, the outputs from 1 on are quantiles, which are written separately.
      let outputs = question.horizon == nil ? names.indices : 0..<1
      try writeEach(outputs, to: &text) { (text, index) throws(Fault) in
        try write(output: index, names[index], of: predictions, to: &text)
      }
    }
    if !question.quantiles.isEmpty {
      text.writer.raw(#","quantiles":{"#)
      for (index, quantile) in question.quantiles.enumerated() {
        if index > 0 { text.writer.byte(",") }
        text.writer.string(quantile.text)
        text.writer.byte(":")
        try write(output: index + 1, names[index + 1], of: predictions, to: &text)
      }
      text.writer.byte("}")
    }
    if question.horizon == nil { try writeLabels(of: predictions, to: &text) }
    try writeErrors(of: predictions, to: &text)
    if let element = question.returnedState {
      text.writer.raw(#","state":"#)
      try write(statesOf: predictions, as: element, to: &text.writer)
    }
    if !question.sessions.isEmpty {
      text.writer.raw(#","session":"#)
      try write(sessionsOf: predictions, to: &text.writer)
    }
    text.writer.raw("}\n")
    return text
  }

  /// Writes the forecast of a prediction with a horizon, or its quantile at index `quantile`, without its name.
  static func writeForecast(
    _ prediction: Prediction, quantile: Int? = nil, of question: Question, to text: inout AnswerText
  ) throws(Fault) {
    let index = quantile.map { $0 + 1 } ?? 0
    try write(prediction.outputs[index], question.outputNames[index], of: question, to: &text)
  }

  /// Writes `outputs` by `write`: as members by name if the model has several outputs.
  private func writeEach(
    _ outputs: some Collection<Int>, to text: inout AnswerText,
    _ write: (inout AnswerText, Int) throws(Fault) -> Void
  ) throws(Fault) {
    guard question.model.outputNames.count > 1 else { return try write(&text, 0) }
    text.writer.byte("{")
    var isFirst = true
    for output in outputs {
      if !isFirst { text.writer.byte(",") }
      isFirst = false
      text.writer.string(question.outputNames[output])
      text.writer.byte(":")
      try write(&text, output)
    }
    text.writer.byte("}")
  }

  /// Writes the labels and scores that outputs are decoded to, where they are asked for.
  private func writeLabels(
    of predictions: [Prediction], to text: inout AnswerText
  ) throws(Fault) {
    var decoded: [Int: [DecodedLabels]] = [:]
    for output in question.model.decodedOutputs {
      guard let decoder = question.decoder(ofOutput: output) else { continue }
      let name = question.outputNames[output]
      var labels: [DecodedLabels] = []
      for prediction in predictions {
        try question.check(prediction.outputs[output], name)
        labels.append(try decoder.decode(prediction.outputs[output], checkpoint: checkpoint))
        guard labels.last?.scores.values.allSatisfy(\.isFinite) ?? true else {
          throw Fault(ModelChoiceError.outputNotFinite(model: question.model.name, output: name))
        }
      }
      decoded[output] = labels
    }
    guard !decoded.isEmpty else { return }
    let outputs = decoded.keys.sorted()
    if question.answer.contains(.labels) {
      text.writer.raw(#","labels":"#)
      try writeEach(outputs, to: &text) { (text, output) throws(Fault) in
        guard let labels = decoded[output], let names = question.model.labelNames[output] else {
          preconditionFailure("an output without labels")
        }
        writeEach(labels, to: &text) { text, labels in text.labels(labels.labels, names) }
      }
    }
    if question.answer.contains(.scores) {
      text.writer.raw(#","scores":"#)
      try writeEach(outputs, to: &text) { (text, output) throws(Fault) in
        writeEach(decoded[output] ?? [], to: &text) { text, labels in text.scores(labels.scores) }
      }
    }
  }

  /// Writes the errors of outputs that reconstruct an input, where they are asked for.
  private func writeErrors(
    of predictions: [Prediction], to text: inout AnswerText
  ) throws(Fault) {
    let outputs = question.model.reconstructions.filter {
      question.reconstruction(ofOutput: $0) != nil
    }
    guard !outputs.isEmpty else { return }
    text.writer.raw(#","errors":"#)
    try writeEach(outputs, to: &text) { (text, output) throws(Fault) in
      guard let reconstruction = question.reconstruction(ofOutput: output) else { return }
      let (name, input) = (question.outputNames[output], reconstruction.input)
      var errors: [ReconstructionError] = []
      for (prediction, sequence) in zip(predictions, question.sequences) {
        try question.check(prediction.outputs[output], name)
        let error = ReconstructionError(
          of: prediction.outputs[output].values, from: sequence.features(input),
          question.model.inputs[input].kind, by: reconstruction)
        guard error.sequence.isFinite, error.steps.allSatisfy(\.isFinite) else {
          throw Fault(ModelChoiceError.outputNotFinite(model: question.model.name, output: name))
        }
        errors.append(error)
      }
      writeEach(errors, to: &text) { text, error in
        text.writer.raw(#"{"sequence":"#)
        text.writer.float(error.sequence)
        text.writer.raw(#","steps":"#)
        text.numbers(error.steps, rowSize: nil)
        text.writer.byte("}")
      }
    }
  }

  /// Writes the one sequence by `write`, or an array of all of them.
  private func writeEach<Element>(
    _ elements: [Element], to text: inout AnswerText,
    _ write: (inout AnswerText, Element) -> Void
  ) {
    guard question.inputs.isArray else { return write(&text, elements[0]) }
    text.array(elements, write)
  }

  private func write(
    output index: Int, _ name: String, of predictions: [Prediction], to text: inout AnswerText
  ) throws(Fault) {
    guard question.inputs.isArray else {
      return try Self.write(predictions[0].outputs[index], name, of: question, to: &text)
    }
    try text.array(predictions) { (text, prediction) throws(Fault) in
      try Self.write(prediction.outputs[index], name, of: question, to: &text)
    }
  }

  private func write(
    statesOf predictions: [Prediction], as element: StateElement, to writer: inout JSONWriter
  ) throws(Fault) {
    guard question.inputs.isArray else {
      return try write(predictions[0].state, as: element, to: &writer)
    }
    try writer.array(predictions) { (writer, prediction) throws(Fault) in
      try write(prediction.state, as: element, to: &writer)
    }
  }

  /// Writes the sessions as the request leaves them.
  private func write(
    sessionsOf predictions: [Prediction], to writer: inout JSONWriter
  ) throws(Fault) {
    guard question.inputs.isArray else {
      return try write(question.sessions[0], predictions[0].state, to: &writer)
    }
    let pairs = Array(zip(question.sessions, predictions))
    try writer.array(pairs) { (writer, pair) throws(Fault) in
      try write(pair.0, pair.1.state, to: &writer)
    }
  }

  private func write(
    _ use: SessionUse?, _ state: SequenceState?, to writer: inout JSONWriter
  ) throws(Fault) {
    guard let use else { return writer.raw("null") }
    guard let state else { preconditionFailure("the state of a session is missing") }
    // A session can't continue from numbers that are not finite.
    guard state.floats.allSatisfy(\.isFinite) else {
      throw Fault(StateError.notFinite(model: question.model.name, .f32))
    }
    writer.raw(#"{"id":"#)
    writer.string(use.id)
    writer.raw(#","steps":"#)
    writer.integer(state.position)
    if use.ends { writer.raw(#","ended":true"#) }
    writer.byte("}")
  }

  private func write(
    _ state: SequenceState?, as element: StateElement, to writer: inout JSONWriter
  ) throws(Fault) {
    guard let state, let model = question.model.fingerprint else {
      preconditionFailure("a state that was asked for is missing")
    }
    guard let token = sealer.seal(state, as: element, model: model) else {
      throw Fault(StateError.notFinite(model: question.model.name, element))
    }
    // base64url has no characters that JSON escapes.
    writer.byte("\"")
    writer.raw(token)
    writer.byte("\"")
  }

  private static func write(
    _ output: Prediction.Output, _ name: String, of question: Question, to text: inout AnswerText
  ) throws(Fault) {
    try question.check(output, name)
    let isFlat = output.rows == nil || (output.size == 1 && question.inputs.isFlat)
    text.numbers(output.values, rowSize: isFlat ? nil : output.size)
  }
}

extension Prediction {
  /// The number of numbers that the answer writes for this prediction.
  var floatCount: Int {
    let decoded = (decoded ?? []).reduce(0) { $0 + $1.tokens.count + $1.steps.count + 1 }
    return outputs.reduce(decoded + (state?.floats.count ?? 0)) { $0 + $1.values.count }
  }
}
