/// An indivisible part of an axis of the source graph's arrays: the sequences of a batch, steps, or elements of a step.
///
/// An axis is a list of atoms: `[T · B, 2 · H]` has the atoms T and B in its first axis, directions and units in its second.
struct Atom: Hashable, Sendable {
  enum Role: String, Sendable {
    case batch = "the sequences of a batch"
    case time = "the steps"
    case element = "elements of a step"
  }

  let id: Int
  let size: Int
  let role: Role
  /// The axis of the model's input from which it comes.
  var origin: Origin?
  /// Whether its size is known only when the model runs; another number stands in for the size.
  var isOpen = false
  /// Whether an op made these steps from an input's and changed their number.
  var isDerived = false

  /// Atoms are identified by their ids.
  static func == (first: Atom, second: Atom) -> Bool { first.id == second.id }

  func hash(into hasher: inout Hasher) { hasher.combine(id) }

  struct Origin: Hashable, Sendable {
    let input: String
    let axis: Int
  }
}

/// A value of the source graph that is not constant: the value of the model folder with its numbers, and how these are
/// arranged in the source array.
struct CarriedValue: Sendable {
  enum Form: Sendable {
    case tokens, sequence, vector
  }

  /// The input or node of the folder, or a final state such as `h.hidden`.
  var node: String
  var form: Form
  /// The atoms of each axis of the source array, outermost first; none for an axis of size 1.
  var axes: [[Atom]]
  /// The atoms of the elements of a step or vector, in the order of the folder's value, without atoms of size 1.
  var elements: [Atom]
  var kind: SourceTensor.Kind = .float
  /// For a boolean: whether it is true where the folder's number is 0, and false elsewhere.
  var isInverted = false
  /// Whether the source graph has rounded it to 8 bits; the folder's value is the one before rounding, in its own scale.
  var isRounded = false

  /// The shape of the source array.
  var shape: [Int] { axes.map { $0.reduce(1) { $0 * $1.size } } }
  /// The elements of a step or of a vector.
  var size: Int { elements.reduce(1) { $0 * $1.size } }
  /// The elements' atoms in the order of the source array.
  var foreignOrder: [Atom] { axes.joined().filter { $0.role == .element } }
  var timeAtoms: [Atom] { axes.joined().filter { $0.role == .time } }

  /// The axis of the source array with the sequences; behind steps, that of one sequence may have no atom. Nil if there is none.
  var batchAxis: Int? {
    if let axis = axes.firstIndex(where: { $0.map(\.role) == [.batch] }) { return axis }
    guard axes.count > 2, axes[0].contains(where: { $0.role == .time }) else { return nil }
    return axes[1].isEmpty ? 1 : nil
  }

  /// Whether elements of a step stand before the steps in the source array, in the same axis or another.
  var hasStepsLast: Bool {
    let atoms = axes.joined()
    guard form == .sequence, let steps = atoms.firstIndex(where: { $0.role == .time }) else {
      return false
    }
    return atoms[..<steps].contains { $0.role == .element && $0.size > 1 }
  }

  /// The axis of the source array with the steps, where elements of a step stand before it: [batch, channels, steps, bands].
  var stepsBehindElements: Int? {
    guard hasStepsLast,
      let axis = axes.firstIndex(where: { $0.contains { $0.role == .time } }),
      axes[axis].allSatisfy({ $0.role == .time })
    else { return nil }
    return axis
  }

  /// The value with the batch of one sequence in its axis, where another axis has size 1 too: an exporter may have turned the two
  /// round with a reshape, which does not tell them apart.
  func withSingles(batch: Int, other: Int) -> CarriedValue {
    guard axes.indices.contains(batch), axes.indices.contains(other), shape[batch] == 1,
      shape[other] == 1
    else { return self }
    let atoms = axes[batch] + axes[other]
    var result = self
    result.axes[batch] = atoms.filter { $0.role == .batch }.prefix(1) + []
    result.axes[other] = atoms.filter { $0.role != .batch }
    return result
  }

  /// The index of the axis with an atom.
  func axis(of atom: Atom) -> Int? { axes.firstIndex { $0.contains(atom) } }
}

/// The translation of a value of the source graph.
enum LoweredValue: Sendable {
  case constant(SourceTensor)
  case carried(CarriedValue)
  /// A part of a pattern, which becomes a value of the folder when the rest of the pattern is seen.
  case pending(PendingValue)

  var shape: [Int] {
    switch self {
    case .constant(let tensor): tensor.shape
    case .carried(let value): value.shape
    case .pending(let value): value.shape
    }
  }
}

/// A value that has no op by itself, only as a part of a larger pattern.
indirect enum PendingValue: Sendable {
  /// The scores of each step of `queries` and each step of `keys`, times a number: [.., steps, steps].
  case pairScores(PairScores)
  /// The softmax of such scores over the last axis.
  case pairWeights(PairScores)
  /// The softmax over the steps of a sequence with one score for each step; where there are steps of queries too, over those of keys.
  case stepWeights(CarriedValue, over: Atom)
  /// Steps' values, each multiplied by its weight.
  case weighted(scores: CarriedValue, values: CarriedValue)
  /// `erf(x · factor)`, or one more than that.
  case erf(CarriedValue, factor: Double, plus: Double)
  /// Whole numbers that stand for floats, until they are scaled.
  case quantized(QuantizedValue)
  /// Ids plus a number; or ids converted to floats.
  case ids(CarriedValue, plus: Int)
  /// The index of the largest element of each step, or of a vector.
  case largest(CarriedValue)

  struct PairScores: Sendable {
    var queries: CarriedValue
    var keys: CarriedValue
    var axes: [[Atom]]
    var scale: Double
    var heads: Int
    var isCausal = false
  }

  /// A value that was rounded to 8 bits, or the integer result of a product with one.
  enum QuantizedValue: Sendable {
    case rounded(CarriedValue)
    case scale(CarriedValue)
    case zeroPoint(CarriedValue)
    /// The scale of the value times that of the weights.
    case scaleProduct(CarriedValue, weights: SourceTensor)
    /// The integer product of the rounded value and weights without their zero point, [K, N].
    case product(CarriedValue, weights: SourceTensor)
    /// The integer result of a convolution of the rounded value with weights without their zero point, by its node.
    case convolution(CarriedValue, weights: SourceTensor, SourceNode, shape: [Int])
  }

  var shape: [Int] {
    switch self {
    case .pairScores(let scores), .pairWeights(let scores):
      scores.axes.map { $0.reduce(1) { $0 * $1.size } }
    case .stepWeights(let value, _): value.shape
    case .weighted(_, let values): values.shape
    case .erf(let value, _, _): value.shape
    case .ids(let value, _): value.shape
    case .largest(let value): value.shape
    case .quantized(let value):
      switch value {
      case .rounded(let value): value.shape
      case .scale, .zeroPoint: []
      case .scaleProduct(_, let weights): weights.shape
      case .convolution(_, _, _, let shape): shape
      case .product(let value, let weights):
        Array(value.shape.dropLast()) + [weights.shape.last ?? 1]
      }
    }
  }
}
