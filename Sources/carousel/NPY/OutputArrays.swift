import Inference
import NumPyFormat
import Serving

/// A model's answers as arrays, and as .npy or .npz files.
struct OutputArrays {
  let arrays: [OutputArray]

  /// - Parameters:
  ///   - names: the names of the predictions' outputs.
  ///   - labels: the decoded outputs; each becomes the arrays `NAME.labels` and `NAME.scores`.
  ///   - isBatch: whether an array has an axis of sequences (see `Tensor.answers`).
  /// - Throws: if two arrays would have the same name.
  init(
    named names: [String], _ predictions: [Prediction], labels: [OutputLabels] = [], isBatch: Bool
  ) throws(CarouselError) {
    arrays =
      Tensor.answers(named: names, predictions, isArray: isBatch).map { OutputArray($0) }
      + labels.flatMap { $0.arrays(isBatch: isBatch) }
    var known: Set<String> = []
    for array in arrays where !known.insert(array.name).inserted {
      throw .sameArrayName(array.name)
    }
  }

  /// The bytes of a file called `path`: an archive if the name ends in .npz, else the only array.
  func file(named path: String) throws(CarouselError) -> [UInt8] {
    if path.hasSuffix(".npz") {
      return zipArchive(of: arrays.map { ("\($0.name).npy", $0.file) })
    }
    guard arrays.count == 1 else {
      throw .manyArrays(path: path, names: arrays.map(\.name))
    }
    return arrays[0].file
  }
}

/// The labels that an output is decoded to, for each sequence.
struct OutputLabels {
  let output: String
  /// The text of each label; nil where labels are numbers.
  let texts: [String]?
  let decoded: [DecodedLabels]

  /// The labels of each output for which the answer to `question` has labels or scores.
  static func all(of question: Question, _ predictions: [Prediction]) -> [OutputLabels] {
    question.model.decodedOutputs.compactMap { output in
      guard let decoder = question.decoder(ofOutput: output) else { return nil }
      return OutputLabels(
        output: question.outputNames[output], texts: question.model.labelNames[output]?.texts,
        decoded: predictions.map { decoder.decode($0.outputs[output]) })
    }
  }

  fileprivate func arrays(isBatch: Bool) -> [OutputArray] {
    let labels = decoded.map { decoded -> (shape: [Int], elements: OutputArray.Elements) in
      let values = decoded.labels.values
      return (
        decoded.labels.shape,
        texts.map { texts in .texts(values.map { texts[Int($0)] }) }
          ?? .indices(values)
      )
    }
    let scores = decoded.map { decoded -> (shape: [Int], elements: OutputArray.Elements) in
      (decoded.scores.shape, .floats(decoded.scores.values))
    }
    return OutputArray.arrays(named: "\(output).labels", labels, isBatch: isBatch)
      + OutputArray.arrays(named: "\(output).scores", scores, isBatch: isBatch)
  }
}

extension Nested {
  /// The sizes of the value's axes.
  fileprivate var shape: [Int] {
    switch form {
    case .one: []
    case .row: [values.count]
    case .rows(let size): [values.count / max(1, size), size]
    }
  }
}
