import Inference
import ModelFormat

/// How far a model's answers on a sample are from the answers of the same model with f32 weights.
struct Deviation: Encodable {
  /// The origin of the sample.
  let sample: String
  let sequences: Int
  let steps: Int
  let outputs: [Output]

  struct Output: Encodable {
    let name: String
    let largestDifference: Double
    /// The root mean square of the differences.
    let rmsDifference: Double
    /// The least and the greatest number of the f32 answers.
    let f32Range: [Float]
    /// The number of answers: steps, or sequences.
    let answers: Int
    /// How many answers have another largest element than in f32; nil if the elements are not classes.
    let otherClass: Int?

    private enum CodingKeys: String, CodingKey {
      case name
      case largestDifference = "largest_difference"
      case rmsDifference = "rms_difference"
      case f32Range = "f32_range"
      case answers
      case otherClass = "other_class"
    }
  }
}

extension Deviation {
  /// Compares the model with the same model in f32.
  init(of model: OfflineModel, on sample: Sample) throws {
    let graph = model.graph
    let exact = OfflineModel(try ModelGraph(graph.model, precision: .f32))
    guard let decoder = graph.decoder else {
      try self.init(
        of: graph, on: sample, found: try model.predictions(for: sample),
        expected: try exact.predictions(for: sample))
      return
    }
    var steps = sample
    steps.decoding = Decoding(
      maxSteps: sample.decoding?.maxSteps ?? decoder.decoder.maxSteps, returnsSteps: true)
    try self.init(
      of: decoder.graph, on: sample, found: try model.predictions(for: steps),
      expected: try exact.predictions(for: steps))
  }

  private init(
    of graph: ModelGraph, on sample: Sample, found: [Prediction], expected: [Prediction]
  ) throws {
    self.sample = sample.origin
    sequences = sample.sequences.count
    steps = sample.stepCount
    // With a horizon, only the forecast is answered.
    let outputs =
      sample.horizon == nil
      ? graph.model.outputs : graph.forecast.map { [graph.model.outputs[$0.point.output]] } ?? []
    if expected.contains(where: { $0.decoded != nil }) {
      let rows = zip(found, expected).map { Self.sharedSteps($0, $1, of: graph) }
      self.outputs = [
        try Output(
          name: outputs[0].name, classes: graph.model.classCount(of: outputs[0]),
          found: rows.map(\.found), expected: rows.map(\.expected))
      ]
      return
    }
    self.outputs = try outputs.enumerated().map { index, output in
      try Output(
        name: output.name, classes: graph.model.classCount(of: output),
        found: found.map { $0.outputs[index] }, expected: expected.map { $0.outputs[index] })
    }
  }
}

extension Deviation {
  /// The scores of two decoded sequences at the steps before which both chose the same tokens.
  private static func sharedSteps(
    _ found: Prediction, _ expected: Prediction, of graph: ModelGraph
  ) -> (found: Prediction.Output, expected: Prediction.Output) {
    let (first, second) = (found.decoded?.first, expected.decoded?.first)
    let shared = zip(first?.tokens ?? [], second?.tokens ?? []).prefix { $0 == $1 }.count
    let size = graph.model.outputs[0].size
    func output(_ sequence: DecodedSequence?) -> Prediction.Output {
      // The first step that chooses different tokens is included: the tokens before it are still the same.
      let values = sequence?.steps.prefix((shared + 1) * size) ?? []
      return Prediction.Output(rows: values.count / size, size: size, values: Array(values))
    }
    let (a, b) = (output(first), output(second))
    let rows = min(a.rows ?? 0, b.rows ?? 0)
    func cut(_ output: Prediction.Output) -> Prediction.Output {
      Prediction.Output(rows: rows, size: size, values: Array(output.values.prefix(rows * size)))
    }
    return (cut(a), cut(b))
  }
}

extension Deviation.Output {
  /// Compares one output of all sequences; `classes` is the number of elements that are classes, or nil.
  init(
    name: String, classes: Int?, found: [Prediction.Output], expected: [Prediction.Output]
  ) throws(CarouselError) {
    var (largest, squares, count) = (0.0, 0.0, 0)
    var (least, greatest) = (Float.infinity, -Float.infinity)
    var (answers, otherClass) = (0, 0)
    for (found, expected) in zip(found, expected) {
      for (a, b) in zip(found.values, expected.values) {
        guard a.isFinite, b.isFinite else { throw .notFinite(output: name) }
        let difference = abs(Double(a) - Double(b))
        largest = max(largest, difference)
        squares += difference * difference
        least = min(least, b)
        greatest = max(greatest, b)
      }
      count += expected.values.count
      answers += expected.rows ?? 1
      guard let classes else { continue }
      for start in stride(from: 0, to: expected.values.count, by: classes) {
        let answer = start..<start + classes
        if found.values.indexOfLargest(in: answer) != expected.values.indexOfLargest(in: answer) {
          otherClass += 1
        }
      }
    }
    self.name = name
    largestDifference = largest
    rmsDifference = (squares / Double(count)).squareRoot()
    f32Range = [least, greatest]
    self.answers = answers
    self.otherClass = classes == nil ? nil : otherClass
  }
}

extension Model {
  /// The number of elements that score classes, as labelled outputs and those of a softmax do; nil for other outputs.
  fileprivate func classCount(of output: ResolvedOutput) -> Int? {
    guard output.size > 1 else { return nil }
    if let input = output.forecasts {
      // A forecast of a token scores classes, one of features does not.
      return description.inputs[input].kind.form == .tokens ? output.size : nil
    }
    if output.labels != nil { return output.size }
    guard case .node(let index) = output.value else { return nil }
    return [.softmax, .logSoftmax].contains(nodes[index].op) ? output.size : nil
  }
}

extension [Float] {
  fileprivate func indexOfLargest(in range: Range<Int>) -> Int? {
    range.max { self[$0] < self[$1] }
  }
}
