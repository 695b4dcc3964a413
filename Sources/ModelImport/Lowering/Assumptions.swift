/// What is taken for granted of a graph's inputs while it is translated, since no file says it.
///
/// A translation begins with what is usual; an operator that needs it otherwise asks for another assumption, and the translation begins anew.
struct Assumptions: Equatable, Sendable {
  /// What an axis of an input is, by the needs of the operators.
  var roles: [Atom.Origin: Atom.Role] = [:]
  /// Sizes of an input's axes that the person gave, or that are asked for.
  var shapes: [String: [Int]] = [:]
  /// Inputs that are constants: given by the person, or settings that the graph compares with a constant.
  var fixed: [String: SourceTensor] = [:]
  /// Inputs that hold the length of each sequence, and the size of the axis of steps that they measure.
  var lengths: [String: Int] = [:]
  /// Whether each call of the foreign graph computes one step, from states that its caller keeps.
  var isStepwise = false
  /// Inputs that hold such states.
  var states: Set<String> = []
  /// Inputs of floats that are ids.
  var wholeNumbers: Set<String> = []
  /// Sizes of axes of elements that the file leaves open, by the weights that they meet.
  var sizes: [Atom.Origin: Int] = [:]
  /// Names of axes of steps that are as long as another's.
  var sameSteps: [String: String] = [:]

  /// One more assumption.
  enum Wish: Hashable, Sendable {
    case role(Atom.Origin, Atom.Role)
    case size(Atom.Origin, Int)
    case fixed(input: String, value: Double)
    case lengths(input: String, steps: Int)
    case stepwise(states: Set<String>)
    case sameSteps(String, String)
    case wholeNumbers(input: String)
  }

  /// Takes a wish over; false where it contradicts what was assumed for another operator's sake.
  mutating func grant(_ wish: Wish) -> Bool {
    switch wish {
    case .role(let origin, let role):
      guard roles[origin] == nil else { return false }
      roles[origin] = role
    case .size(let origin, let size):
      guard sizes[origin] == nil else { return false }
      sizes[origin] = size
    case .fixed(let input, let value):
      guard fixed[input] == nil else { return false }
      fixed[input] = SourceTensor(shape: [], kind: .integer, elements: [value])
    case .lengths(let input, let steps):
      guard lengths[input] == nil else { return false }
      lengths[input] = steps
    case .stepwise(let states):
      guard !isStepwise || !states.isSubset(of: self.states) else { return false }
      isStepwise = true
      self.states.formUnion(states)
    case .wholeNumbers(let input): return wholeNumbers.insert(input).inserted
    case .sameSteps(let first, let second):
      guard first != second, sameSteps[first] == nil else { return false }
      sameSteps[first] = second
    }
    return true
  }
}
