import Inference
import JSON
import Scheduling
import Serving

/// The most memory that the answer to a question takes, known before anything is computed.
struct AnswerSize: Equatable {
  /// The number of numbers in the outputs.
  private(set) var numbers = 0
  /// The bytes of the answer's text.
  private(set) var textBytes = 0
  /// The bytes of memory held until the text is written: the numbers and the states.
  private(set) var resultBytes = 0
  /// About how many operations it takes to decode the outputs.
  private(set) var decodingOperations = 0

  /// The most bytes of a number: nine digits with a sign, a point, an exponent of two digits with its sign, and a
  /// comma.
  static let bytesPerNumber = 16
  /// The bytes of an array's brackets and comma.
  private static let bytesPerArray = 3
  /// The most bytes of a quantile's level as a member's name; the text of a float is shorter.
  static let bytesPerQuantile = 20
  /// The bytes of text around a sequence in KServe's schema, without its name (see `ForecastEncoder`), or around a
  /// session.
  private static let bytesPerSequence = 384
  /// The bytes of a sealed state's text beside its floats: its header and quotes.
  private static let bytesPerSealedState = 128

  /// The size of the answer to `question`.
  init(_ question: Question) {
    let graph = question.model.graph
    // `{"model":"co2","outputs":` before the outputs, and the text after them.
    textBytes = 256 + 22 + question.model.name.utf8.count
    if let horizon = question.horizon, let forecast = graph.forecast {
      // A forecast comes in pieces of several steps; the last piece may go beyond the horizon.
      let (each, count) = (forecast.stepCount, question.sequences.count)
      let steps = (horizon + each - 1) / each * each
      for member in [AnswerMembers.outputs] + forecast.quantiles.map({ _ in .quantiles }) {
        textBytes += Self.bytesPerQuantile
        for _ in 0..<count {
          add(steps, of: forecast.size, isWritten: question.answer.contains(member))
        }
      }
    }
    for output in graph.model.outputs.indices where question.horizon == nil {
      for sequence in question.sequences {
        let rows = question.mostRows(ofOutput: output, for: sequence)
        add(
          rows, of: graph.model.outputs[output].size,
          isWritten: question.answer.contains(.outputs))
      }
      addLabels(ofOutput: output, question)
      addErrors(ofOutput: output, question)
    }
    let stateBytes = graph.stateFloatCount * MemoryLayout<Float>.size
    let count = question.sequences.count
    // Forecasts are held three times: collected, cut to the horizon, and for some models fed back with all earlier
    // steps.
    if question.horizon != nil { resultBytes *= 3 }
    if question.states.returnsFinal { resultBytes += count * (stateBytes + 64) }
    // base64 has four characters for three bytes.
    if question.returnedState != nil {
      textBytes += count * (stateBytes * 4 / 3 + Self.bytesPerSealedState)
    }
    textBytes += count * Self.bytesPerSequence
    resultBytes += Self.valueBytes(
      of: question.sequences, fedBack: question.horizon ?? 0, on: graph)
    if let decoding = question.decoding, let decoder = graph.decoder {
      for sequence in question.sequences {
        add(decoding, of: decoder, on: question.model, for: sequence)
      }
    }
  }

  /// Adds a decoder's results for one sequence: token ids, texts and scores.
  private mutating func add(
    _ decoding: Decoding, of decoder: DecoderGraph, on model: ServedModel,
    for sequence: InputSequence
  ) {
    let (answers, most) = (decoding.alternatives, decoding.maxSteps)
    let rows = decoding.returnsSteps ? most : 0
    for _ in 0..<answers where rows > 0 { add(rows, of: decoder.scoreCount, isWritten: true) }
    numbers += answers * most
    // Per token: an id, a label with its quotes, and the text with the separator.
    let token = Self.bytesPerArray + 8 + 2 * model.maxDecodedTokenBytes * JSONWriter.maxEscape
    textBytes += answers * (most * token + Self.bytesPerSequence)
    resultBytes += decoding.heldBytes(of: decoder, of: model.graph, on: sequence)
  }

  /// The size of the answer to a question in KServe's schema, which repeats the names of the series.
  init(_ forecast: ForecastQuestion) {
    self.init(forecast.question)
    textBytes += forecast.series.reduce(0) { $0 + $1.name.utf8.count * JSONWriter.maxEscape }
    textBytes += forecast.series.count * forecast.quantiles.count * Self.bytesPerQuantile
  }

  /// The size of the answer to a request for a text; streamed texts count only the decoder's memory.
  init(_ question: GenerationQuestion) {
    defer {
      let graph = question.model.graph
      resultBytes += Self.valueBytes(
        of: [question.prompt], fedBack: graph.decoder == nil ? question.maxSteps : 0, on: graph)
      if let decoder = graph.decoder {
        resultBytes += Decoding(choice: question.choice, maxSteps: question.maxSteps)
          .heldBytes(
            of: decoder, of: graph, on: question.prompt)
      }
    }
    guard !question.streams else { return }
    textBytes =
      256 + question.model.name.utf8.count + question.maxSteps * Self.bytesPerToken(of: question)
    // The buffer of the growing text may be twice as long as the text.
    resultBytes = 2 * textBytes
  }

  /// The most bytes of the values of a turn with these sequences, of a graph that needs whole ones. A long sequence has a
  /// turn of its own, short ones share one.
  ///
  /// - Parameter fedBack: the steps that forecasts or tokens add to a sequence.
  private static func valueBytes(
    of sequences: [InputSequence], fedBack: Int, on graph: ModelGraph
  ) -> Int {
    guard !graph.isStreamable else { return 0 }
    let floats = sequences.map { sequence in
      var counts = sequence.stepCounts
      if !counts.isEmpty { counts[0] += fedBack }
      return graph.valueFloatCount(stepCounts: counts)
    }
    let shared = graph.valueFloatCount(
      stepCounts: graph.model.inputAxes.map { _ in Carousel.maxTurnSteps })
    let most = Swift.max(floats.max() ?? 0, shared)
    return MemoryLayout<Float>.size * Swift.min(floats.reduce(0, +), most)
  }

  /// The most bytes of one generated token in JSON: escaped text, or a number and its comma.
  private static func bytesPerToken(of question: GenerationQuestion) -> Int {
    if let decoder = question.model.graph.decoder {
      return question.vocabulary == nil
        ? String(decoder.scoreCount).utf8.count + 1
        : question.model.maxDecodedTokenBytes * JSONWriter.maxEscape
    }
    guard let (_, input, _) = question.model.graph.generation else { return 0 }
    let bytes = question.model.maxTokenBytes[input]
    return question.vocabulary == nil ? bytes + 1 : bytes * JSONWriter.maxEscape
  }

  /// Adds the labels and scores of an output, and the memory and operations for finding them, which is done sequence by
  /// sequence.
  private mutating func addLabels(ofOutput output: Int, _ question: Question) {
    guard let decoder = question.decoder(ofOutput: output),
      let names = question.model.labelNames[output]
    else { return }
    let size = question.model.graph.model.outputs[output].size
    let isMasked = question.model.graph.model.outputs[output].mask != nil
    var workBytes = 0
    // The members' names, and the output's name in each.
    textBytes += 64 + 2 * question.outputNames[output].utf8.count
    for sequence in question.sequences {
      let rows = question.mostRows(ofOutput: output, for: sequence)
      let (labels, scores) = decoder.counts(rows: rows)
      let arrays = (rows + 1) * Self.bytesPerArray
      if question.answer.contains(.labels) { textBytes += labels * names.maxBytes + arrays }
      if question.answer.contains(.scores) { textBytes += scores * Self.bytesPerNumber + arrays }
      resultBytes += (labels + scores) * MemoryLayout<Float>.size
      var bytes = decoder.workBytes(steps: rows, size: size)
      if isMasked {
        // The mask, and a copy of the steps that it keeps.
        resultBytes += rows * MemoryLayout<Float>.size
        bytes += rows * size * MemoryLayout<Float>.size
      }
      workBytes = max(workBytes, bytes)
      decodingOperations += decoder.operationCount(steps: rows, size: size)
    }
    resultBytes += workBytes
  }

  /// Adds the errors of an output: `{"sequence":0.5,"steps":[…]}`.
  private mutating func addErrors(ofOutput output: Int, _ question: Question) {
    guard question.reconstruction(ofOutput: output) != nil else { return }
    let size = question.model.graph.model.outputs[output].size
    textBytes += 32 + question.outputNames[output].utf8.count
    for sequence in question.sequences {
      let rows = question.mostRows(ofOutput: output, for: sequence)
      textBytes += (rows + 1) * Self.bytesPerNumber + 64
      resultBytes += (rows + 1) * MemoryLayout<Float>.size
      decodingOperations += rows * size
    }
  }

  /// Adds `rows` rows of `size` numbers.
  private mutating func add(_ rows: Int, of size: Int, isWritten: Bool) {
    numbers += rows * size
    if isWritten {
      textBytes += rows * (size * Self.bytesPerNumber + Self.bytesPerArray) + Self.bytesPerArray
    }
    resultBytes += rows * size * MemoryLayout<Float>.size
  }

  /// Whether the answer is streamed, so that its whole text is never in memory.
  var isStreamed: Bool { textBytes > ServiceSettings.maxWholeAnswerBytes }

  /// The bytes of memory that the answer takes until it is sent.
  var heldBytes: Int {
    resultBytes + (isStreamed ? ServiceSettings.answerPartBytes * 4 : textBytes)
  }
}

extension InputSequence {
  /// The bytes of memory of the values.
  var byteCount: Int {
    values.reduce(64) { bytes, value in
      switch value {
      case .features(let floats), .vector(let floats):
        bytes + floats.count * MemoryLayout<Float>.size
      case .tokens(let ids): bytes + ids.count * MemoryLayout<Int32>.size
      }
    }
  }
}
