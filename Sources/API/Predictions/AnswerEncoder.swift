import Inference
import JSON
import Serving

/// Writes predictions as JSON, in the depth of the question.
struct AnswerEncoder {
  let question: Question
  let sealer: StateSealer

  /// About what a float takes: nine digits with sign and exponent are 15 bytes and a comma, most are less.
  static let bytesPerFloat = 12

  /// The text of the answer; written at once where it `isWhole`.
  func text(of predictions: [Prediction], isWhole: Bool) throws(Fault) -> AnswerText {
    var text = AnswerText(isWhole: isWhole)
    if isWhole {
      let floats = predictions.reduce(0) { $0 + $1.floatCount }
      text.writer.reserve(question.model.name.utf8.count + Self.bytesPerFloat * floats + 96)
    }
    text.writer.raw(#"{"model":"#)
    text.writer.string(question.model.name)
    text.writer.raw(#","outputs":"#)
    let names = question.outputNames
    if question.model.description.outputs.count == 1 {
      try write(output: 0, names[0], of: predictions, to: &text)
    } else {
      text.writer.byte("{")
      for (index, name) in names.enumerated() {
        if index > 0 { text.writer.byte(",") }
        text.writer.string(name)
        text.writer.byte(":")
        try write(output: index, name, of: predictions, to: &text)
      }
      text.writer.byte("}")
    }
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

  /// Writes the forecast of a prediction that was asked with a horizon, without its name.
  static func writeForecast(
    _ prediction: Prediction, of question: Question, to text: inout AnswerText
  ) throws(Fault) {
    try write(prediction.outputs[0], question.outputNames[0], of: question, to: &text)
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

  /// The sessions as the request leaves them.
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
    // A session can't go on from numbers that are not finite.
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
    // No character of base64url is escaped in JSON.
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
  /// The numbers that an answer writes of it.
  var floatCount: Int {
    outputs.reduce(state?.floats.count ?? 0) { $0 + $1.values.count }
  }
}
