/// What is to be imported, as the command line says it.
package struct ImportRequest: Sendable {
  /// The files, in the order in which they were named: one, or the parts of one model (encoder, then decoder).
  package var files: [String]
  /// A `model.json` whose graph the weights are for; of files that hold weights alone.
  package var graph: String?
  /// A JSON object from the file's tensor names to those of the graph.
  package var names: String?
  /// The model's name; nil: made from that of the first file.
  package var name: String?

  /// A scaler of scikit-learn's, for the features input.
  package var scaler: String?
  /// The texts of the ids of the tokens input.
  package var vocabulary: String?
  /// The labels of the output's elements.
  package var labels: String?

  /// Inputs that are constants: `NAME=NUMBER` or `NAME=FILE.npy`.
  package var fixedInputs: [String] = []
  /// The sizes of inputs: `NAME=SIZE,SIZE`, 0 for one that stays open.
  package var shapes: [String] = []
  /// Whether inputs that hold a recurrent network's states stay inputs.
  package var keepsStates = false

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
