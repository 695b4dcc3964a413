/// How a kernel goes over the steps of a sequence.
package struct StepKernel: Sendable, Equatable {
  /// Where the steps lie that a result is made of.
  package enum Padding: Sendable, Equatable {
    /// Up to its own: with a stride of 1 the op streams.
    case causal
    /// Around its own, where their number is even one more behind it. With a stride as TensorFlow has it: ⌈T / stride⌉ steps.
    case same
    /// No step beyond the ends.
    case valid
    /// So many steps beyond the ends.
    case explicit(before: Int, after: Int)
  }

  package var kernel = 1
  package var stride = 1
  package var dilation = 1
  package var padding: Padding
  /// Whether the last place may reach beyond the end (PyTorch's `ceil_mode`).
  package var isCeiling = false

  /// From the first to the last step that the kernel covers.
  package var span: Int { (kernel - 1) * dilation + 1 }

  /// Whether a result is made of its own step and those before it, so that the op streams.
  package var isCausal: Bool {
    guard stride == 1 else { return false }
    return switch padding {
    case .causal: true
    case .same: span == 1
    case .valid: span == 1
    case .explicit(let before, let after): before == span - 1 && after == 0
    }
  }

  /// How many places the kernel has for so many steps.
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
    // No place begins behind the last step.
    return StepAxis.Stage(
      offset: Swift.min(offset + stride - 1, before - 1 + stride), divisor: stride)
  }

  /// How many steps before the first one the kernel begins.
  package func before(stepCount: Int) -> Int {
    switch padding {
    case .causal: span - 1
    case .same:
      Swift.max(((stepCount + stride - 1) / stride - 1) * stride + span - stepCount, 0) / 2
    case .valid: 0
    case .explicit(let before, _): before
    }
  }

  /// How many steps of padding are behind the last one, those apart that only `isCeiling` adds.
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
  /// A word, a number for both ends or an array of two.
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
