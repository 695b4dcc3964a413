import Inference
import ModelFormat
import TestSupport
import Testing

@testable import Scheduling

/// Whoever else boards, leaves, pauses or goes on: every rider that came to its end got, to the bit, what it gets
/// alone in one turn. The carousel drives the model here, without engine or threads, so that a seed is a schedule.
@Suite struct CarouselInvarianceTests {
  enum Kind: CaseIterable {
    case streamable, changingSteps, wholeSequences, forecaster, writer, wholeWriter

    func model(seed: UInt64) throws -> Model {
      switch self {
      case .streamable, .wholeSequences:
        for attempt in 0..<1000 as Range<UInt64> {
          let model = try RandomModel(seed: seed &* 1000 &+ attempt).model
          let graph = try ModelGraph(model)
          if graph.isStreamable == (self == .streamable), graph.stateFloatCount > 0 { return model }
        }
        throw NoSuchGraph()
      case .changingSteps: return try RandomModel(seed: seed, focus: .streamed).model
      case .forecaster:
        let shapes = SmallModels.Shape.allCases
        return try SmallModels.forecaster(shapes[Int(seed) % shapes.count], seed: seed)
      case .writer:
        let scores = SmallModels.Scores.allCases
        return try SmallModels.writer(scores: scores[Int(seed) % scores.count], seed: seed)
      case .wholeWriter:
        let scores = SmallModels.Scores.allCases
        return try SmallModels.writer(
          scores: scores[Int(seed) % scores.count], isBidirectional: true, seed: seed)
      }
    }
  }

  private struct NoSuchGraph: Error {}

  @Test(arguments: Kind.allCases, 1...16)
  func everyRiderGetsWhatItGetsAlone(kind: Kind, seed: UInt64) throws {
    let precision = Precision.allCases[Int(seed) % Precision.allCases.count]
    let graph = try ModelGraph(kind.model(seed: seed), precision: precision)
    var fairground = Fairground(graph: graph, seed: seed)
    for _ in 0..<30 {
      try fairground.arrive()
      fairground.leave()
      fairground.catchUp()
      fairground.turn()
    }
    var turns = 0
    while !fairground.isEmpty, turns < 5000 {
      fairground.catchUp()
      fairground.turn()
      turns += 1
    }
    #expect(fairground.isEmpty)
    #expect(fairground.finished.count >= 10)
    #expect(
      fairground.sharedTurns > 0
        || fairground.carousel.limits.maxSeats <= fairground.carousel.workerCount)
    for (question, answer) in fairground.finished {
      let expected = Alone(graph: graph).answer(to: question)
      #expect(answer == expected, "\(question.ending), \(question.sequence.stepCount) steps")
    }
  }
}

extension CarouselInvarianceTests {
  /// Of the schedules above some make riders leave their seats to others.
  @Test(arguments: [Kind.streamable, .forecaster, .writer, .wholeWriter])
  func ridersRotate(kind: Kind) throws {
    var rotations = 0
    for seed in 1...12 as ClosedRange<UInt64> {
      var fairground = Fairground(graph: try ModelGraph(kind.model(seed: seed)), seed: seed)
      for _ in 0..<30 {
        try fairground.arrive()
        fairground.turn()
      }
      rotations += fairground.rotations
    }
    #expect(rotations > 0)
  }
}

extension CarouselInvarianceTests {
  /// Of the schedules above some park riders, others let them go on.
  @Test(arguments: [Kind.writer, .wholeWriter]) func ridersPause(kind: Kind) throws {
    var pauses = 0
    for seed in 1...6 as ClosedRange<UInt64> {
      var fairground = Fairground(graph: try ModelGraph(kind.model(seed: seed)), seed: seed)
      for _ in 0..<30 {
        try fairground.arrive()
        fairground.catchUp()
        fairground.turn()
      }
      pauses += fairground.pauses
    }
    #expect(pauses > 0)
  }
}

/// What a rider asks.
struct RideQuestion {
  enum Ending {
    case ends
    case forecast(horizon: Int)
    case generation(Sampling, steps: Int)
  }

  let sequence: InputSequence
  let selection: Selection
  let ending: Ending
}

/// Bits of each output, and the tokens that were drawn.
struct RideAnswer: Equatable {
  var outputs: [[UInt32]] = []
  var tokens: [Int32?] = []
}

/// Answers by the plainest way: all that a sequence is known to be, alone, in one turn from its beginning.
private struct Alone {
  let graph: ModelGraph

  func answer(to question: RideQuestion) -> RideAnswer {
    switch question.ending {
    case .ends:
      return RideAnswer(outputs: graph.outputs(of: question.sequence, question.selection).map(bits))
    case .forecast(let horizon):
      let (output, input) = (graph.forecast!.point.output, graph.forecast!.input)
      var (sequence, forecast) = (question.sequence, [Float]())
      let size = sequence.features(input).count / sequence.stepCount
      while forecast.count < horizon * size {
        let next = graph.outputs(of: sequence, .last)[output]
        forecast += next
        sequence = InputSequence(
          replacing: input, of: sequence, with: sequence.features(input) + next,
          stepCount: sequence.stepCount + next.count / size)
      }
      return RideAnswer(outputs: [bits(Array(forecast.prefix(horizon * size)))])
    case .generation(let sampling, let steps):
      let (output, _, scale) = graph.generation!
      var sampler = TokenSampler(sampling, scale: scale)
      guard case .tokens(var ids) = question.sequence.values[0] else { return RideAnswer() }
      var tokens: [Int32?] = []
      for _ in 0..<steps {
        guard let sequence = try? InputSequence([.tokens(ids)], for: graph.model) else { break }
        let token = sampler.draw(from: graph.outputs(of: sequence, .last)[output][...])
        tokens.append(token)
        ids.append(token ?? 0)
      }
      return RideAnswer(tokens: tokens)
    }
  }

  private func bits(_ floats: [Float]) -> [UInt32] { floats.map(\.bitPattern) }
}
