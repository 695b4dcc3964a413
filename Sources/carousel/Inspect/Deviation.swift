import Inference
import ModelFormat

/// How far a model's answers are from those that it gives with weights in f32, on a sample.
struct Deviation: Encodable {
  /// Where the sample comes from.
  let sample: String
  let sequences: Int
  let steps: Int
  let outputs: [Output]

  struct Output: Encodable {
    let name: String
    let largestDifference: Double
    /// The root of the mean square.
    let rmsDifference: Double
    /// The least and the greatest number in f32.
    let f32Range: [Float]
    /// Steps, or sequences, that were answered.
    let answers: Int
    /// Of these, how many have another largest element than in f32; nil where the elements are no classes.
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
  /// Asks the model and its f32 self.
  init(of model: OfflineModel, on sample: Sample) throws {
    let graph = model.graph
    let exact = OfflineModel(try ModelGraph(graph.model, precision: .f32))
    let found = try model.predictions(for: sample)
    let expected = try exact.predictions(for: sample)
    self.sample = sample.origin
    sequences = sample.sequences.count
    steps = sample.stepCount
    // With a horizon, the forecast is all that is answered.
    let outputs =
      sample.horizon == nil
      ? graph.model.outputs : graph.forecast.map { [graph.model.outputs[$0.output]] } ?? []
    self.outputs = try outputs.enumerated().map { index, output in
      try Output(
        name: output.name, classes: graph.model.classCount(of: output),
        found: found.map { $0.outputs[index] }, expected: expected.map { $0.outputs[index] })
    }
  }
}

extension Deviation.Output {
  /// Compares one output of all sequences; `classes` is how many elements of an answer are classes, or nil.
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
  /// The elements of an output that are scores of classes, labelled or a softmax's; nil where they are not.
  fileprivate func classCount(of output: ResolvedOutput) -> Int? {
    guard output.size > 1 else { return nil }
    if let input = output.forecasts {
      // The next token is a class, the next value is not.
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
