import Glibc
import ModelFormat

/// Numbers that a graph computes from how many steps a sequence has, such as the divisor of a mean that is written as a sum.
enum LengthLowering {
  /// What graphs make of a number of steps.
  enum Form: CaseIterable {
    case count, fewer, ratio, rootOfCount, rootOfFewer

    func callAsFunction(_ count: Double) -> Double {
      switch self {
      case .count: count
      case .fewer: count - 1
      case .ratio: count / (count - 1)
      case .rootOfCount: count.squareRoot()
      case .rootOfFewer: (count - 1).squareRoot()
      }
    }
  }

  /// A single number that was computed from an open number of steps, as a vector that the folder computes for each sequence; nil
  /// for other constants. The translation with other stand-ins for the number of steps confirms it.
  static func value(
    _ l: inout Lowering, _ constant: SourceTensor, _ node: SourceNode
  ) -> CarriedValue? {
    guard l.assumptions.carriesLengths, constant.count == 1, constant[0] > 0 else { return nil }
    for atom in l.openSteps {
      for form in Form.allCases {
        let expected = form(Double(atom.size))
        for isInverse in [false, true]
        where isNear(constant[0], isInverse ? 1 / expected : expected) {
          guard let name = emit(&l, form, isInverse: isInverse, atom, node) else { return nil }
          return CarriedValue(
            node: name, form: .vector, axes: constant.shape.map { _ in [] }, elements: [])
        }
      }
    }
    return nil
  }

  /// Exporters round such numbers to single precision.
  private static func isNear(_ a: Double, _ b: Double) -> Bool { abs(a - b) <= 2e-7 * b }

  /// A number of steps as a vector; nil if no sequence has these.
  static func emit(
    _ l: inout Lowering, _ form: Form, isInverse: Bool = false, _ atom: Atom, _ node: SourceNode
  ) -> String? {
    guard let zeros = l.zeros(likeStepsOf: atom, node) else { return nil }
    let name = node.outputs.first ?? node.name
    func emit(_ op: ModelDescription.Op, _ inputs: String..., part: String) -> String {
      l.builder.emit(op, inputs, named: "\(name).\(part)")
    }
    let ones = emit(.affine(scale: nil, shift: [1]), zeros, part: "ones")
    let count = emit(.sum, ones, part: "steps")
    func fewer() -> String { emit(.affine(scale: nil, shift: [-1]), count, part: "fewer") }
    let result =
      switch form {
      case .count: count
      case .fewer: fewer()
      case .ratio: emit(.divide, count, fewer(), part: "ratio")
      case .rootOfCount: emit(.sqrt, count, part: "root")
      case .rootOfFewer: emit(.sqrt, fewer(), part: "root")
      }
    guard isInverse else { return result }
    let one = emit(.affine(scale: [0], shift: [1]), count, part: "one")
    return emit(.divide, one, result, part: "inverse")
  }
}

extension ExampleLength {
  /// Limits sequences to the example's length where a constant is multiplied with it or divided by it, or is a quotient of it.
  static func checkConstants(_ l: inout Lowering, _ node: SourceNode, _ operands: [SourceTensor?]) {
    guard node.op == "Div" || node.op == "Mul", operands.count == 2, let first = operands[0],
      let second = operands[1], first.kind == .float || node.isTrueDivision,
      !(l.computesLengths && l.lengths.values.contains { $0.role == .time && $0.isOpen })
    else { return }
    let isDivision = node.op == "Div"
    var numbers = [second]
    if !isDivision || first.count == 1 { numbers.append(first) }
    for number in numbers where number.count == 1 && number.first > 0 {
      check(&l, number.first, node, forOthers: Remedy.weightsByTheLength) {
        isDivision ? [$0] : [$0, 1 / $0]
      }
    }
  }
}

extension GraphTranslation {
  /// The folder with numbers of steps as values; nil if something else depends on the number of steps or of sequences.
  func draftCarryingLengths(
    named name: String, divides: Bool
  ) throws(ImportError) -> FolderDraft? {
    let first = try translated(Self.standIns[0], carriesLengths: true, divides: divides)
    let second = try translated(Self.standIns[1], carriesLengths: true, divides: divides)
    return first.hasSameWeights(as: second) ? try draft(of: first, named: name) : nil
  }
}
