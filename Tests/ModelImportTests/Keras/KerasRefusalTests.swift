import FoundationEssentials
import TestSupport
import Testing

@testable import ModelImport

@Suite struct KerasRefusalTests {
  /// The refusal of the weights of a fixture under other layers.
  private func refusal(of layers: String, weights: String = "plain") throws -> ImportError {
    let file = FileManager.default.temporaryDirectory.appending(path: "\(UUID()).json")
    defer { try? FileManager.default.removeItem(at: file) }
    try Data(layers.utf8).write(to: file)
    let request = ImportRequest(
      files: [Fixtures.path("keras/\(weights).weights.h5")], graph: file.path(percentEncoded: false)
    )
    do {
      _ = try importedFolder(request)
      throw Unrefused()
    } catch let error as ImportError { return error }
  }

  private struct Unrefused: Error {}

  /// A Sequential model of Keras 3.
  private func sequential(_ layers: String..., input: String = "[null, null, 3]") -> String {
    let first = """
      {"module": "keras.layers", "class_name": "InputLayer", "config": {"name": "x", "batch_shape": \(input)}}
      """
    return """
      {"module": "keras", "class_name": "Sequential", "config": {"name": "m", "layers": [\(([first] + layers).joined(separator: ", "))]}}
      """
  }

  private func layer(_ kind: String, _ config: String) -> String {
    "{\"module\": \"keras.layers\", \"class_name\": \"\(kind)\", \"config\": {\(config)}}"
  }

  @Test func whatAWholeModelDoesNotTakeIsTold() throws {
    let file = Fixtures.path("keras/activations.keras")
    var error = #expect(throws: ImportError.self) {
      try importedFolder(ImportRequest(files: [file, file]))
    }
    #expect(error?.remedy?.contains("a folder of its own") == true)
    var request = ImportRequest(files: [file])
    request.names = "names.json"
    error = #expect(throws: ImportError.self) { try importedFolder(request) }
    #expect(error?.problem.contains("--names names.json") == true)
    for whole in ["keras/activations.keras", "keras/called_twice.h5"] {
      request = ImportRequest(files: [Fixtures.path(whole)], graph: "layers.json")
      error = #expect(throws: ImportError.self) { try importedFolder(request) }
      #expect(error?.problem.contains("its own layers, and layers.json given") == true, "\(whole)")
      #expect(error?.remedy?.contains("leave --graph out") == true)
    }
  }

  /// A few bytes that ask for images of any size: told before anything is made of them.
  @Test(arguments: [
    ("UpSampling2D", "\"size\": [1, 4194304]"),
    ("ZeroPadding2D", "\"padding\": [[0, 0], [4194304, 0]]"),
  ])
  func imagesThatWouldBeTooLarge(kind: String, config: String) throws {
    let error = try refusal(
      of: sequential(layer(kind, "\"name\": \"u\", \(config)"), input: "[null, null, 3, 1]"))
    #expect(error.problem.contains("expected at most"), "\(error)")
  }

  /// Nothing else than the nearest pixel is taken for it.
  @Test(arguments: [
    ("bicubic", "[null, null, 4, 2]", "found \"bicubic\""),
    ("bilinear", "[null, null, 4, 2]", "bilinear over the steps"),
  ])
  func interpolationsThatAreNotCarried(name: String, input: String, found: String) throws {
    let error = try refusal(
      of: sequential(
        layer("UpSampling2D", "\"name\": \"u\", \"interpolation\": \"\(name)\""), input: input))
    #expect(error.problem.contains(found), "\(error)")
    #expect(error.remedy?.contains("keras.Model(y, model.outputs)") == true, "\(error)")
  }

  @Test func weightsAloneAreRefusedWithTheLineThatSavesTheLayers() throws {
    let request = ImportRequest(files: [Fixtures.path("keras/plain.weights.h5")])
    let error = #expect(throws: ImportError.self) { try importedFolder(request) }
    #expect(error?.remedy?.contains("model.to_json()") == true)
  }

  @Test(arguments: [("RepeatVector", "\"name\": \"r\", \"n\": 4")])
  func stepsBehindElementsAreRefusedWithWhatToDo(kind: String, config: String) throws {
    let permute = layer("Permute", "\"name\": \"p\", \"dims\": [2, 1]")
    let error = try refusal(of: sequential(permute, layer(kind, config), input: "[null, 8, 3]"))
    #expect(error.problem.contains("(3, 8 steps)"), "\(error)")
    #expect(error.remedy?.contains("without the Permute") == true, "\(error)")
  }

  /// A class of the model's authors may have the name of one of Keras's.
  @Test(arguments: [
    "\"module\": \"__main__\", \"class_name\": \"Attention\", \"registered_name\": \"Attention\"",
    "\"module\": null, \"class_name\": \"Dropout\", \"registered_name\": \"mine>Dropout\"",
    "\"class_name\": \"Custom>Dense\"",
    "\"module\": null, \"class_name\": \"Dense\", \"registered_name\": \"Dense\"",
    "\"module\": null, \"class_name\": \"Attention\"",
    "\"module\": null, \"class_name\": \"LayerNormalization\"",
  ])
  func classesOfOthersAreRefusedWithWhatToDo(kind: String) throws {
    let error = try refusal(
      of: sequential("{\(kind), \"config\": {\"name\": \"own\", \"units\": 4}}"))
    #expect(error.problem.contains("not Keras's"), "\(error)")
    #expect(error.remedy?.contains("'float32')); model.export(") == true, "\(error)")
  }

  @Test func aModelOfAClassOfItsOwnIsRefusedWithTheLineThatSavesItsGraph() throws {
    let error = try refusal(
      of: "{\"module\": \"__main__\", \"class_name\": \"Own\", \"config\": {}}")
    #expect(error.remedy?.contains("keras.Model(x, model.call(x)).save(") == true, "\(error)")
  }

  /// A layer of the authors' class, which in `.h5` has no module.
  @Test(arguments: ["{}", #"{"name": "s", "trainable": true, "dtype": "float32"}"#])
  func aClassWithTheNameOfAFunctionIsNoFunction(config: String) throws {
    let error = try refusal(
      of: sequential(#"{"module": null, "class_name": "Sub", "config": \#(config)}"#))
    #expect(error.problem.contains("not Keras's"), "\(error)")
  }

  /// Older files don't say whose a class is; one that no version of Keras has is of the model's authors.
  @Test(arguments: [
    ("ReversedLSTM", "not Keras's", "_flatten_layers()"),
    ("TCN", "not Keras's", "tf2onnx.convert.from_keras(model"),
    ("LocallyConnected1D", "class that is not carried", "IMPORT.md"),
    ("RandomFlip", "class that is not carried", "IMPORT.md"),
  ])
  func classesWithoutAModule(name: String, found: String, remedy: String) throws {
    let config = #"{"name": "s", "trainable": true, "dtype": "float32"}"#
    let model = sequential(#"{"class_name": "\#(name)", "config": \#(config)}"#)
    let error = try refusal(
      of: model.replacing(#""module": "keras","#, with: #""keras_version": "2.8.0","#)
    )
    #expect(error.problem.contains(found), "\(error)")
    #expect(error.remedy?.contains(remedy) == true, "\(error)")
  }

  /// A parameter that is passed over would change the answers.
  @Test(arguments: [
    ("Silu", #""beta": 2.0"#, "found \"beta\", expected a tensor alone"),
    ("Elu", #""alpha": 2.0, "beta": 1"#, "found \"beta\", expected a tensor and alpha"),
    ("Celu", #""alpha": "two""#, "alpha: found \"two\", expected a number"),
    ("Threshold", #""threshold": 1"#, "default_value: found none"),
  ])
  func parametersOfFunctionsAreReadOrRefused(name: String, config: String, found: String) throws {
    let function = """
      {"module": "keras.src.ops.nn", "class_name": "\(name)", "config": {"name": "f", \(config)}}
      """
    let error = try refusal(of: sequential(function))
    #expect(error.place == "\(name) \"f\"" && error.problem.contains(found), "\(error)")
  }

  /// Scores of an attention may be answered, not read.
  @Test(arguments: [
    ("a", "among the outputs", "keras.Model(model.inputs, [model.outputs[1]])"),
    ("d", "found the scores", "without the layers that read them"),
  ])
  func scoresOfAnAttentionThatAreReadAreRefused(output: String, found: String, remedy: String)
    throws
  {
    func tensor(_ layer: String, _ output: Int) -> String {
      "{\"class_name\": \"__keras_tensor__\", \"config\": {\"keras_history\": [\"\(layer)\", 0, \(output)]}}"
    }
    let error = try refusal(
      of: """
        {"module": "keras", "class_name": "Functional", "config": {"name": "m", "layers": [
        {"module": "keras.layers", "class_name": "InputLayer", "name": "x", "config": {"name": "x",
        "batch_shape": [null, 2, 3]}, "inbound_nodes": []},
        {"module": "keras.layers", "class_name": "Attention", "name": "a", "config": {"name": "a"},
        "inbound_nodes": [{"args": [[\(tensor("x", 0)), \(tensor("x", 0))]], "kwargs":
        {"return_attention_scores": true}}]},
        {"module": "keras.layers", "class_name": "Softmax", "name": "d", "config": {"name": "d"},
        "inbound_nodes": [{"args": [\(tensor(output == "d" ? "a" : "x", output == "d" ? 1 : 0))], "kwargs": {}}]}],
        "input_layers": [["x", 0, 0]], "output_layers": [["\(output)", 0, \(output == "a" ? 1 : 0)], ["a", 0, 0]]}}
        """)
    #expect(error.problem.contains(found), "\(error)")
    #expect(error.remedy?.contains(remedy) == true, "\(error)")
  }

  /// What a call names is a mask or is refused: left out, the answers would be others.
  @Test(arguments: [
    ("attention_mask", "[[[1, 1], [0, 1]]]", "not causal"),
    ("value_mask", "[[1, 0]]", "a list or an array"),
    ("query_mask", "[[1, 0]]", "not their own"),
  ])
  func masksOfAttentionThatAreNotCarriedAreRefused(key: String, array: String, found: String)
    throws
  {
    let tensor =
      "{\"class_name\": \"__keras_tensor__\", \"config\": {\"keras_history\": [\"x\", 0, 0]}}"
    let error = try refusal(
      of: """
        {"module": "keras", "class_name": "Functional", "config": {"name": "m", "layers": [
        {"module": "keras.layers", "class_name": "InputLayer", "name": "x", "config": {"name": "x",
        "batch_shape": [null, 2, 3]}, "inbound_nodes": []},
        {"module": "keras.layers", "class_name": "MultiHeadAttention", "name": "a", "config": {"name": "a",
        "num_heads": 1, "key_dim": 2}, "inbound_nodes": [{"args": [\(tensor), \(tensor)], "kwargs": {"\(key)":
        {"class_name": "__numpy__", "config": {"value": \(array), "dtype": "bool"}}}}]}],
        "input_layers": [["x", 0, 0]], "output_layers": [["a", 0, 0]]}}
        """)
    #expect(error.problem.hasPrefix("\(key): found"), "\(error)")
    #expect(error.problem.contains(found), "\(error)")
    #expect(error.remedy?.contains("use_causal_mask=True") == true, "\(error)")
  }

  /// Of several readings of a model's axes, the one that came furthest tells what is not carried.
  @Test func theRefusalIsOfTheLayerThatIsNotCarried() throws {
    let flat = layer("Flatten", "\"name\": \"f\"")
    let own = layer("Snake", "\"name\": \"s\"")
    let error = try refusal(of: sequential(flat, own, input: "[null, 8, 3]"))
    #expect(error.place == "Snake \"s\"", "\(error)")
  }

  @Test func sequencesWithinStepsAreRefusedWithWhatToDo() throws {
    let inner = layer("LSTM", "\"name\": \"l\", \"units\": 4")
    let error = try refusal(
      of: sequential(
        layer("TimeDistributed", "\"name\": \"t\", \"layer\": \(inner)"),
        input: "[null, null, 7, 3]"))
    #expect(error.problem.contains("(7, 3) within each step"), "\(error)")
    #expect(error.remedy?.contains("keras.Model(y, model.outputs)") == true, "\(error)")
  }

  /// The sizes of sequences rolled by several steps, and of norms with weights for each step, have to be known.
  @Test(arguments: [
    (
      "LayerNormalization", "\"name\": \"n\", \"axis\": [1]", "keras.Model(x, model(x)).save("
    ),
    ("Roll", "\"name\": \"r\", \"shift\": 2, \"axis\": 1", "keras.Model(x, model(x)).save("),
  ])
  func layersOverStepsAreRefusedWithWhatToDo(kind: String, config: String, remedy: String) throws {
    let error = try refusal(of: sequential(layer(kind, config)))
    #expect(error.remedy?.contains(remedy) == true, "\(error)")
  }

  @Test func aMeanForEachStepIsRefusedWithWhatToDo() throws {
    let error = try refusal(
      of: sequential(
        layer("Normalization", "\"name\": \"n\", \"axis\": [1, 2]"), input: "[null, null, 3]"))
    #expect(
      error.problem.contains("[1, 2]") && error.remedy?.contains("axis=-1") == true, "\(error)")
  }

  @Test(arguments: [
    ("Lambda", "\"name\": \"double\"", "Lambda \"double\"", "model(model.inputs)).save("),
    ("Conv2DTranspose", "\"name\": \"c\"", "Conv2DTranspose \"c\"", "expected an image"),
    ("Conv3DTranspose", "\"name\": \"c\"", "Conv3DTranspose \"c\"", "layer over images"),
    ("Conv2D", "\"name\": \"c\"", "Conv2D \"c\"", "expected an image: (rows, columns, channels)"),
    ("Conv3D", "\"name\": \"c\"", "Conv3D \"c\"", "layer over images"),
    ("ConvLSTM1D", "\"name\": \"c\"", "ConvLSTM1D \"c\"", "TimeDistributed(Conv1D(…))"),
    (
      "Discretization", "\"name\": \"c\"", "Discretization \"c\"",
      "send what it makes, and save the layers behind it: keras.Model(model.get_layer('c').output"
    ),
    (
      "TextVectorization", "\"name\": \"t\"", "TextVectorization \"t\"",
      "--vocabulary vocabulary.json"
    ),
    ("StringLookup", "\"name\": \"s\"", "StringLookup \"s\"", "get_vocabulary()"),
    ("MyAttention", "\"name\": \"own\"", "MyAttention \"own\"", "not carried"),
    ("Dense", "\"name\": \"d\", \"units\": 2, \"activation\": \"snake\"", "Dense \"d\"", "snake"),
    (
      "Dense", "\"name\": \"d\", \"units\": 2, \"activation\": {\"value\": [\"4wEA\", null, null]}",
      "Dense \"d\"", "l = model.get_layer('d'); f, l.activation = l.activation"
    ),
    (
      "LSTM",
      "\"name\": \"l\", \"units\": 4, \"activation\": {\"class_name\": \"__lambda__\", \"config\": {}}",
      "LSTM \"l\"", "found \"lambda\", a function of one's own"
    ),
    ("LSTM", "\"name\": \"l\", \"units\": -1", "LSTM \"l\"", "units: found -1"),
    ("LSTM", "\"name\": \"l\", \"units\": 1e300", "LSTM \"l\"", "units: found 1e300"),
    ("LSTM", "\"name\": \"l\", \"units\": 4, \"activation\": \"softmax\"", "LSTM \"l\"", "softmax"),
    ("LSTM", "\"name\": \"l\", \"units\": 5", "LSTM \"l\"", "found the sizes [3, 16]"),
    ("Reshape", "\"name\": \"r\", \"target_shape\": [7, 7]", "Reshape \"r\"", "don't fit"),
    (
      "Reshape", "\"name\": \"r\", \"target_shape\": [-9223372036854775808]", "Reshape \"r\"",
      "target_shape: found an array of 1, expected whole numbers"
    ),
    ("RNN", "\"name\": \"n\"", "RNN \"n\"", "not carried"),
    (
      "Embedding",
      "\"name\": \"e\", \"input_dim\": 3, \"output_dim\": 16, \"mask_zero\": true",
      "Embedding \"e\"", "expected an id a step"
    ),
  ])
  func layersAreRefusedByName(
    kind: String, config: String, place: String, problem: String
  ) throws {
    let error = try refusal(of: sequential(layer(kind, config)))
    #expect(error.place == place)
    #expect("\(error.problem); \(error.remedy ?? "")".contains(problem), "\(error)")
  }

  @Test(arguments: [
    "{}", "[]", "{\"class_name\": 1}", "{\"class_name\": \"Sequential\", \"config\": 3}",
    "{\"class_name\": \"Sequential\", \"config\": {\"layers\": []}}",
    "{\"class_name\": \"Functional\", \"config\": {\"layers\": [{}], \"input_layers\": [], \"output_layers\": []}}",
    "{\"class_name\": \"Own\", \"config\": {}}", "{\"class_name\"", "NaN",
  ])
  func whatIsNoModelIsRefused(text: String) throws {
    #expect(throws: ImportError.self) { throw try refusal(of: text) }
  }

  @Test(arguments: [
    "[null, -9223372036854775808]", "[null, 4194305]", "[null, 4194305, 3]",
    "[null]", "[null, null, null]", "[null, 0, 0]", "[null, 4, 1e18]", "3", "[]",
  ])
  func sizesOfInputsAreBounded(sizes: String) throws {
    _ = try refusal(of: sequential(layer("LSTM", "\"units\": 4"), input: sizes))
  }

  /// A layer that waits for what comes from itself.
  @Test func cyclesAreRefused() throws {
    let tensor = { (name: String) in
      "{\"class_name\": \"__keras_tensor__\", \"config\": {\"keras_history\": [\"\(name)\", 0, 0]}}"
    }
    let error = try refusal(
      of: """
        {"module": "keras", "class_name": "Functional", "config": {"name": "m", "layers": [
        {"module": "keras.layers", "class_name": "InputLayer", "name": "x", "config": {"name": "x",
        "batch_shape": [null, null, 3]}, "inbound_nodes": []},
        {"module": "keras.layers", "class_name": "Add", "name": "a", "config": {"name": "a"},
        "inbound_nodes": [{"args": [[\(tensor("x")), \(tensor("a"))]], "kwargs": {}}]}],
        "input_layers": ["x", 0, 0], "output_layers": ["a", 0, 0]}}
        """)
    #expect(error.problem.contains("cycle"), "\(error)")
  }

  /// Models in models, each called ten times by the next, would call a layer ten thousand million times.
  @Test func callsAreCounted() throws {
    var model = "{\"class_name\": \"Dropout\", \"config\": {\"name\": \"d\"}}"
    for depth in 0..<8 {
      let calls = (0..<10).map {
        "[[\"\($0 == 0 ? "x" : "m")\", \($0 == 0 || depth > 0 ? $0 : $0 - 1), 0, {}]]"
      }
      model = """
        {"class_name": "Functional", "config": {"name": "f\(depth)", "layers": [
        {"class_name": "InputLayer", "name": "x", "config": {"name": "x", "batch_input_shape": [null, null, 3]},
        "inbound_nodes": []}, \(model.dropLast()), "name": "m", "inbound_nodes": [\(calls.joined(separator: ", "))]}],
        "input_layers": [["x", 0, 0]], "output_layers": [["m", \(depth == 0 ? 9 : 10), 0]]}}
        """
    }
    let renamed = model.replacing("\"name\": \"d\"", with: "\"name\": \"m\"")
    let error = try refusal(of: renamed)
    #expect(error.problem.contains("more than"), "\(error)")
  }

  /// Bytes of HDF5 that were changed are refused, or harmless; libhdf5 itself runs in a child process.
  @Test func damagedArchivesAreRefused() throws {
    let bytes = try [UInt8](
      Data(contentsOf: URL(filePath: Fixtures.path("keras/plain.keras"))))
    for length in [30, 100, 1000, bytes.count - 30] {
      #expect(throws: ImportError.self) {
        try KerasReader(
          request: ImportRequest(files: ["m.keras"]),
          files: [SourceFile(path: "m.keras", bytes: Array(bytes.prefix(length)))])
      }
    }
  }
}
