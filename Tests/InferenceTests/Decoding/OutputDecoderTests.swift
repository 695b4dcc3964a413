import ModelFormat
import TestSupport
import Testing

@testable import Inference

@Suite struct OutputDecoderTests {
  /// What pytorch-crf and TensorFlow decode: see Tests/Fixtures/scripts/decoding.py.
  static let folders: [String] = Fixtures.folders("decoding")

  @Test func fixturesAreThere() { #expect(Self.folders.count >= 5) }

  @Test(arguments: folders)
  func decodesAsTheLibrariesDo(name: String) throws {
    let graph = try ModelGraph(Model(folder: Fixtures.path("decoding/\(name)")))
    let cases = try Fixtures.cases("decoding/\(name)/io.json")
    try #require(cases.count >= 4)
    let size = graph.model.outputs[0].size
    for expected in cases {
      let sequence = try expected.sequence(for: graph.model)
      let values = Runner.run(graph, [sequence], selections: [.all])[0][0]
      let output = Prediction.Output(rows: sequence.stepCount, size: size, values: values)
      let decoded = try #require(graph.decoders[0]).decode(output)
      let reference = try #require(expected.decoded?["y"])
      #expect(decoded.labels == Nested(reference.labels, .row))
      let (score, other) = (decoded.scores.values[0], reference.score)
      #expect(decoded.scores.form == .one && decoded.scores.values.count == 1)
      #expect(abs(score - other) <= 1e-5 * max(1, abs(other)), "\(score) of \(other)")
    }
  }

  // MARK: - Ranks

  private let rows = Prediction.Output(rows: 2, size: 3, values: [1, 5, 2, 7, -1, 7])

  @Test func largestElements() {
    #expect(
      OutputDecoder.argmax.decode(rows)
        == DecodedLabels(labels: Nested([1, 0], .row), scores: Nested([5, 7], .row)))
    #expect(
      OutputDecoder.topK(2).decode(rows)
        == DecodedLabels(
          labels: Nested([1, 2, 0, 2], .rows(size: 2)),
          scores: Nested([5, 2, 7, 7], .rows(size: 2))))
    let vector = Prediction.Output(rows: nil, size: 3, values: [1, 5, 2])
    #expect(
      OutputDecoder.argmax.decode(vector)
        == DecodedLabels(labels: Nested([1], .one), scores: Nested([5], .one)))
    #expect(
      OutputDecoder.topK(3).decode(vector)
        == DecodedLabels(labels: Nested([1, 2, 0], .row), scores: Nested([5, 2, 1], .row)))
  }

  /// Against a sort that keeps the order of equal ones.
  @Test(arguments: [1, 2, 3, 10, 99, 100])
  func ranksAsASortDoes(count: Int) {
    var noise = TestSupport.Noise(seed: UInt64(count))
    for _ in 0..<20 {
      let values = (0..<100).map { _ in Float(Int.random(in: 0..<40, using: &noise)) }
      let sorted = values.indices.sorted { (values[$1], $0) < (values[$0], $1) }
      #expect(values.ranked(count, in: values.indices) == Array(sorted.prefix(count)))
    }
  }

  // MARK: - Viterbi

  private func crf(
    size: Int, noise: inout TestSupport.Noise, order: ModelDescription.Decode.CRF.Order = .fromTo,
    kernels: Kernels = .shared
  ) throws -> (decoder: ViterbiDecoder, score: ([Float], [Int]) -> Double) {
    let transitions = noise.floats(size * size, scale: 2)
    let (starts, ends) = (noise.floats(size, scale: 2), noise.floats(size, scale: 2))
    var transposed = transitions
    for i in 0..<size { for j in 0..<size { transposed[j * size + i] = transitions[i * size + j] } }
    var definition = ModelDescription.Decode.CRF()
    definition.order = order
    let tensors: [(name: String, shape: [Int], floats: [Float])] = [
      ("crf.transitions", [size, size], order == .fromTo ? transitions : transposed),
      ("crf.start_transitions", [size], starts), ("crf.end_transitions", [size], ends),
    ]
    let decoder = try ViterbiDecoder(
      definition, size: size, tensors: TensorFile(bytes: TensorFile.serialize(tensors)),
      kernels: kernels)
    return (
      decoder,
      { emissions, labels in
        var score = Double(starts[labels[0]]) + Double(ends[labels.last!])
        for (step, label) in labels.enumerated() {
          score += Double(emissions[step * size + label])
          if step > 0 { score += Double(transitions[labels[step - 1] * size + label]) }
        }
        return score
      }
    )
  }

  /// Every sequence of labels.
  private func enumerate(_ count: Int, of size: Int, _ visit: ([Int]) -> Void) {
    let total = (0..<count).reduce(1) { product, _ in product * size }
    for number in 0..<total {
      var rest = number
      visit(
        (0..<count).map { _ in
          defer { rest /= size }
          return rest % size
        })
    }
  }

  @Test(
    arguments: [(1, 4), (2, 6), (3, 5), (5, 4), (4, 1)], ModelDescription.Decode.CRF.Order.allCases)
  func findsTheBestOfAllPaths(
    shape: (size: Int, steps: Int), order: ModelDescription.Decode.CRF.Order
  ) throws {
    var noise = TestSupport.Noise(seed: 7)
    for _ in 0..<10 {
      let (decoder, score) = try crf(size: shape.size, noise: &noise, order: order)
      let emissions = noise.floats(shape.size * shape.steps, scale: 2)
      var best: (labels: [Int], score: Double) = ([], -.infinity)
      enumerate(shape.steps, of: shape.size) { labels in
        let score = score(emissions, labels)
        if score > best.score { best = (labels, score) }
      }
      let found = decoder.path(emissions, checkpoint: {})
      #expect(found.labels == best.labels.map { Int32($0) })
      #expect(abs(Double(found.score) - best.score) < 1e-5)
    }
  }

  /// With more labels than can be enumerated: no change of one label or two is better, and the score is the path's own. The same on
  /// every machine.
  @Test(arguments: [15, 16, 17, 40, 130])
  func findsTheSameEverywhere(size: Int) throws {
    for kernels in InvarianceTests.instructionSets.compactMap(Kernels.init) {
      var noise = TestSupport.Noise(seed: UInt64(size))
      let (decoder, score) = try crf(size: size, noise: &noise, kernels: kernels)
      let emissions = noise.floats(size * 9, scale: 2)
      let found = decoder.path(emissions, checkpoint: {})
      let labels = found.labels.map { Int($0) }
      let best = score(emissions, labels)
      #expect(abs(Double(found.score) - best) < 1e-4 && labels.count == 9)
      for step in 0..<9 {
        for label in 0..<size {
          var other = labels
          other[step] = label
          #expect(score(emissions, other) <= best)
          guard step > 0, label.isMultiple(of: 7) else { continue }
          for before in 0..<size {
            other[step - 1] = before
            #expect(score(emissions, other) <= best)
          }
        }
      }
      let scalar = try #require(Kernels(.scalar))
      var again = TestSupport.Noise(seed: UInt64(size))
      let reference = try crf(size: size, noise: &again, kernels: scalar).decoder
        .path(emissions, checkpoint: {})
      #expect(found.labels == reference.labels)
      #expect(found.score.bitPattern == reference.score.bitPattern)
    }
  }

  private struct Left: Error {}

  /// A search is ended within so many steps, and is asked no more often.
  @Test func searchesCanBeEnded() throws {
    var noise = TestSupport.Noise(seed: 2)
    let steps = 5 * OutputDecoder.stepsBetweenCheckpoints
    let values = noise.floats(steps * 4)
    let output = Prediction.Output(rows: steps, size: 4, values: values)
    for decoder in [
      OutputDecoder.viterbi(try crf(size: 4, noise: &noise).decoder),
      .ctcGreedy(.logits, blank: 0), .ctcBeam(.logits, blank: 0, width: 3),
    ] {
      var calls = 0
      let whole = decoder.decode(output) { calls += 1 }
      #expect(whole == decoder.decode(output) && (4...10).contains(calls))
      for last in 1...calls {
        var count = 0
        #expect(throws: Left.self) {
          try decoder.decode(output) { () throws(Left) in
            count += 1
            if count == last { throw Left() }
          }
        }
        #expect(count == last)
      }
    }
  }

  /// Of equal paths the first labels from behind.
  @Test func tiesGoToTheFirst() throws {
    let tensors = try TensorFile(
      bytes: TensorFile.serialize([("crf.transitions", [2, 2], [0, 0, 0, 0])]))
    let decoder = try ViterbiDecoder(
      ModelDescription.Decode.CRF(), size: 2, tensors: tensors, kernels: .shared)
    #expect(decoder.path([0, 0, 1, 0, 0, 0], checkpoint: {}).labels == [0, 0, 0])
  }

  // MARK: - CTC

  /// The probability of all alignments of each sequence of labels.
  private func probabilities(_ rows: [[Double]], blank: Int) -> [[Int32]: Double] {
    var found: [[Int32]: Double] = [:]
    enumerate(rows.count, of: rows[0].count) { alignment in
      var (labels, last): ([Int32], Int) = ([], blank)
      for label in alignment {
        if label != last, label != blank { labels.append(Int32(label)) }
        last = label
      }
      let logarithm = zip(rows, alignment).reduce(0) { $0 + $1.0[$1.1] }
      found[labels, default: 0] += Elementary.exp(logarithm)
    }
    return found
  }

  /// A beam that holds every prefix finds the best of all.
  @Test(arguments: [0, 1, 2])
  func aWideBeamFindsTheBestOfAll(blank: Int) throws {
    var noise = TestSupport.Noise(seed: 3)
    for _ in 0..<40 {
      let values = noise.floats(15, scale: 2)
      let rows = (0..<5).map { CTCScores.logits.logarithms(values[$0 * 3..<$0 * 3 + 3]) }
      let best = try #require(probabilities(rows, blank: blank).max { $0.value < $1.value })
      let decoded = OutputDecoder.ctcBeam(.logits, blank: blank, width: 100)
        .decode(Prediction.Output(rows: 5, size: 3, values: values))
      #expect(decoded.labels.values == best.key)
      #expect(abs(Double(decoded.scores.values[0]) - Elementary.log(best.value)) < 1e-6)
    }
  }

  /// The search as it is written in textbooks: every label of every prefix, all of them sorted.
  private func plainSearch(_ rows: [[Double]], blank: Int, width: Int) -> ([Int32], Double) {
    func sum(_ a: Double, _ b: Double) -> Double {
      let most = max(a, b)
      return most == -.infinity
        ? most : most + Elementary.log(Elementary.exp(a - most) + Elementary.exp(b - most))
    }
    var beams: [(labels: [Int32], blank: Double, label: Double)] = [([], 0, -.infinity)]
    for row in rows {
      var next: [[Int32]: (blank: Double, label: Double)] = [:]
      func add(_ labels: [Int32], blank: Double = -.infinity, label: Double = -.infinity) {
        let old = next[labels] ?? (-.infinity, -.infinity)
        next[labels] = (sum(old.blank, blank), sum(old.label, label))
      }
      for beam in beams {
        let total = sum(beam.blank, beam.label)
        add(beam.labels, blank: total + row[blank])
        if let last = beam.labels.last { add(beam.labels, label: beam.label + row[Int(last)]) }
        for label in row.indices where label != blank {
          let before = beam.labels.last == Int32(label) ? beam.blank : total
          add(beam.labels + [Int32(label)], label: before + row[label])
        }
      }
      beams = next.map { ($0.key, $0.value.blank, $0.value.label) }
        .sorted { sum($0.1, $0.2) > sum($1.1, $1.2) }
      beams = Array(beams.prefix(width))
    }
    return (beams[0].labels, sum(beams[0].blank, beams[0].label))
  }

  /// What the search leaves out makes no difference, at any width.
  @Test(arguments: [1, 2, 3, 5, 8, 20], [CTCScores.logits, .probabilities])
  func findsWhatThePlainSearchFinds(width: Int, scores: CTCScores) {
    var noise = TestSupport.Noise(seed: UInt64(width))
    for size in [2, 3, 6, 12] {
      for steps in [1, 4, 20] {
        var values = noise.floats(size * steps, scale: 3)
        if case .probabilities = scores { values = values.map { abs($0) + 0.01 } }
        let rows = (0..<steps).map {
          scores.logarithms(values[$0 * size..<($0 + 1) * size])
        }
        let (labels, total) = plainSearch(rows, blank: size - 1, width: width)
        let decoded = OutputDecoder.ctcBeam(scores, blank: size - 1, width: width)
          .decode(Prediction.Output(rows: steps, size: size, values: values))
        #expect(decoded.labels.values == labels)
        #expect(abs(Double(decoded.scores.values[0]) - total) < 1e-5)
      }
    }
  }

  /// A label with another between, or a blank, is another one.
  @Test func repetitionsCollapse() {
    let steps: [Int] = [1, 1, 0, 1, 2, 2, 0, 0, 2, 1]
    var values = [Float](repeating: 0, count: steps.count * 3)
    for (step, label) in steps.enumerated() { values[step * 3 + label] = 1000 }
    let output = Prediction.Output(rows: steps.count, size: 3, values: values)
    for decoder in [
      OutputDecoder.ctcGreedy(.logits, blank: 0), .ctcBeam(.logits, blank: 0, width: 4),
    ] {
      let decoded = decoder.decode(output)
      #expect(decoded.labels == Nested([1, 1, 2, 2, 1], .row))
      #expect(decoded.scores == Nested([0], .one))
    }
  }

  /// What `workBytes` and `counts` say is not less than what there is.
  @Test func labelsAreNoMoreThanTheSteps() {
    let output = Prediction.Output(rows: 6, size: 2, values: Array(repeating: 1, count: 12))
    for decoder in [OutputDecoder.argmax, .topK(2), .ctcGreedy(.logits, blank: 0)] {
      let (labels, scores) = decoder.counts(rows: 6)
      let decoded = decoder.decode(output)
      #expect(decoded.labels.values.count <= labels && decoded.scores.values.count <= scores)
    }
  }
}
