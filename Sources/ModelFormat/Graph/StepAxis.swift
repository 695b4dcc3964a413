/// The step axis of a value: how its number of steps follows from an input's. Values with equal axes have the same number of
/// steps in every sequence.
package struct StepAxis: Sendable, Hashable {
  /// The input axis from which the steps come, an index in `Model.inputAxes`; nil for a fixed number of steps.
  package private(set) var origin: Int?
  /// The stages by which the number of steps follows from the origin's, in order.
  private(set) var stages: [Stage] = []

  /// A stage maps n to `⌊(factor · n + offset) / divisor⌋`.
  struct Stage: Sendable, Hashable {
    var factor = 1
    var offset = 0
    var divisor = 1

    func callAsFunction<Number: BinaryInteger>(_ count: Number) -> Number {
      floor(Number(factor) * count + Number(offset), Number(divisor))
    }
  }

  /// The axis of the inputs of input axis `origin`.
  init(origin: Int) { self.origin = origin }

  /// An axis with a fixed number of steps.
  init(count: Int) { stages = [Stage(factor: 0, offset: count)] }

  /// The number of steps, given the steps of all input axes.
  package func count(_ counts: [Int]) -> Int { count(origin.map { counts[$0] } ?? 0) }

  /// The number of steps when the origin has `count` steps; 0 where these are too few for a kernel.
  func count(_ count: Int) -> Int { Swift.max(0, stages.reduce(count) { $1($0) }) }

  /// The same as `count(_:)`, without overflow: a state from outside may claim any number of steps.
  package func exactCount(_ count: Int) -> Int128 {
    Swift.max(0, stages.reduce(Int128(count)) { $1($0) })
  }

  /// The number of steps that are added when the origin goes on by `steps` steps after its first `position`.
  package func added(by steps: Int, after position: Int) -> Int {
    guard position > 0 else { return count(steps) }
    return Int(exactCount(position + steps) - exactCount(position))
  }

  /// The most steps of a piece of a sequence, wherever in the sequence it is, given the piece's steps on all input axes.
  package func most(_ counts: [Int]) -> Int {
    guard let origin else { return count(0) }
    let added = stages.reduce(counts[origin]) { -floor(-$1.factor * $0, $1.divisor) }
    return Swift.max(count(counts[origin]), added)
  }

  /// Whether there may be more steps than the origin has.
  var grows: Bool { stages.contains { $0.factor > $0.divisor } }

  /// The fewest steps of the origin from which at least `count` steps follow; nil if no number of steps does.
  func leastOrigin(for count: Int) -> Int? {
    guard origin != nil else { return self.count(0) >= count ? 0 : nil }
    return stages.reversed().reduce(count) { count, stage in
      -floor(stage.offset - count * stage.divisor, stage.factor)
    }
  }

  /// The most steps of the origin from which at most `count` steps follow; nil if no number of steps does.
  func mostOrigin(for count: Int) -> Int? {
    guard origin != nil else { return self.count(0) <= count ? .max : nil }
    return stages.reversed().reduce(count) { count, stage in
      floor((count + 1) * stage.divisor - stage.offset - 1, stage.factor)
    }
  }

  /// The axis with one more stage; nil if its numbers exceed `ModelLimits`.
  func applying(_ stage: Stage) -> StepAxis? {
    var axis = self
    axis.append(stage)
    if axis.origin == nil || axis.stages.contains(where: { $0.factor == 0 }) {
      axis = StepAxis(count: axis.count(0))
      guard axis.count(0) <= ModelLimits.addedSteps else { return nil }
      return axis
    }
    let growth = axis.stages.reduce(1.0) { $0 * Double($1.factor) / Double($1.divisor) }
    let fits = axis.stages.allSatisfy {
      $0.factor <= ModelLimits.stepGrowth && $0.divisor <= ModelLimits.size
        && abs($0.offset) <= ModelLimits.addedSteps * $0.divisor
    }
    return fits && growth <= Double(ModelLimits.stepGrowth) && axis.stages.count <= 16 ? axis : nil
  }

  /// Adds a stage and simplifies, so that axes with equal numbers of steps have equal stages in the common cases.
  private mutating func append(_ stage: Stage) {
    var next = stage
    if let last = stages.last {
      if last.divisor == 1 {
        next.factor = stage.factor * last.factor
        next.offset = stage.factor * last.offset + stage.offset
        stages.removeLast()
      } else if stage.factor == 1 {
        // ⌊(⌊a / d⌋ + o) / e⌋ is ⌊(a + o · d) / (d · e)⌋.
        next.factor = last.factor
        next.offset = last.offset + stage.offset * last.divisor
        next.divisor = last.divisor * stage.divisor
        stages.removeLast()
      }
    }
    let common = greatestCommonDivisor(next.factor, next.divisor)
    // Cancels the common factor: dividing factor, offset and divisor by it does not change the quotient.
    next.factor /= common
    next.divisor /= common
    next.offset = floor(next.offset, common)
    if next != Stage() { stages.append(next) }
  }

  /// The number of steps in words: "(the steps of \"x\" + 1) / 2, rounded down".
  func text(origin: String) -> String {
    stages.enumerated().reduce("the steps of \(origin)") { text, stage in
      let (index, stage) = stage
      if stage.factor == 0 { return "\(stage.offset)" }
      var text = index == 0 ? text : "(\(text))"
      if stage.factor != 1 { text = "\(stage.factor) · \(text)" }
      if stage.offset != 0 {
        text += stage.offset > 0 ? " + \(stage.offset)" : " - \(-stage.offset)"
      }
      return stage.divisor == 1 ? text : "(\(text)) / \(stage.divisor), rounded down"
    }
  }
}

/// An axis of the model's inputs: all its inputs have the same number of steps.
package struct InputAxis: Sendable, Equatable {
  /// The axis's first input, an index in the description's inputs.
  package let input: Int
  /// The fewest steps of a sequence, and the node that needs them; nil if the input's `steps` says so.
  package internal(set) var least = 1
  package internal(set) var neededBy: String?
  /// The most steps of a sequence, and the node that allows no more; nil as before.
  package internal(set) var most = Int.max
  package internal(set) var limitedBy: String?
}

/// The quotient, rounded towards minus infinity; `divisor` is above 0.
private func floor<Number: BinaryInteger>(_ number: Number, _ divisor: Number) -> Number {
  let (quotient, rest) = number.quotientAndRemainder(dividingBy: divisor)
  return rest < 0 ? quotient - 1 : quotient
}

private func greatestCommonDivisor(_ first: Int, _ second: Int) -> Int {
  second == 0 ? Swift.max(first, 1) : greatestCommonDivisor(second, first % second)
}
