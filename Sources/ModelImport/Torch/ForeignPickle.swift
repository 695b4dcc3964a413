import ModelFormat

/// A pickle of scikit-learn's, or one of joblib, whose arrays stand between the operations of the pickle.
struct ForeignPickle {
  private let path: String
  private let isOfJoblib: Bool
  /// The name of the first class of scikit-learn in the file.
  private let estimator: String?

  /// Nil for pickles of other things.
  init?(_ file: SourceFile) {
    guard ForeignFile(file.bytes.span) == .pickle else { return nil }
    path = file.path
    // The names of modules and classes are texts in the pickle: what stands between bytes that are no letters.
    let words = file.bytes.prefix(Self.examinedBytes).split { !(0x21..<0x7F).contains($0) }
      .map { String(decoding: $0, as: UTF8.self) }
    isOfJoblib = words.contains { $0.contains("joblib.numpy_pickle") }
    let module = words.firstIndex { $0.contains("sklearn.") }
    let name = module.flatMap { words[($0 + 1)...].first { $0.contains(where: \.isLetter) } }
    estimator = name.map { String($0.drop { !$0.isLetter }) }
    if !isOfJoblib, estimator == nil { return nil }
  }

  private static let examinedBytes = 1 << 16

  /// What the file is, for a sentence.
  var what: String {
    (isOfJoblib ? "a file of joblib" : "a pickle")
      + (estimator.map { " of scikit-learn's \($0)" } ?? "")
  }

  /// The Python that leads from what was pickled to a scaler, such as `[0]` of a pipeline; nil if it is none.
  var scalerStep: String? {
    switch estimator {
    case "Pipeline": "[0]"
    case "ColumnTransformer": ".transformers_[0][1]"
    case let name?: Self.isScaler(name) ? "" : nil
    case nil: ""
    }
  }

  /// The error for the file, where it holds no weights that can be read.
  var refusal: ImportError {
    ImportError(
      file: path,
      problem: "found \(what), expected a model: a recurrent network, or its weights",
      remedy: remedy)
  }

  /// The Python that makes the list of labels of what was pickled as `e`; nil if it has none.
  var labels: String? {
    switch estimator {
    case "LabelEncoder", "LabelBinarizer", "MultiLabelBinarizer": "e.classes_"
    case "OneHotEncoder", "OrdinalEncoder": "e.categories_[0]"
    default: nil
    }
  }

  private var remedy: String {
    if let labels {
      return
        "\(TextList.command(path, labels)) writes what it names, to be given beside the model's file: carousel-import MODEL --labels labels.json -o FOLDER"
    }
    guard let estimator else {
      return
        "where it holds arrays, or a module: python3 -c \"import joblib, pickle; pickle.dump(joblib.load('\(path)'), open('weights.pkl', 'wb'))\" "
        + "writes a pickle, which can be imported"
    }
    guard let step = scalerStep else {
      return
        "it has no recurrent network: import the file of one, as PyTorch or Keras saves it, and where this goes on with its answers, call it with them in Python"
    }
    if Self.isScaler(estimator) { return Self.beside(of: path) }
    return
      "where its first step is a scaler, \(Self.beside(of: path, step: step)); a network is saved by PyTorch or Keras in a file of its own"
  }

  /// Whether this is a class of which a model's input gets mean and scale.
  static func isScaler(_ name: String) -> Bool {
    ["StandardScaler", "MinMaxScaler", "RobustScaler", "MaxAbsScaler"].contains(name)
  }

  /// The scalers that stand in a checkpoint beside its weights: their keys and classes.
  static func scalers(in file: TorchFile) -> [(key: String, class: PickleGraph.Reference)] {
    (file.graph.entries(file.root) ?? []).prefix(1000).compactMap { entry in
      guard case .call(let call) = file.graph[entry.value], let key = file.graph.text(entry.key),
        let name = file.graph.globalName(call.function), name.hasPrefix("sklearn."),
        isScaler(name.split(separator: ".").last.map(String.init) ?? "")
      else { return nil }
      return (key, call.function)
    }
  }

  /// How a pickled scaler is given beside a model.
  static func beside(of path: String, step: String = "") -> String {
    "\(ScalerFile.command(path, step)) writes it as JSON, to be given beside the model's file: carousel-import MODEL --scaler scaler.json -o FOLDER"
  }
}
