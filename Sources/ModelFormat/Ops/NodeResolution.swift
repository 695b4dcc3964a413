import JSON

/// A node while its op is being resolved: its inputs, the file's tensors, and the results of the op's checks.
package struct NodeResolution {
  let node: ModelDescription.Node
  /// The node's path in the description.
  let path: String
  /// The node's inputs, without omitted ones; at least one.
  let arguments: [Argument]
  /// The inputs of the model.
  let inputs: [ModelDescription.Input]
  let tensors: TensorFile

  /// The tensors that the node reads, in order.
  private(set) var usedTensors: [String] = []
  /// The shape of a recurrent network; set by recurrent ops.
  var recurrent: Model.RecurrentShape?
  /// The axis of the node's value, if it is a sequence: the axis of the inputs, unless the op sets another.
  var axis: StepAxis?
  /// The bounds on numbers of steps that the op sets.
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

  /// A bound on the number of steps.
  struct StepBound {
    let axis: StepAxis
    let range: ClosedRange<Int>
  }

  /// A node's input: its path and name in the description, and the resolved value.
  struct Argument {
    /// Its index in the node's list of inputs.
    let position: Int
    let path: String
    let name: String
    let value: Model.ValueReference
    let form: Model.ValueForm
    /// The argument's axis; nil for a vector.
    let axis: StepAxis?
  }

  /// The prefix of the names of the node's tensors.
  var prefix: String { node.weights ?? node.name }

  // MARK: Inputs

  /// The size of an input that may be a sequence or a vector.
  func size(of argument: Argument) throws(ModelError) -> Int {
    guard let size = argument.form.size else {
      throw refusal(of: argument, expected: "a sequence or a vector")
    }
    return size
  }

  /// The size of an input that has to be a sequence.
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

  /// The common form of the inputs after broadcasting: a vector is repeated at every step of a sequence, and a value of
  /// size 1 for every element.
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

  /// A sequence of `size` if any input is a sequence, else a vector.
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

  /// Checks an optional tensor and records that the node reads it, if the file has it; returns whether it has.
  @discardableResult
  mutating func useIfPresent(_ tensor: String, shape: [Int]) throws(ModelError) -> Bool {
    guard tensors.contains(tensor) else { return false }
    try use(tensor, shape: shape)
    return true
  }

  /// Records that a tensor is read, if the file has it, although inference does not need it.
  mutating func markAsRead(_ tensor: String) {
    if tensors.contains(tensor) { usedTensors.append(tensor) }
  }

  /// The unknown size of a matrix whose other size is known.
  func inferSize(
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
  /// Requires that the number of steps of `argument` is within `range`.
  mutating func bound(_ argument: Argument, _ range: ClosedRange<Int>) {
    if let axis = argument.axis { bounds.append(StepBound(axis: axis, range: range)) }
  }

  /// Sets the axis of the node's value to the first input's with `stage` applied, and requires at least one step.
  mutating func changeSteps(_ stage: StepAxis.Stage, key: String) throws(ModelError) {
    guard let source = axis else { preconditionFailure("a node without steps changes none") }
    guard let axis = source.applying(stage) else {
      throw .unexpected(
        path: "\(path).\(key)", found: "too many steps",
        expected:
          "at most \(ModelLimits.stepGrowth) times as many as the input has, at most \(ModelLimits.addedSteps) more, "
          + "and a stride of at most \(ModelLimits.size) in all")
    }
    setSteps(axis)
  }

  /// Sets the axis of the node's value; requires at least one step, and at most `grownSteps` if the axis grows.
  mutating func setSteps(_ axis: StepAxis) {
    self.axis = axis
    bounds.append(
      StepBound(axis: axis, range: 1...(axis.grows ? ModelLimits.grownSteps : Int.max)))
  }

  /// Sets the axis of the node's value: it has a step for each position of a kernel.
  ///
  /// - Parameter limit: the most steps of padding at either end; nil for any number.
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
