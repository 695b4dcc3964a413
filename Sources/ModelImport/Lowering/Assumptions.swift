/// Assumptions about a graph's inputs that no file states.
///
/// A translation begins with the usual assumptions. An operator that needs another one asks for it, and the translation starts
/// again.
struct Assumptions: Equatable, Sendable {
  /// The role of each axis of an input, as operators need it.
  var roles: [Atom.Origin: Atom.Role] = [:]
  /// Axes of inputs that one operator needs as elements and another as steps: elements, of which steps are made.
  var stepsOfElements: Set<Atom.Origin> = []
  /// Axes of inputs whose size is in the file, and small enough for that.
  var fixedAxes: Set<Atom.Origin> = []
  /// Whether sizes of inputs are guesses, which nothing may be concluded from.
  var areSizesGuessed = false
  /// The sizes of inputs' axes, given by the person or asked for by operators.
  var shapes: [String: [Int]] = [:]
  /// Inputs that are constants: given by the person, or settings that the graph compares with a constant.
  var fixed: [String: SourceTensor] = [:]
  /// Inputs that hold the length of each sequence, and the size of the axis of steps that they measure.
  var lengths: [String: Int] = [:]
  /// Whether each call of the source graph computes one step, with states that its caller keeps.
  var isStepwise = false
  /// Inputs with such states.
  var states: Set<String> = []
  /// Inputs with the initial states of recurrent networks that other nodes read too, and the rows that these have together for
  /// layers and directions.
  var readStates: [String: Int] = [:]
  /// Inputs of floats that are ids.
  var wholeNumbers: Set<String> = []
  /// Inputs of whole numbers that are numbers to compute with, such as a mask of zeros and ones.
  var numbers: Set<String> = []
  /// Whether inputs of whole numbers may be such.
  var takesWholeNumbers = true
  /// Whether the elements of a vector may become steps.
  var makesStepsOfVectors = true
  /// Whether numbers that the graph computes from how many steps there are become values of the folder.
  var carriesLengths = false
  /// Whether numbers that grow by the same at every step may be divided by such a number.
  var dividesByLengths = false
  /// Whether steps that were resized are cropped to those that they meet.
  var cropsSteps = false
  /// The sizes of element axes that the file leaves open, inferred from weights.
  var sizes: [Atom.Origin: Int] = [:]
  /// The names of step axes that have the same length as another.
  var sameSteps: [String: String] = [:]

  /// A request for another assumption.
  enum Requirement: Hashable, Sendable {
    case role(Atom.Origin, Atom.Role)
    case size(Atom.Origin, Int)
    case fixed(input: String, value: Double)
    case lengths(input: String, steps: Int)
    case stepwise(states: Set<String>)
    case sameSteps(String, String)
    case wholeNumbers(input: String)
    case numbers(input: String)

    /// The axis that is to have another role.
    var axis: Atom.Origin? { if case .role(let axis, _) = self { axis } else { nil } }
  }

  /// The assumptions that a person's options and a file's reader make.
  init(_ options: GraphTranslation.Options) {
    fixed = options.fixed
    shapes = options.shapes
    makesStepsOfVectors = options.makesStepsOfVectors
    takesWholeNumbers = options.takesWholeNumbers
    cropsSteps = options.cropsSteps
  }

  /// The assumptions to begin anew with where these failed: inputs that recurrent networks begin with are states also where
  /// others, such as attention, read them. Nil if there are none.
  func withReadStates(of graph: SourceGraph) -> Assumptions? {
    let uses = StateInputs(graph)
    var result = self
    for input in graph.inputs where input.kind == .float && input.dimensions.count == 3 {
      result.readStates[input.name] = uses.rows(input.name)
    }
    return result.readStates == readStates ? nil : result
  }

  /// Takes inputs for such states that have a row for each of several layers and directions and no more.
  mutating func takeLayeredStates(of graph: SourceGraph) {
    guard let states = withReadStates(of: graph)?.readStates else { return }
    let uses = StateInputs(graph)
    for input in graph.inputs {
      let axis = uses.rowAxis(input)
      guard let rows = states[input.name], rows > 1,
        input.dimensions[axis] == .fixed(rows) || axis == 1 && input.size(axis) == rows
      else { continue }
      readStates[input.name] = rows
    }
  }

  /// Gives the axes of other inputs, but those with states, that lie as the one of a request the role that it asks for: several
  /// inputs of steps are all with the steps first, or all with the batch first.
  mutating func spread(_ requirement: Requirement, over graph: SourceGraph) {
    guard case .role(let origin, let role) = requirement, origin.axis < 2, role != .element,
      let source = graph.inputs.first(where: { $0.name == origin.input })
    else { return }
    let states = StateInputs(graph)
    for input in graph.inputs where input.name != source.name && !states.contains(input.name) {
      let axis = Atom.Origin(input: input.name, axis: origin.axis)
      if roles[axis] == nil, input.liesAs(source) { roles[axis] = role }
    }
  }

  /// Adds a request; false if it contradicts an assumption for another operator.
  mutating func adopt(_ requirement: Requirement) -> Bool {
    switch requirement {
    case .role(let origin, let role):
      if let known = roles[origin] {
        guard makesStepsOfVectors, Set([known, role]) == [.element, .time],
          fixedAxes.contains(origin) || sizes[origin] != nil,
          stepsOfElements.insert(origin).inserted
        else { return false }
        roles[origin] = .element
        return true
      }
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
    case .numbers(let input): return takesWholeNumbers && numbers.insert(input).inserted
    case .sameSteps(let first, let second):
      guard first != second, sameSteps[first] == nil else { return false }
      sameSteps[first] = second
    }
    return true
  }
}
