import JSON

/// A node while its op is checked: its inputs and the file's tensors, and what the op finds out about them.
package struct NodeResolution {
  let node: ModelDescription.Node
  /// The node's path in the description.
  let path: String
  /// The node's inputs, without those that are left out; one at least.
  let arguments: [Argument]
  /// The inputs of the model.
  let inputs: [ModelDescription.Input]
  let tensors: TensorFile

  /// The tensors that the node reads, in order.
  private(set) var usedTensors: [String] = []
  /// Set by the ops that have one.
  var recurrent: Model.RecurrentShape?
  /// The steps of the node's value, where it is a sequence: those of its inputs, unless the op says otherwise.
  var axis: StepAxis?
  /// How many steps the op needs and takes.
  var bounds: [StepBound] = []

  init(
    _ node: ModelDescription.Node, path: String, arguments: [Argument],
    inputs: [ModelDescription.Input], tensors: TensorFile
  ) {
    self.node = node
    self.path = path
    self.arguments = arguments
    self.inputs = inputs
    self.tensors = tensors
    axis = arguments.lazy.compactMap(\.axis).first
  }

  /// Numbers of steps that an op takes.
  struct StepBound {
    let axis: StepAxis
    let range: ClosedRange<Int>
  }

  /// A node's input: its path and name in the description, and what they stand for.
  struct Argument {
    /// Its place in the node's list of inputs.
    let position: Int
    let path: String
    let name: String
    let value: Model.ValueReference
    let form: Model.ValueForm
    /// Its steps; nil of a vector.
    let axis: StepAxis?
  }

  /// What stands before the names of the node's tensors.
  var prefix: String { node.weights ?? node.name }

  // MARK: Inputs

  /// The elements a step or a sequence of an input that may be a sequence or a vector.
  func size(of argument: Argument) throws(ModelError) -> Int {
    guard let size = argument.form.size else {
      throw refusal(of: argument, expected: "a sequence or a vector")
    }
    return size
  }

  /// The elements a step of an input that must be a sequence.
  func sequenceSize(of argument: Argument) throws(ModelError) -> Int {
    guard case .sequence(let size) = argument.form else {
      throw refusal(of: argument, expected: "a sequence")
    }
    return size
  }

  func refusal(of argument: Argument, expected: String) -> ModelError {
    .inputForm(
      path: argument.path, op: node.op.name, name: argument.name, found: argument.form,
      expected: expected)
  }

  /// The form that the inputs have together: a vector stands at every step of a sequence, and a size of 1 for every element.
  func broadcastForm() throws(ModelError) -> Model.ValueForm {
    var widest = arguments[0]
    var size = try size(of: widest)
    for argument in arguments.dropFirst() {
      let other = try self.size(of: argument)
      guard other == size || other == 1 || size == 1 else {
        throw refusal(
          of: argument,
          expected: "a size of \(size) or 1, as \(widest.name.jsonExcerpt) is \(widest.form)")
      }
      if other > size { (widest, size) = (argument, other) }
    }
    return steppedForm(size: size)
  }

  /// A sequence where one input is a sequence, else a vector.
  func steppedForm(size: Int) -> Model.ValueForm {
    arguments.contains { if case .sequence = $0.form { true } else { false } }
      ? .sequence(size: size) : .vector(size: size)
  }

  // MARK: Tensors

  func fullName(_ tensor: String) -> String { tensorName(tensor, under: prefix) }

  /// Checks a tensor, by its full name, and records that the node reads it.
  mutating func use(_ tensor: String, shape: [Int]) throws(ModelError) {
    try tensors.check(tensor, hasShape: shape, node: node.name)
    usedTensors.append(tensor)
  }

  /// Likewise, where the tensor is there; returns whether it is.
  @discardableResult
  mutating func useIfPresent(_ tensor: String, shape: [Int]) throws(ModelError) -> Bool {
    guard tensors.contains(tensor) else { return false }
    try use(tensor, shape: shape)
    return true
  }

  /// Takes note of a tensor that does not count at inference, where it is there.
  mutating func passOver(_ tensor: String) {
    if tensors.contains(tensor) { usedTensors.append(tensor) }
  }

  /// The size that a matrix leaves open, where `read` finds its other size to be right.
  func openSize(
    of tensor: String, pattern: String, hint: TensorHint? = nil, read: ([Int]) -> Int?
  ) throws(ModelError) -> Int {
    guard let shape = tensors.shape(of: tensor) else {
      throw tensors.missing(tensor, node: node.name, hint: hint)
    }
    guard shape.count == 2, let size = read(shape), size > 0 else {
      throw .shapeMismatch(tensor: tensor, expected: pattern, found: shape)
    }
    return size
  }
}

// MARK: - Steps

extension NodeResolution {
  /// Refuses sequences of which the steps of `argument` are not that many.
  mutating func bound(_ argument: Argument, _ range: ClosedRange<Int>) {
    if let axis = argument.axis { bounds.append(StepBound(axis: axis, range: range)) }
  }

  /// Gives the value as many steps as `stage` makes of those of the first input: one at least.
  mutating func changeSteps(_ stage: StepAxis.Stage, key: String) throws(ModelError) {
    guard let source = axis else { preconditionFailure("a node without steps changes none") }
    guard let axis = source.applying(stage) else {
      throw .unexpected(
        path: "\(path).\(key)", found: "too many steps",
        expected:
          "at most \(ModelLimits.stepGrowth) times as many as the input has, \(ModelLimits.addedSteps) more, or one "
          + "of \(ModelLimits.size)")
    }
    setSteps(axis)
  }

  /// Gives the value steps of its own: one at least.
  mutating func setSteps(_ axis: StepAxis) {
    self.axis = axis
    bounds.append(
      StepBound(axis: axis, range: 1...(axis.grows ? ModelLimits.grownSteps : Int.max)))
  }

  /// Gives the value a step for each place of a kernel.
  ///
  /// - Parameter limit: the most steps of padding; nil for any number.
  mutating func place(_ kernel: StepKernel, paddingLimit limit: Int? = nil) throws(ModelError) {
    guard (kernel.kernel - 1) * kernel.dilation <= ModelLimits.addedSteps else {
      throw .unexpected(
        path: "\(path).\(kernel.dilation > 1 ? "dilation" : "kernel")",
        found: "a kernel over \(kernel.span) steps",
        expected: "one over at most \(ModelLimits.addedSteps)")
    }
    if case .explicit(let before, let after) = kernel.padding,
      Swift.max(before, after) > limit ?? .max
    {
      throw .unexpected(
        path: "\(path).padding", found: "[\(before), \(after)]",
        expected: "fewer steps than the kernel's \(kernel.span)")
    }
    try changeSteps(kernel.stage, key: kernel.stride > 1 ? "stride" : "padding")
  }
}
