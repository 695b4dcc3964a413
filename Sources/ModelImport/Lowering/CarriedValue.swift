/// A run of numbers along which a foreign graph's values extend: the sequences of a batch, their steps, or elements of a step.
///
/// An axis of a foreign array is a list of them: `[T · B, 2 · H]` has the atoms T and B in its first axis, directions and units in its second.
struct Atom: Hashable, Sendable {
  enum Role: String, Sendable {
    case batch = "the sequences of a batch"
    case time = "the steps"
    case element = "elements of a step"
  }

  let id: Int
  let size: Int
  let role: Role
  /// The axis of the model's input that it is.
  var origin: Origin?
  /// Whether its size is known only when the model runs: a prime stands in for it.
  var isOpen = false
  /// Whether they are steps that an op made of those of an input, another number of them.
  var isDerived = false

  /// Atoms are the same by their ids.
  static func == (first: Atom, second: Atom) -> Bool { first.id == second.id }

  func hash(into hasher: inout Hasher) { hasher.combine(id) }

  struct Origin: Hashable, Sendable {
    let input: String
    let axis: Int
  }
}

/// A value of a foreign graph that is not constant: which value of the model folder holds its numbers, and how they lie in the foreign array.
struct CarriedValue: Sendable {
  enum Form: Sendable {
    case tokens, sequence, vector
  }

  /// The input or node of the folder, or a final state such as `h.hidden`.
  var node: String
  var form: Form
  /// For each axis of the foreign array, outermost first, its atoms; none for an axis of size 1.
  var axes: [[Atom]]
  /// The atoms of a step's elements, or a vector's, as they lie in the folder's value. Atoms of size 1 are left out.
  var elements: [Atom]
  var kind: SourceTensor.Kind = .float
  /// Of a boolean: whether it is true where the number in the folder is 0, and not where it is another.
  var isInverted = false
  /// Whether the foreign graph has it in 8 bits here: the folder's value is what was rounded, with its scale still.
  var isRounded = false

  /// The shape of the foreign array.
  var shape: [Int] { axes.map { $0.reduce(1) { $0 * $1.size } } }
  /// Elements a step or a vector.
  var size: Int { elements.reduce(1) { $0 * $1.size } }
  /// The elements' atoms in the order in which they come in the foreign array.
  var foreignOrder: [Atom] { axes.joined().filter { $0.role == .element } }
  var timeAtoms: [Atom] { axes.joined().filter { $0.role == .time } }

  /// The axis in which an atom lies.
  func axis(of atom: Atom) -> Int? { axes.firstIndex { $0.contains(atom) } }
}

/// What is known of a foreign graph's value.
enum LoweredValue: Sendable {
  case constant(SourceTensor)
  case carried(CarriedValue)
  /// Something that has no form of its own in the folder, and has once more of its pattern is seen.
  case pending(PendingValue)

  var shape: [Int] {
    switch self {
    case .constant(let tensor): tensor.shape
    case .carried(let value): value.shape
    case .pending(let value): value.shape
    }
  }
}

/// A value of which only a larger pattern is an op.
indirect enum PendingValue: Sendable {
  /// Scores of each step of `queries` against each step of `keys`, times a number: [.., steps, steps].
  case pairScores(PairScores)
  /// Softmax of those over the last axis.
  case pairWeights(PairScores)
  /// Softmax over the steps of a sequence of one score a step.
  case stepWeights(CarriedValue)
  /// Steps' values, each multiplied by its weight.
  case weighted(scores: CarriedValue, values: CarriedValue)
  /// `erf(x · factor)`, or one more than that.
  case erf(CarriedValue, factor: Double, plus: Double)
  /// Half of x, or x, times `1 + erf(…)`.
  case quantized(QuantizedValue)
  /// Ids to which a number is added, or which are numbers in between.
  case ids(CarriedValue, plus: Int)
  /// The place of the largest element of each step, or of a vector.
  case largest(CarriedValue)

  struct PairScores: Sendable {
    var queries: CarriedValue
    var keys: CarriedValue
    var axes: [[Atom]]
    var scale: Double
    var heads: Int
    var isCausal = false
  }

  /// A value that was rounded to 8 bits, or what integers came out of a product with it.
  enum QuantizedValue: Sendable {
    case rounded(CarriedValue)
    case scale(CarriedValue)
    case zeroPoint(CarriedValue)
    /// The scale of the value times that of the weights.
    case scaleProduct(CarriedValue, weights: SourceTensor)
    /// The integer product of the rounded value and weights without their zero point, [K, N].
    case product(CarriedValue, weights: SourceTensor)
  }

  var shape: [Int] {
    switch self {
    case .pairScores(let scores), .pairWeights(let scores):
      scores.axes.map { $0.reduce(1) { $0 * $1.size } }
    case .stepWeights(let value): value.shape
    case .weighted(_, let values): values.shape
    case .erf(let value, _, _): value.shape
    case .ids(let value, _): value.shape
    case .largest(let value): value.shape
    case .quantized(let value):
      switch value {
      case .rounded(let value): value.shape
      case .scale, .zeroPoint: []
      case .scaleProduct(_, let weights): weights.shape
      case .product(let value, let weights):
        Array(value.shape.dropLast()) + [weights.shape.last ?? 1]
      }
    }
  }
}
