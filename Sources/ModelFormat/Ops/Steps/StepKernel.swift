/// How a kernel moves over the steps of a sequence.
package struct StepKernel: Sendable, Equatable {
  /// Which steps a result depends on.
  package enum Padding: Sendable, Equatable {
    /// Steps up to its own: the op runs step by step.
    case causal
    /// Steps around its own; an even kernel covers one more after it than before it. With a stride, there are ⌈T /
    /// stride⌉ results, as in TensorFlow.
    case same
    /// Only steps of the sequence, without padding.
    case valid
    /// With these numbers of steps of padding at the two ends.
    case explicit(before: Int, after: Int)
  }

  package var kernel = 1
  package var stride = 1
  package var dilation = 1
  package var padding: Padding
  /// Whether the last position may reach beyond the padded end (PyTorch's `ceil_mode`).
  package var isCeiling = false

  /// The distance from the first to the last step under the kernel, both included.
  package var span: Int { (kernel - 1) * dilation + 1 }

  /// Whether the op can run step by step: every position of the kernel ends with a step of the sequence, which completes it.
  package var streams: Bool {
    // With `isCeiling` and a stride, the last position may reach beyond the last step.
    let mayReachBeyond = isCeiling && stride > 1 && span > 1
    return !mayReachBeyond && after(stepCount: 1) == 0 && before(stepCount: 1) < span
  }

  /// The stage that maps the number of steps to the number of the kernel's positions.
  var stage: StepAxis.Stage {
    switch padding {
    case .causal, .same: StepAxis.Stage(offset: stride - 1, divisor: stride)
    case .valid: stage(before: 0, after: 0)
    case .explicit(let before, let after): stage(before: before, after: after)
    }
  }

  private func stage(before: Int, after: Int) -> StepAxis.Stage {
    let offset = before + after - span + stride
    guard isCeiling else { return StepAxis.Stage(offset: offset, divisor: stride) }
    // No position begins after the last step.
    return StepAxis.Stage(
      offset: Swift.min(offset + stride - 1, before - 1 + stride), divisor: stride)
  }

  /// The steps of padding before the first step.
  package func before(stepCount: Int) -> Int {
    switch padding {
    case .causal: span - 1
    case .same:
      Swift.max(((stepCount + stride - 1) / stride - 1) * stride + span - stepCount, 0) / 2
    case .valid: 0
    case .explicit(let before, _): before
    }
  }

  /// The steps of padding after the last step, without those that `isCeiling` adds.
  package func after(stepCount: Int) -> Int {
    switch padding {
    case .causal, .valid: 0
    case .same:
      Swift.max(((stepCount + stride - 1) / stride - 1) * stride + span - stepCount, 0)
        - before(stepCount: stepCount)
    case .explicit(_, let after): after
    }
  }
}

extension OpAttribute {
  /// Reads a word, one number for both ends, or an array of two numbers.
  static func stepPadding(_ property: Property<StepKernel.Padding?>) -> OpAttribute {
    let expected =
      "\"causal\", \"same\", \"valid\", or one or two whole numbers from 0 to \(ModelLimits.addedSteps)"
    return OpAttribute(key: "padding") { field, op throws(ModelError) in
      if case .string = field.value {
        switch try field.string() {
        case "causal": op[keyPath: property] = .causal
        case "same": op[keyPath: property] = .same
        case "valid": op[keyPath: property] = .valid
        default: throw field.unexpected(expected)
        }
      } else {
        let numbers = try field.integers()
        guard (1...2).contains(numbers.count) else { throw field.unexpected(expected) }
        op[keyPath: property] = .explicit(
          before: numbers[0], after: numbers[numbers.count - 1])
      }
    } json: { op in
      switch op[keyPath: property] {
      case nil: nil
      case .causal: "\"causal\""
      case .same: "\"same\""
      case .valid: "\"valid\""
      case .explicit(let before, let after): "[\(before), \(after)]"
      }
    } check: { op, path throws(ModelError) in
      guard case .explicit(let before, let after) = op[keyPath: property] else { return }
      let bounds = 0...ModelLimits.addedSteps
      guard bounds.contains(before), bounds.contains(after) else {
        throw .unexpected(path: path, found: "[\(before), \(after)]", expected: expected)
      }
    }
  }
}
