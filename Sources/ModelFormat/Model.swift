import Glibc

/// A model folder, read and checked: every name resolves and every tensor has the shape its node needs.
package final class Model: Sendable {
  package let description: ModelDescription
  /// The nodes in an order in which every input comes before its use.
  package let nodes: [ResolvedNode]
  /// The outputs in the description's order.
  package let outputs: [ResolvedOutput]
  /// The indices in `outputs` of the outputs that are decoded under a mask.
  private let maskedOutputs: [Int]
  /// The values that a decoder reads, in the order of its inputs; empty without a decoder.
  package let decoded: [ResolvedOutput]
  /// The decoder, which generates a token sequence from `decoded`; nil for a model that answers with its outputs.
  package let decoder: Decoder?
  /// The forecast of its only input; nil for a model that does not forecast.
  package let forecast: Forecast?
  package let tensors: TensorFile
  /// The tensors that no node reads, sorted; a `state_dict` may hold more than the graph uses.
  package let unusedTensors: [String]
  /// The axes of all values: first the axes of the inputs, in the order of `inputAxes`, then the axes that ops create.
  package let axes: [StepAxis]
  package let inputAxes: [InputAxis]
  /// The axis of each input, an index in `inputAxes`; nil for a vector.
  let axesOfInputs: [Int?]

  /// Loads the folder's `model.json` and `model.safetensors` and checks that they fit each other.
  package convenience init(folder path: String) throws(ModelError) {
    let description: ModelDescription
    do { description = try ModelDescription(path: "\(path)/\(Model.descriptionFile)") } catch {
      switch error {
      case .system(_, _, code: ENOTDIR):
        throw ForeignFile(at: path).map { .foreignFile(path: path, $0) } ?? .notFolder(path: path)
      case .system(_, _, code: ENOENT):
        throw Model.missing(Model.descriptionFile, in: path) ?? error
      default: throw error
      }
    }
    let tensors: TensorFile
    let tensorPath = "\(path)/\(Model.tensorFile)"
    do { tensors = try TensorFile(path: tensorPath) } catch {
      // These errors name the file themselves.
      if case .system(_, _, code: ENOENT) = error {
        throw Model.missing(Model.tensorFile, in: path) ?? error
      }
      if case .system = error { throw error }
      if case .foreignFile = error { throw error }
      if case .notRegularFile = error { throw error }
      throw .inFile(path: tensorPath, error)
    }
    do { try self.init(description: description, tensors: tensors) } catch {
      throw .inFile(path: path, error)
    }
  }

  /// The error that `folder` has no file `name`: it says which other files are there, or that there is no folder. Nil
  /// if the name is in the folder, as a broken link is, for example.
  private static func missing(_ name: String, in folder: String) -> ModelError? {
    guard Folder.exists(folder) else { return .noFolder(path: folder) }
    let names = Folder.names(in: folder).sorted()
    guard !names.contains(name) else { return nil }
    let finding = FolderFinding(of: names, inFolder: folder, missing: name)
    if finding == .none, !names.contains(Model.tensorFile),
      let (name, file) = ForeignFile.first(inFolder: folder)
    {
      return .foreignFile(path: "\(folder)/\(name)", file)
    }
    return .missingFile(name, folder: folder, finding)
  }

  /// Resolves every name of the description and checks every tensor that its nodes read.
  package convenience init(description: ModelDescription, tensors: TensorFile) throws(ModelError) {
    var graph = try GraphResolver(description, tensors: tensors)
    let decoder = try description.decoder.map { (decoder) throws(ModelError) in
      try DecoderResolver(decoder, of: description, values: graph.decoded, tensors: tensors)
    }
    try decoder?.boundSteps(of: &graph)
    let usedTensors = graph.usedTensors.union(decoder?.graph.usedTensors ?? [])
    try UnreadTensors(tensors: tensors, graphs: [graph] + (decoder.map { [$0.graph] } ?? []))
      .check()
    self.init(
      graph, decoder: decoder.map { Decoder($0, Model($0.graph)) },
      forecast: try Forecast(of: description, outputs: graph.outputs),
      unusedTensors: tensors.names.filter { !usedTensors.contains($0) })
  }

  private init(
    _ graph: GraphResolver, decoder: Decoder? = nil, forecast: Forecast? = nil,
    unusedTensors: [String] = []
  ) {
    description = graph.description
    tensors = graph.tensors
    nodes = graph.nodes
    outputs = graph.outputs
    maskedOutputs = graph.outputs.indices.filter { graph.outputs[$0].mask != nil }
    decoded = graph.decoded.sorted { $0.key < $1.key }.map(\.value)
    self.forecast = forecast
    axes = graph.axes.axes
    inputAxes = graph.axes.inputAxes
    axesOfInputs = description.inputs.indices.map { graph.axes.axis(ofInput: $0)?.origin }
    self.decoder = decoder
    self.unusedTensors = unusedTensors
  }

  /// All values that a sequence's ride returns: the outputs, then the masks of outputs that are decoded under one, then
  /// the values that the decoder reads.
  package var answers: [ResolvedOutput] {
    outputs + maskedOutputs.compactMap { outputs[$0].maskAnswer } + decoded
  }

  /// For each input, of the numbers of steps that sequences may have, the one nearest to `steps`; 1 for a vector.
  package func stepCounts(near steps: Int) -> [Int] {
    description.inputs.indices.map { index in
      axis(of: .input(index)).map { place in
        Swift.max(inputAxes[place].least, Swift.min(inputAxes[place].most, steps))
      } ?? 1
    }
  }

  /// The index in `answers` of the mask under which output `index` is decoded; nil if it has no mask.
  package func maskPlace(ofOutput index: Int) -> Int? {
    maskedOutputs.firstIndex(of: index).map { outputs.count + $0 }
  }

  /// The index of the output that element `index` of `answers` is, or whose mask it is; nil for a value that the
  /// decoder reads.
  package func output(ofAnswer index: Int) -> Int? {
    if index < outputs.count { return index }
    let place = index - outputs.count
    return place < maskedOutputs.count ? maskedOutputs[place] : nil
  }

  /// The number of elements in the tensors that nodes read.
  package var parameterCount: Int {
    let unused = Set(unusedTensors)
    return tensors.names.reduce(0) { count, name in
      unused.contains(name) ? count : count + tensors.elementCount(of: name)
    }
  }

  package static let descriptionFile = "model.json"
  package static let tensorFile = "model.safetensors"

  /// A node with resolved inputs and known sizes.
  package struct ResolvedNode: Sendable, Equatable {
    package let name: String
    /// The description's op, resolved: an affine has both scale and shift, one float for each element.
    package let op: ModelDescription.Op
    /// The prefix of the node's tensors; nil if the op has none.
    package let weights: String?
    /// The tensors that the node reads.
    package let tensors: [String]
    /// The node's inputs, without those that are left out.
    package let inputs: [ValueReference]
    /// Recurrent networks: the values of the initial states; nil where they are zero.
    package let initialHidden: ValueReference?
    package let initialCell: ValueReference?
    /// The mask, a sequence of size 1: the node skips steps at which it is 0.
    package let mask: ValueReference?
    /// The form of the node's value.
    package let form: ValueForm
    /// The elements of a step or of a vector; a node's value is never tokens.
    package var size: Int { form.size! }
    /// The axis of the node's value or, for a vector, of its inputs, as an index in `axes`; nil if the inputs are
    /// vectors too.
    package let axis: Int?
    /// Recurrent networks: the network's shape.
    package let recurrent: RecurrentShape?
  }

  package struct ResolvedOutput: Sendable, Equatable {
    package let name: String
    package let value: ValueReference
    package let form: ValueForm
    /// The elements of a step or of a vector; an output is never tokens.
    @inlinable package var size: Int { form.size! }
    /// The axis of a sequence, an index in `axes`; nil for a vector.
    package let axis: Int?
    package let labels: [String]?
    /// The index in `description.inputs` of the input that this output forecasts.
    package let forecasts: Int?
    /// How its numbers are decoded to labels.
    package var decode: ModelDescription.Decode?
    /// The text of each label: `labels` or, for scores of the next token, the vocabulary. Nil if labels are numbers.
    package var labelTexts: [String]?
    /// A mask, which is a sequence of size 1: decoding skips the steps at which it is 0.
    package var mask: ValueReference?
    /// The input that the output reconstructs.
    package var reconstructs: ResolvedReconstruction?
    /// The tensors that decoding reads.
    package var tensors: [String] = []

    /// The output's mask as an output of its own, to be returned beside this one.
    fileprivate var maskAnswer: ResolvedOutput? {
      mask.map {
        ResolvedOutput(
          name: name, value: $0, form: .sequence(size: 1), axis: axis, labels: nil, forecasts: nil)
      }
    }
  }

  /// A reference to a value, by an index in `description.inputs` or in `nodes`.
  package enum ValueReference: Sendable, Hashable {
    case input(Int)
    case node(Int)
    /// The final hidden (or cell) state of one layer of the recurrent network at this node, directions concatenated.
    case hidden(Int, layer: Int)
    case cell(Int, layer: Int)
  }

  package enum ValueForm: Sendable, Equatable {
    /// One id for each step.
    case tokens
    /// `size` floats for each step.
    case sequence(size: Int)
    /// `size` floats for a sequence.
    case vector(size: Int)
  }

  /// The shape of a recurrent network, read from its tensors (with PyTorch's names, `weight_ih_l0` and so on).
  package struct RecurrentShape: Sendable, Equatable {
    package let layers: Int
    package let bidirectional: Bool
    package let inputSize: Int
    package let hiddenSize: Int
    /// The size of h after the projection `weight_hr_l0`; nil without one.
    package let projectionSize: Int?
    package let bias: Bias
    /// Whether the network has one direction, which reads the sequence from the last step to the first.
    package var isReverse = false
    /// The number of rows of each matrix and bias per hidden unit.
    package var gates = LSTMOp.gates
    /// Whether the gates also read c (peephole connections).
    package var hasPeepholes = false
    /// Whether the network is multiplicative: its gates read a product in the place of h, and it has the matrices for
    /// that.
    package var isMultiplicative = false
    /// Whether the cell has a c beside h.
    package var hasCell = true
    /// Whether a sequence begins with states that are weights; else with zeros, or with what the node is given.
    package var hasInitialState = false

    package enum Bias: Sendable, Equatable {
      case none
      /// `bias_l0`.
      case one
      /// `bias_ih_l0` and `bias_hh_l0`, which are added up.
      case two
    }

    /// The size of h: the projection's if there is one, else the hidden size.
    package var outputSize: Int { projectionSize ?? hiddenSize }
    package var directions: Int { bidirectional ? 2 : 1 }
  }
}
