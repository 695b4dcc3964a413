/// What `model.json` says: a small graph of named values (see FORMAT.md beside this file).
package struct ModelDescription: Sendable, Equatable {
  /// The model's name, as it stands in URLs: letters, digits, `-`, `_` and `.`.
  package var name: String
  package var version: String
  /// One sentence on what the model is.
  package var summary: String?
  /// Where the training data came from, and its licence.
  package var source: String?
  package var licence: String?
  /// JSON of `inputs` that the model makes sense of, as `POST /predict` takes it: for people to try.
  package var example: String?
  /// What the recurrent networks' weights are kept as in memory, unless who loads the model says otherwise; nil is f32.
  package var precision: Precision?
  package var inputs: [Input]
  package var nodes: [Node]
  package var outputs: [Output]
  /// What makes a sequence of tokens of what the graph found out; nil where the graph's outputs are all.
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
    /// Inputs of one axis have as many steps as each other; nil: the axis of all inputs that name none.
    package var axis: String?

    package init(name: String, kind: Kind, axis: String? = nil) {
      self.name = name
      self.kind = kind
      self.axis = axis
    }

    package enum Kind: Sendable, Equatable {
      /// A vector of `size` floats a step, normalised as `(x - mean) / scale` where these are given
      /// (each of `size` elements).
      case features(size: Int, mean: [Float]?, scale: [Float]?)
      /// An id in `0..<size` a step. `vocabulary` has one text an id where given.
      case tokens(size: Int, vocabulary: [String]?)
      /// One vector of `size` floats a sequence (an initial state, say).
      case vector(size: Int)
    }
  }

  /// One operation; its value carries its name.
  package struct Node: Sendable, Equatable {
    package var name: String
    package var op: Op
    /// Names of inputs or other nodes, in any order of the list. A recurrent network named `h` also offers `h.hidden`, and
    /// an lstm `h.cell`: the final states of its last layer, directions concatenated; `h.hidden.0` is that of its first layer. Nil: an
    /// initial state of an lstm that is left out before another.
    package var inputs: [String?]
    /// The prefix of the node's tensors: `lstm` for `lstm.weight_ih_l0`. Nil: the node's name.
    package var weights: String?
    /// The name of a sequence of 1: where it is 0, the node passes over the step.
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

  /// Which way a recurrent network reads a sequence.
  package enum Direction: String, Sendable, Equatable, CaseIterable {
    case forward, reverse
  }

  package struct Output: Sendable, Equatable {
    /// The node's (or input's) name.
    package var name: String
    /// One label an element of the output, where given.
    package var labels: [String]?
    /// The features input whose next steps this output foretells, in that input's units: an output of
    /// K·size elements holds the next K steps. Makes `horizon` possible.
    package var forecasts: String?
    /// How its numbers become labels, which are answered beside them; nil where they do not.
    package var decode: Decode?
    /// The input that it reconstructs, so that answers say how far off it is.
    package var reconstructs: Reconstruction?
    /// The quantiles of what is foretold that its elements are, of each element of a step one after the other; nil: its mean.
    package var quantiles: [Float]?
    /// Which of all forecasts of the input goes in again; nil: the mean where there is one, else the median.
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
  /// The elements a step or a sequence, or the number of ids.
  package var size: Int {
    switch self {
    case .features(let size, _, _), .tokens(let size, _), .vector(let size): size
    }
  }

  /// Whether there is a value a step.
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
