/// The content of `model.json`: a small graph of named values (see FORMAT.md beside this file).
package struct ModelDescription: Sendable, Equatable {
  /// The model's name, which is used in URLs: letters, digits, `-`, `_` and `.`.
  package var name: String
  package var version: String
  /// One sentence that describes the model.
  package var summary: String?
  /// Where the training data came from, and its licence.
  package var source: String?
  package var licence: String?
  /// An example of `inputs` as JSON for `POST /predict`, for people to try.
  package var example: String?
  /// The precision in memory of the recurrent networks' weights, unless the loader chooses another; nil is f32.
  package var precision: Precision?
  package var inputs: [Input]
  package var nodes: [Node]
  package var outputs: [Output]
  /// The decoder, which generates a token sequence from values of the graph; nil for a model that answers with its
  /// outputs.
  package var decoder: Decoder?

  package init(
    name: String, version: String, summary: String? = nil, source: String? = nil,
    licence: String? = nil, example: String? = nil, precision: Precision? = nil,
    inputs: [Input], nodes: [Node], outputs: [Output], decoder: Decoder? = nil
  ) {
    self.name = name
    self.version = version
    self.summary = summary
    self.source = source
    self.licence = licence
    self.example = example
    self.precision = precision
    self.inputs = inputs
    self.nodes = nodes
    self.outputs = outputs
    self.decoder = decoder
  }

  /// One input of the graph.
  package struct Input: Sendable, Equatable {
    package var name: String
    package var kind: Kind
    /// The name of the input's axis; inputs of one axis have the same number of steps. All inputs without a name (nil)
    /// share one axis.
    package var axis: String?
    /// The number of steps that every sequence has; nil for any number. It holds for all inputs of the axis.
    package var steps: Int?

    package init(name: String, kind: Kind, axis: String? = nil, steps: Int? = nil) {
      self.name = name
      self.kind = kind
      self.axis = axis
      self.steps = steps
    }

    package enum Kind: Sendable, Equatable {
      /// A vector of `size` floats for each step, normalised as `(x - mean) / scale` if these are given
      /// (each of `size` elements).
      case features(size: Int, mean: [Float]?, scale: [Float]?)
      /// An id in `0..<size` for each step. `vocabulary`, if given, has a text for each id.
      case tokens(size: Int, vocabulary: [String]?)
      /// One vector of `size` floats for a sequence (an initial state, for example).
      case vector(size: Int)
    }
  }

  /// One operation; its value has the node's name.
  package struct Node: Sendable, Equatable {
    package var name: String
    package var op: Op
    /// The names of inputs or other nodes, which may come later in the list. A recurrent network named `h` also has
    /// `h.hidden`, and an lstm `h.cell`: the final states of its last layer, directions concatenated; `h.hidden.0` is
    /// the final state of its first layer. Nil stands for the h₀ of an lstm that is given a c₀ alone.
    package var inputs: [String?]
    /// The prefix of the node's tensors: `lstm` for `lstm.weight_ih_l0`. Nil: the node's name.
    package var weights: String?
    /// The name of a mask, a sequence of size 1: the node skips steps at which it is 0.
    package var mask: String?

    package init(
      name: String, op: Op, inputs: [String?], weights: String? = nil, mask: String? = nil
    ) {
      self.name = name
      self.op = op
      self.inputs = inputs
      self.weights = weights
      self.mask = mask
    }
  }

  /// The direction in which a recurrent network reads a sequence.
  package enum Direction: String, Sendable, Equatable, CaseIterable {
    case forward, reverse
  }

  package struct Output: Sendable, Equatable {
    /// The node's (or input's) name.
    package var name: String
    /// A label for each element of the output; nil if there are none.
    package var labels: [String]?
    /// The features input whose next steps this output forecasts, in that input's units: an output of
    /// K·size elements holds the next K steps. Makes `horizon` possible.
    package var forecasts: String?
    /// How the output's numbers are decoded to labels, which the answer then has too; nil if they are not decoded.
    package var decode: Decode?
    /// The input that this output reconstructs; answers then have the error of the reconstruction.
    package var reconstructs: Reconstruction?
    /// The levels of the quantiles that the output forecasts; for each element of a step, the output has all its
    /// quantiles one after another. Nil: the output forecasts the mean.
    package var quantiles: [Float]?
    /// Which forecast is fed back as the input of the next steps; nil: the mean if there is one, else the median.
    package var feedback: Feedback?

    package init(
      name: String, labels: [String]? = nil, forecasts: String? = nil, decode: Decode? = nil,
      reconstructs: Reconstruction? = nil, quantiles: [Float]? = nil, feedback: Feedback? = nil
    ) {
      self.name = name
      self.labels = labels
      self.forecasts = forecasts
      self.decode = decode
      self.reconstructs = reconstructs
      self.quantiles = quantiles
      self.feedback = feedback
    }
  }
}

extension ModelDescription.Input.Kind {
  /// The elements of a step or of a vector, or the number of ids.
  package var size: Int {
    switch self {
    case .features(let size, _, _), .tokens(let size, _), .vector(let size): size
    }
  }

  /// Whether the input has a value for each step.
  var hasSteps: Bool {
    switch self {
    case .features, .tokens: true
    case .vector: false
    }
  }

  /// The form of the input's value.
  package var form: Model.ValueForm {
    switch self {
    case .features(let size, _, _): .sequence(size: size)
    case .tokens: .tokens
    case .vector(let size): .vector(size: size)
    }
  }
}
