/// An import as the command line asks for it.
package struct ImportRequest: Sendable {
  /// The files in the given order: one, or the parts of one model (encoder, then decoder).
  package var files: [String]
  /// The path of a `model.json` with the graph, for files that hold only weights.
  package var graph: String?
  /// The path of a JSON object from the file's tensor names to those of the graph.
  package var names: String?
  /// The model's name; nil for one made from the first file's name.
  package var name: String?

  /// The path of a scikit-learn scaler for the features input.
  package var scaler: String?
  /// The path of the texts of the tokens input's ids.
  package var vocabulary: String?
  /// The path of the labels of the output's elements.
  package var labels: String?

  /// Inputs that are constants: `NAME=NUMBER` or `NAME=FILE.npy`.
  package var fixedInputs: [String] = []
  /// The sizes of inputs: `NAME=SIZE,SIZE`, with 0 for a size that stays open.
  package var shapes: [String] = []
  /// Whether inputs with a recurrent network's states stay inputs.
  package var keepsStates = false

  /// The options about a graph's inputs that are given, as on the command line.
  var inputOptions: [String] {
    shapes.map { "--shape \($0)" } + fixedInputs.map { "--set \($0)" }
      + (keepsStates ? ["--keep-states"] : [])
  }

  package init(
    files: [String], graph: String? = nil, names: String? = nil, name: String? = nil,
    scaler: String? = nil, vocabulary: String? = nil, labels: String? = nil
  ) {
    self.files = files
    self.graph = graph
    self.names = names
    self.name = name
    self.scaler = scaler
    self.vocabulary = vocabulary
    self.labels = labels
  }
}
