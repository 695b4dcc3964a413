import Glibc

/// A model folder, read and checked: every name resolves and every tensor has the shape its node needs.
package final class Model: Sendable {
  package let description: ModelDescription
  /// The nodes in an order in which every input comes before its use.
  package let nodes: [ResolvedNode]
  /// The outputs, in `description.outputs`' order.
  package let outputs: [ResolvedOutput]
  /// Those that are decoded under a mask.
  private let maskedOutputs: [Int]
  /// The values that a decoder reads, in the order of its inputs; none without a decoder.
  package let decoded: [ResolvedOutput]
  /// Makes a sequence of tokens of those values; nil where the outputs are all that the model answers.
  package let decoder: Decoder?
  /// What it foretells of its one input of features.
  package let forecast: Forecast?
  package let tensors: TensorFile
  /// Tensors of the file that no node reads, sorted: a `state_dict` may hold more than the graph uses.
  package let unusedTensors: [String]
  /// The steps that values have: those of the inputs first, in the order of `inputAxes`, then those that ops make of them.
  package let axes: [StepAxis]
  package let inputAxes: [InputAxis]
  /// For each input the axis of its steps, an index in `inputAxes`; nil of a vector.
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
      // It names the file itself.
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

  /// Why there is no file `name` in a folder: what stands there, or that there is no folder. Nil where the name is there,
  /// as of a link that leads nowhere.
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

  /// All that a sequence's ride gives out: the outputs, the masks of those that are decoded under one, and what the decoder reads.
  package var answers: [ResolvedOutput] {
    outputs + maskedOutputs.compactMap { outputs[$0].maskAnswer } + decoded
  }

  /// The place among `answers` of the mask under which an output is decoded; nil where it has none.
  package func maskPlace(ofOutput index: Int) -> Int? {
    maskedOutputs.firstIndex(of: index).map { outputs.count + $0 }
  }

  /// The output that an element of `answers` is, or is the mask of; nil of what the decoder reads.
  package func output(ofAnswer index: Int) -> Int? {
    if index < outputs.count { return index }
    let place = index - outputs.count
    return place < maskedOutputs.count ? maskedOutputs[place] : nil
  }

  /// The numbers in the tensors that some node reads.
  package var parameterCount: Int {
    let unused = Set(unusedTensors)
    return tensors.names.reduce(0) { count, name in
      unused.contains(name) ? count : count + tensors.elementCount(of: name)
    }
  }

  package static let descriptionFile = "model.json"
  package static let tensorFile = "model.safetensors"

  /// A node with its inputs found and its sizes known.
  package struct ResolvedNode: Sendable, Equatable {
    package let name: String
    /// The description's op; an affine's scale and shift are both filled in, one float an element.
    package let op: ModelDescription.Op
    /// The prefix of the node's tensors; nil where the op has none.
    package let weights: String?
    /// The tensors that the node reads.
    package let tensors: [String]
    /// The node's inputs, without those that are left out.
    package let inputs: [ValueReference]
    /// Of a recurrent network, the inputs that its states start from; nil where they are zero.
    package let initialHidden: ValueReference?
    package let initialCell: ValueReference?
    /// A sequence of 1: where it is 0, the node passes over the step.
    package let mask: ValueReference?
    /// The form of the node's value; `size` is its elements a step or a sequence.
    package let form: ValueForm
    /// Elements a step or a sequence: no node's value is tokens.
    package var size: Int { form.size! }
    /// An index in `axes`: the steps of its value or, of a vector, of its inputs; nil where these are vectors.
    package let axis: Int?
    /// The network's shape where `op` is a recurrent one.
    package let recurrent: RecurrentShape?
  }

  package struct ResolvedOutput: Sendable, Equatable {
    package let name: String
    package let value: ValueReference
    package let form: ValueForm
    /// Elements a step or a sequence: no output is tokens.
    @inlinable package var size: Int { form.size! }
    /// Of a sequence, its steps: an index in `axes`.
    package let axis: Int?
    package let labels: [String]?
    /// The index in `description.inputs` of the input that this output foretells.
    package let forecasts: Int?
    /// How its numbers become labels.
    package var decode: ModelDescription.Decode?
    /// The text of each label: `labels` or, of what scores the next token, the vocabulary. Nil where labels are numbers.
    package var labelTexts: [String]?
    /// A sequence of 1: where it is 0, decoding passes over the step.
    package var mask: ValueReference?
    /// The input that it reconstructs.
    package var reconstructs: ResolvedReconstruction?
    /// The tensors that decoding reads.
    package var tensors: [String] = []

    /// Its mask, as what is given out beside it.
    fileprivate var maskAnswer: ResolvedOutput? {
      mask.map {
        ResolvedOutput(
          name: name, value: $0, form: .sequence(size: 1), axis: axis, labels: nil, forecasts: nil)
      }
    }
  }

  /// Where a value comes from: an index in `description.inputs` or in `nodes`.
  package enum ValueReference: Sendable, Hashable {
    case input(Int)
    case node(Int)
    /// The final hidden (or cell) state of one layer of the recurrent network at that node, directions concatenated.
    case hidden(Int, layer: Int)
    case cell(Int, layer: Int)
  }

  package enum ValueForm: Sendable, Equatable {
    /// One id a step.
    case tokens
    /// `size` floats a step.
    case sequence(size: Int)
    /// `size` floats a sequence.
    case vector(size: Int)
  }

  /// The shape of a recurrent network as its tensors tell it (PyTorch's names, `weight_ih_l0` and so on).
  package struct RecurrentShape: Sendable, Equatable {
    package let layers: Int
    package let bidirectional: Bool
    package let inputSize: Int
    package let hiddenSize: Int
    /// The size of h after `weight_hr_l0`, where there is one.
    package let projectionSize: Int?
    package let bias: Bias
    /// Whether its one direction reads the last step first.
    package var isReverse = false
    /// Rows of each matrix and bias for a hidden unit.
    package var gates = LSTMOp.gates
    /// Whether the gates see c.
    package var hasPeepholes = false
    /// Whether it has the matrices of a product that the gates see in the place of h.
    package var isMultiplicative = false

    package enum Bias: Sendable, Equatable {
      case none
      /// `bias_l0`.
      case one
      /// `bias_ih_l0` and `bias_hh_l0`, whose sum counts.
      case two
    }

    /// The size of h: the projection's where there is one, else the hidden size.
    package var outputSize: Int { projectionSize ?? hiddenSize }
    package var directions: Int { bidirectional ? 2 : 1 }
  }
}
