import Inference
import Testing

@Suite struct TokenSamplerTests {
  static let instructionSets = Kernels.InstructionSet.allCases.filter { Kernels($0) != nil }

  private func draw(
    _ count: Int, of scores: [Float], _ sampling: Sampling,
    scale: TokenSampler.Scale = .logarithm, kernels: Kernels = .shared
  ) -> [Int32?] {
    var sampler = TokenSampler(sampling, scale: scale, kernels: kernels)
    return (0..<count).map { _ in sampler.draw(from: scores[...]) }
  }

  /// How often each token was drawn of 10,000.
  private func counts(
    _ scores: [Float], _ sampling: Sampling, scale: TokenSampler.Scale = .logarithm
  ) -> [Int] {
    draw(10_000, of: scores, sampling, scale: scale).reduce(
      into: scores.map { _ in 0 }
    ) { counts, token in
      if let token { counts[Int(token)] += 1 }
    }
  }

  // MARK: - The likeliest

  @Test(
    arguments: [
      ([0.5], 0), ([1, 2, 3], 2), ([3, 2, 1], 0), ([1, 5, 5, 2], 1), ([-3, -1, -1], 1),
      ([0, -0.0, 0], 0), ([-.infinity, -9, -.infinity], 1), ([3.4e38, -3.4e38], 0),
    ] as [([Float], Int32)])
  func zeroTakesTheFirstOfTheLikeliest(scores: [Float], token: Int32) {
    let expected = [Int32?](repeating: token, count: 20)
    for scale in [TokenSampler.Scale.logarithm, .probability] {
      #expect(draw(20, of: scores, Sampling(temperature: 0, seed: 3), scale: scale) == expected)
    }
    for temperature in [0.1, 1, 50] as [Float] {
      let sampling = Sampling(temperature: temperature, topK: 1, seed: 3)
      #expect(draw(20, of: scores, sampling) == expected)
    }
    #expect(
      draw(20, of: scores, Sampling(topP: .leastNormalMagnitude, seed: 3)) == expected)
  }

  /// A slice's indices are not ids.
  @Test func aSliceIsAVocabulary() {
    let scores: [Float] = [9, 9, 9, 0, 1, 0]
    var greedy = TokenSampler(Sampling(temperature: 0, seed: 1), scale: .logarithm)
    var hot = TokenSampler(Sampling(topK: 1, seed: 1), scale: .logarithm)
    #expect(greedy.draw(from: scores[3...]) == 1 && hot.draw(from: scores[3...]) == 1)
  }

  @Test func lowTemperaturesComeClose() {
    let scores: [Float] = [1, 3, 2]
    #expect(counts(scores, Sampling(temperature: 0.01, seed: 1)) == [0, 10_000, 0])
    #expect(
      counts(scores, Sampling(temperature: .leastNonzeroMagnitude, seed: 1)) == [0, 10_000, 0])
  }

  // MARK: - Frequencies

  /// Probabilities of 1/2, 1/4, 1/8, 1/8. The standard deviation of 10,000 draws is 50 at the most; bounds are 6 of
  /// them away.
  private static let probabilities: [Float] = [0.125, 0.5, 0.25, 0.125]
  private static let logarithms: [Float] = [-2.0794415, -0.6931472, -1.3862944, -2.0794415]

  private func expect(_ found: [Int], near expected: [Int]) {
    for (found, expected) in zip(found, expected) {
      #expect(expected == 0 ? found == 0 : abs(found - expected) < 300)
    }
    #expect(found.reduce(0, +) == 10_000)
  }

  @Test(arguments: [
    (Sampling(seed: 1), [1250, 5000, 2500, 1250]),
    (Sampling(seed: 2), [1250, 5000, 2500, 1250]),
    // Squares: 1, 16, 4, 1 of 22.
    (Sampling(temperature: 0.5, seed: 3), [455, 7273, 1818, 455]),
    (Sampling(temperature: 100, seed: 4), [2489, 2524, 2506, 2489]),
    (Sampling(topK: 2, seed: 5), [0, 6667, 3333, 0]),
    // Of the equal ones the first.
    (Sampling(topK: 3, seed: 6), [1429, 5714, 2857, 0]),
    (Sampling(topK: 4, seed: 6), [1250, 5000, 2500, 1250]),
    (Sampling(topK: 99, seed: 6), [1250, 5000, 2500, 1250]),
    (Sampling(topP: 0.49, seed: 7), [0, 10_000, 0, 0]),
    (Sampling(topP: 0.51, seed: 7), [0, 6667, 3333, 0]),
    (Sampling(topP: 0.74, seed: 8), [0, 6667, 3333, 0]),
    (Sampling(topP: 0.76, seed: 8), [1429, 5714, 2857, 0]),
    (Sampling(topP: 1, seed: 8), [1250, 5000, 2500, 1250]),
    // Of the two that are left, 2/3 and 1/3.
    (Sampling(topK: 2, topP: 0.6, seed: 9), [0, 10_000, 0, 0]),
    (Sampling(topK: 2, topP: 0.7, seed: 9), [0, 6667, 3333, 0]),
  ]) func frequenciesAreTheProbabilities(sampling: Sampling, expected: [Int]) {
    expect(counts(Self.probabilities, sampling, scale: .probability), near: expected)
    expect(counts(Self.logarithms, sampling), near: expected)
    // Logits differ from logarithms by a constant.
    expect(counts(Self.logarithms.map { $0 + 40 }, sampling), near: expected)
  }

  /// Draw by draw, but where rounding moves a boundary across the random number.
  @Test(arguments: [1, 0.5, 3] as [Float], [1, 0.8] as [Float])
  func probabilitiesAndLogarithmsAgree(temperature: Float, topP: Float) {
    let sampling = Sampling(temperature: temperature, topP: topP, seed: 11)
    let a = draw(2000, of: Self.probabilities, sampling, scale: .probability)
    let b = draw(2000, of: Self.logarithms, sampling)
    #expect(zip(a, b).count { $0 != $1 } <= 2)
  }

  @Test func seedsAreSequencesOfTheirOwn() {
    let scores = [Float](repeating: 0, count: 1000)
    let one = draw(50, of: scores, Sampling(seed: 1))
    #expect(one == draw(50, of: scores, Sampling(seed: 1)))
    #expect(one != draw(50, of: scores, Sampling(seed: 2)))
    #expect(Set(one).count > 40)
  }

  @Test(arguments: instructionSets, [TokenSampler.Scale.logarithm, .probability])
  func instructionSetsDoNotMatter(set: Kernels.InstructionSet, scale: TokenSampler.Scale) throws {
    var noise = Noise(from: 5)
    for size in [1, 2, 7, 8, 15, 16, 17, 33, 63, 257] {
      let normal = (0..<size).map { _ in noise.normal() * 4 }
      let scores = scale == .logarithm ? normal : normal.map { abs($0) / 100 + 1e-9 }
      for temperature in [0.3, 1, 2.5] as [Float] {
        let sampling = Sampling(temperature: temperature, topP: 0.95, seed: UInt64(size))
        let scalar = draw(100, of: scores, sampling, scale: scale, kernels: Kernels(.scalar)!)
        let kernels = try #require(Kernels(set))
        #expect(draw(100, of: scores, sampling, scale: scale, kernels: kernels) == scalar)
        #expect(scalar.allSatisfy { $0.map { (0..<Int32(size)).contains($0) } ?? false })
      }
    }
  }

  // MARK: - Scores beyond numbers

  static let samplings = [
    Sampling(temperature: 0, seed: 1), Sampling(seed: 1), Sampling(temperature: 7, seed: 1),
    Sampling(topK: 2, seed: 1), Sampling(topP: 0.5, seed: 1),
  ]

  @Test(
    arguments: [
      [.nan], [.nan, 1], [1, .nan, 2], [2, 1, .nan], [.infinity], [1, .infinity],
      [.infinity, -.infinity], [-.infinity], [-.infinity, -.infinity], [.nan, .infinity],
    ] as [[Float]], samplings)
  func scoresBeyondNumbersGiveNoToken(scores: [Float], sampling: Sampling) {
    #expect(draw(1, of: scores, sampling) == [nil])
  }

  @Test(arguments: samplings) func theImpossibleIsNeverDrawn(sampling: Sampling) {
    let scores: [Float] = [-.infinity, 0, -.infinity, 0.1, -.infinity]
    let drawn = Set(draw(5000, of: scores, sampling))
    #expect(drawn.isSubset(of: [1, 3]) && drawn.contains(3))
    let probabilities: [Float] = [0, 0.4, 0, 0.6, 0]
    #expect(Set(draw(5000, of: probabilities, sampling, scale: .probability)) == drawn)
  }

  @Test(
    arguments: [
      ([3.4e38, -3.4e38, 3.4e38], [0, 2]), ([-3.4e38, -3.4e38], [0, 1]),
      ([1e30, 1e30, 0], [0, 1]),
      ([5], [0]), ([-1e38], [0]),
    ] as [([Float], Set<Int32?>)])
  func hugeScoresAreScores(scores: [Float], drawn: Set<Int32?>) {
    #expect(Set(draw(200, of: scores, Sampling(seed: 1))) == drawn)
  }
}
