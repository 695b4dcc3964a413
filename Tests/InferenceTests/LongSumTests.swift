import Glibc
import ModelFormat
import TestSupport
import Testing

@testable import Inference

/// Sums over many steps, and over wide rows, against double precision.
@Suite struct LongSumTests {
  /// A graph over the features `x` (and `s`, a score a step), one node, called `y`.
  private func graph(
    _ op: ModelDescription.Op, size: Int = 1, scored: Bool = false, kernels: Kernels = .shared
  ) throws -> ModelGraph {
    func features(_ name: String, _ size: Int) -> ModelDescription.Input {
      .init(name: name, kind: .features(size: size, mean: nil, scale: nil))
    }
    return try ModelGraph(
      Model(
        description: ModelDescription(
          name: "m", version: "1",
          inputs: (scored ? [features("s", 1)] : []) + [features("x", size)],
          nodes: [.init(name: "y", op: op, inputs: scored ? ["s", "x"] : ["x"])],
          outputs: [.init(name: "y")]),
        tensors: TensorFile(bytes: TensorFile.serialize([]))), kernels: kernels)
  }

  private func answer(
    _ graph: ModelGraph, _ values: [InputSequence.Values],
    chunk: (_ rider: Int, _ remaining: Int) -> Int = { $1 }
  ) throws -> [Float] {
    let sequence = try InputSequence(values, for: graph.model)
    return Runner.run(graph, [sequence], selections: [.last], chunk: chunk)[0][0]
  }

  static let lengths = [1, 1000, 4000, 65536, 300_000]

  @Test(arguments: lengths, [Float(0.1), 0.7, -3e5])
  func theMeanOfEqualValuesIsTheirValue(count: Int, value: Float) throws {
    let values = InputSequence.Values.features(Array(repeating: value, count: count))
    #expect(try answer(graph(.mean), [values]) == [value])
    let total = Float(Double(value) * Double(count))
    #expect(try answer(graph(.sum), [values]) == [total])
    let weighed = try answer(
      graph(.softmaxSum, scored: true), [.features(Array(repeating: 2, count: count)), values])
    #expect(abs(weighed[0] - value) <= 2e-7 * abs(value))
  }

  @Test func smallTermsAreNotLostBesideLargeOnes() throws {
    func sum(_ values: [Float]) throws -> Float { try answer(graph(.sum), [.features(values)])[0] }
    #expect(try sum([16_777_216] + Array(repeating: 1, count: 1000)) == 16_778_216)
    let pairs = (0..<20_000).flatMap { _ -> [Float] in [1e8, 1, -1e8] }
    #expect(try sum(pairs) == 20_000)
  }

  /// A mean lies within the range of its terms, whatever their sum does, and a sum by what it comes to in the end.
  @Test(arguments: [2, 3, 1000, 65_536], [Float(3e38), -.greatestFiniteMagnitude])
  func meansOfLargeValues(count: Int, value: Float) throws {
    let equal = InputSequence.Values.features(Array(repeating: value, count: count))
    #expect(try answer(graph(.mean), [equal]) == [value])
    #expect(try answer(graph(.sum), [equal]) == [value * .infinity])
    // Back within range.
    let mixed = Array(repeating: value, count: count) + Array(repeating: -value, count: count) + [7]
    #expect(try answer(graph(.sum), [.features(mixed)]) == [7])
    #expect(try answer(graph(.sum), [.features(mixed + mixed.dropLast() + [value])]) == [value])
    let beside = try answer(
      graph(.mean, size: 2), [.features((0..<count).flatMap { _ in [value, 1] })])
    #expect(beside == [value, 1])
  }

  /// What was infinite before, or no number, stays so.
  @Test(arguments: [Float.infinity, -.infinity, .nan])
  func sumsOfWhatIsNotFinite(term: Float) {
    for before in [[], [Float(1)], [3e38, 3e38]] {
      var sum = PreciseSum()
      for term in before + [term, 1, -3e38] { sum.add(term) }
      #expect(!sum.value.isFinite)
    }
  }

  @Test(arguments: [ModelDescription.Op.mean, .sum, .softmaxSum], [1, 17])
  func randomSumsAreThoseOfDoublePrecision(op: ModelDescription.Op, size: Int) throws {
    let count = 30_000
    var noise = Noise(seed: 3)
    let (scores, values) = (noise.floats(count, scale: 4), noise.floats(count * size, scale: 2))
    let scored = op == .softmaxSum
    let given = (scored ? [InputSequence.Values.features(scores)] : []) + [.features(values)]
    let found = try answer(graph(op, size: size, scored: scored), given)
    let weights = scores.map { scored ? Double.exp($0) : 1 }
    let divisor = op == .sum ? 1 : weights.reduce(0, +)
    for k in 0..<size {
      let sum = (0..<count).reduce(0) { $0 + weights[$1] * Double(values[$1 * size + k]) }
      // A softmax's weights are rounded to floats, each by itself.
      let bound = scored ? 2e-7 : 1e-7 * max(1, abs(sum / divisor))
      #expect(abs(Double(found[k]) - sum / divisor) <= bound)
    }
  }

  /// Whatever the chunks and the instruction set: the bits of the whole, by the scalar kernels.
  @Test(arguments: [ModelDescription.Op.mean, .sum], InvarianceTests.instructionSets)
  func chunksDoNotMatter(op: ModelDescription.Op, set: Kernels.InstructionSet) throws {
    try chunksDoNotMatter(op, set, scale: 1e6)
    try chunksDoNotMatter(op, set, scale: 1.6e38)
  }

  private func chunksDoNotMatter(
    _ op: ModelDescription.Op, _ set: Kernels.InstructionSet, scale: Float
  ) throws {
    var noise = Noise(seed: 5)
    let values = InputSequence.Values.features(noise.floats(3 * 2000, scale: scale))
    let whole = try answer(
      graph(op, size: 3, kernels: #require(Kernels(.scalar))), [values])
    let graph = try graph(op, size: 3, kernels: #require(Kernels(set)))
    for _ in 0..<5 {
      let chunked = try answer(graph, [values]) { _, remaining in
        Swift.min(remaining, Int.random(in: 1...300, using: &noise))
      }
      #expect(chunked.map(\.bitPattern) == whole.map(\.bitPattern))
    }
  }

  /// A mean far from zero and a row as wide as a large vocabulary.
  @Test func normsOfWideRows() throws {
    let size = 100_000
    var noise = Noise(seed: 7)
    let values = noise.floats(size).map { $0 + 1000 }
    let doubles = values.map { Double($0) }
    let mean = doubles.reduce(0, +) / Double(size)
    let deviation = (doubles.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(size) + 1e-5)
      .squareRoot()
    let normal = try answer(graph(.layerNorm(epsilon: 1e-5), size: size), [.features(values)])
    let length = doubles.reduce(0) { $0 + $1 * $1 }.squareRoot()
    let unit = try answer(graph(.l2Norm(epsilon: 0), size: size), [.features(values)])
    let least = doubles.min()!
    let shares = doubles.map { Double.exp(Float($0 - least)) }
    let total = shares.reduce(0, +)
    let softmax = try answer(graph(.softmax, size: size), [.features(values)])
    for k in stride(from: 0, to: size, by: 997) {
      #expect(abs(Double(normal[k]) - (doubles[k] - mean) / deviation) <= 1e-6)
      #expect(abs(Double(unit[k]) / (doubles[k] / length) - 1) <= 1e-7)
      #expect(abs(Double(softmax[k]) / (shares[k] / total) - 1) <= 1e-6)
    }
    #expect(abs(softmax.reduce(0) { $0 + Double($1) } - 1) <= 1e-6)
  }

  /// Squares that no float holds.
  @Test func lengthsDoNotOverflow() throws {
    let unit = try answer(graph(.l2Norm(epsilon: 0), size: 2), [.features([3e30, -4e30])])
    #expect(abs(unit[0] - 0.6) <= 1e-6 && abs(unit[1] + 0.8) <= 1e-6)
  }

  @Test func sumsTakeTwoFloatsOfState() throws {
    #expect(try graph(.sum, size: 3).stateFloatCount == 6)
    #expect(try graph(.sum, size: 3).stateLayout == 3)
    #expect(try graph(.max, size: 3).stateFloatCount == 3)
    #expect(try graph(.max, size: 3).stateLayout == 1)
  }
}

extension Double {
  /// e to the power of a float.
  fileprivate static func exp(_ x: Float) -> Double { Glibc.exp(Double(x)) }
}
