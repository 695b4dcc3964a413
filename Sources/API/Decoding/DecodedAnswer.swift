import Inference
import JSON
import Serving

/// Writes a decoder's results for the sequences of a question, nested like the question: token ids, their texts, and
/// the score, for each sequence or for each of its alternatives.
struct DecodedAnswer {
  private let question: Question
  private let decoded: [[DecodedSequence]]

  /// - Throws: if the scores of a step were not finite.
  init(_ question: Question, _ predictions: [Prediction]) throws(Fault) {
    self.question = question
    var decoded: [[DecodedSequence]] = []
    for prediction in predictions {
      guard let sequences = prediction.decoded else {
        throw Fault(
          ModelChoiceError.outputNotFinite(
            model: question.model.name, output: question.model.decoderOutputName))
      }
      decoded.append(sequences)
    }
    self.decoded = decoded
  }

  /// Writes the requested members of the answer, each with a comma before it.
  func write(to text: inout AnswerText) {
    if question.decoding?.returnsSteps == true, question.answer.contains(.outputs) {
      text.writer.raw(#","outputs":"#)
      each(to: &text) { text, sequence in
        text.numbers(sequence.steps, rowSize: question.model.graph.decoder?.scoreCount)
      }
    }
    if question.answer.contains(.labels) { writeTokens(to: &text) }
    if question.answer.contains(.scores) {
      text.writer.raw(#","scores":"#)
      each(to: &text) { text, sequence in text.writer.float(Float(sequence.score)) }
    }
    text.writer.raw(#","finish":"#)
    each(to: &text) { text, sequence in text.writer.string(sequence.finish.rawValue) }
  }

  /// Writes the token ids and, if the decoder has a vocabulary, their texts.
  private func writeTokens(to text: inout AnswerText) {
    text.writer.raw(#","tokens":"#)
    each(to: &text) { text, sequence in
      text.writer.array(sequence.tokens) { writer, token in writer.integer(token) }
    }
    if let decoder = question.model.graph.decoder?.decoder, let vocabulary = decoder.vocabulary {
      text.writer.raw(#","labels":"#)
      each(to: &text) { text, sequence in
        text.writer.array(sequence.tokens) { writer, token in
          writer.string(vocabulary[Int(token)])
        }
      }
      text.writer.raw(#","text":"#)
      each(to: &text) { text, sequence in
        text.writer.string(
          sequence.tokens.map { vocabulary[Int($0)] }.joined(separator: decoder.separator))
      }
    }
  }

  private func each(
    to text: inout AnswerText, _ write: (inout AnswerText, DecodedSequence) -> Void
  ) {
    guard question.inputs.isArray else { return one(decoded[0], to: &text, write) }
    text.array(decoded) { text, sequences in one(sequences, to: &text, write) }
  }

  private func one(
    _ sequences: [DecodedSequence], to text: inout AnswerText,
    _ write: (inout AnswerText, DecodedSequence) -> Void
  ) {
    guard question.answersAlternatives else { return write(&text, sequences[0]) }
    text.array(sequences) { text, sequence in write(&text, sequence) }
  }
}

extension DecodedSequence {
  /// Why the sequence ended, as the answer gives it.
  var finish: GeneratedText.End { end == .limit ? .length : .stop }
}
