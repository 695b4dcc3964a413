import JSON
import ModelFormat
import NumPyFormat

/// Reads Keras models: the configuration, and weights in HDF5.
struct KerasReader {
  /// Models of Keras 1, 2 and 3: `.keras`, `.h5`, and weights with the model's configuration beside them.
  static let format = ImportFormat(
    name: "Keras (.keras, .h5)", takesNames: false,
    otherwise: Remedy.otherThanKeras,
    recognises: { _, bytes in
      let kind = ForeignFile(bytes.span)
      return kind == .keras || kind == .hdf5
    },
    read: { request, files throws(ImportError) in
      try KerasReader(request: request, files: files).folder()
    })

  private let name: String
  private let source: KerasSource
  private let model: KerasModel
  private let file: HDF5File
  private let container: KerasWeightStore.Container

  init(request: ImportRequest, files: [SourceFile]) throws(ImportError) {
    let first = files[0]
    var parts: KerasParts
    if ForeignFile(first.bytes.span) == .keras {
      parts = try KerasParts(archive: first)
    } else {
      parts = try KerasParts(hdf5: first)
    }
    if let path = request.graph {
      guard parts.configuration == nil else {
        throw ImportError(
          file: first.path,
          problem:
            "found a whole Keras model, which has its own layers, and \(path) given as its graph",
          remedy:
            "leave --graph out; or save the weights alone, model.save_weights('model.weights.h5'), and import these with the graph"
        )
      }
      try parts.readConfiguration(of: try SourceFile(path: path), weights: first.path)
    } else if parts.configuration == nil, files.count == 2 {
      try parts.readConfiguration(of: files[1], weights: first.path)
    } else if files.count > 1 {
      throw ImportError(
        file: files[1].path,
        problem: "found a second file beside a whole Keras model, expected one",
        remedy:
          "import each file into a folder of its own; an encoder and a decoder that are to answer together: "
          + "export both with model.export('model.onnx', format='onnx'), and name the two .onnx files"
      )
    }
    guard let configuration = parts.configuration else {
      guard parts.file.isOfKeras else {
        throw ImportError(
          file: first.path, problem: "found an HDF5 file that is not of Keras's, expected a model",
          remedy: "save the whole model: model.save('model.keras')")
      }
      throw ImportError(
        file: first.path, problem: "found weights alone, without the layers that they are of",
        remedy:
          "save the whole model: model.save('model.keras'); or the layers beside the weights: "
          + "open('model.json', 'w').write(model.to_json()), and name them: --graph model.json")
    }
    name = request.name ?? first.stem
    file = parts.file
    source = KerasSource(
      file: first.path, version: parts.version, minor: parts.minor, answersZeros: !parts.isApart,
      olderWeights: parts.olderWeights)
    var layer = try KerasLayer(configuration, in: "", source: source)
    guard layer.isModel else {
      throw layer.refusal(
        "found a model that is a class of its own, whose graph only its Python code knows",
        remedy:
          "save what it makes of an input: x = keras.Input((None, features)); "
          + "keras.Model(x, model.call(x)).save('model.keras')")
    }
    layer.path = ""
    model = try KerasModel(layer)
    do { container = try KerasWeightStore(file: file).root() } catch {
      throw ImportError(file: first.path, place: error.path, problem: "\(error)")
    }
  }

  /// The most inputs that are tried as numbers one after another.
  private static let maxMixedInputs = 8

  /// The model folder. Keras doesn't say what an input's first axis means: it is read as steps or, if that makes no graph, otherwise.
  /// The refusal is that of the reading that came furthest.
  func folder() throws(ImportError) -> FolderDraft {
    var furthest: (calls: Int, refusal: ImportError)?
    let store = KerasWeightStore(file: file, of: model, in: container)
    for mode in KerasTranslation.Mode.allCases {
      // Inputs that are read as ids and as numbers are numbers: then tables take them too.
      var numbers: Set<Int> = []
      for _ in 0...Self.maxMixedInputs {
        var translation = KerasTranslation(
          name: name, store: store, source: source, mode: mode)
        translation.numbers = numbers
        do { return try folder(&translation) } catch {
          if translation.callCount > furthest?.calls ?? -1 {
            furthest = (translation.callCount, error)
          }
        }
        let mixed = translation.inputs.indices.filter { translation.inputs[$0].isMixed }
        guard !numbers.isSuperset(of: mixed) else { break }
        numbers.formUnion(mixed)
      }
    }
    guard let furthest else { preconditionFailure("there is a mode") }
    throw furthest.refusal
  }

  private func folder(_ translation: inout KerasTranslation) throws(ImportError) -> FolderDraft {
    let inputs = try translation.addInputs(of: model)
    let outputs = try translation.run(model, in: container, inputs: inputs)
    try KerasAttentionScores.check(outputs, of: model.layer)
    var draft = try translation.finish(outputs, keys: model.outputKeys, model: model.layer)
    draft.dropUnusedNodes()
    draft.kerasVersion = source.version
    do { _ = try draft.model() } catch {
      var refusal = ImportError(file: source.file, error)
      if case .differentSteps = error {
        refusal.remedy = KerasLength.remedy()
      }
      throw refusal
    }
    return draft
  }
}

/// The parts of a model's file.
struct KerasParts {
  let file: HDF5File
  private(set) var configuration: JSONValue?
  private(set) var version: Int
  private(set) var minor: Int?
  /// Whether standalone Keras wrote the file, not TensorFlow's.
  private(set) var isApart = false
  /// `KerasSource.olderWeights`.
  private(set) var olderWeights: String?
  /// The version in a file of weights.
  private var weightsVersion: String?

  /// The most bytes of weights in a `.keras` archive.
  private static let maxWeightBytes = 4 << 30
  private static let maxTextBytes = 64 << 20

  /// Reads a zip archive with `config.json`, `metadata.json` and `model.weights.h5`.
  init(archive file: SourceFile) throws(ImportError) {
    let archive: ZipArchive
    do { archive = try ZipArchive(file.bytes) } catch { throw ImportError(file: file.path, error) }
    func content(_ name: String, limit: Int) throws(ImportError) -> [UInt8] {
      guard let place = archive.names.firstIndex(of: name) else {
        throw ImportError(file: file.path, place: name, problem: "not in the archive")
      }
      let size = archive.size(at: place)
      guard size <= limit else {
        throw ImportError(
          file: file.path, place: name, problem: "found \(size) bytes, at most \(limit) are read")
      }
      do { return try archive.content(at: place) } catch {
        throw ImportError(file: file.path, error)
      }
    }
    let metadata = try Self.parse(
      try content("metadata.json", limit: Self.maxTextBytes), file: file.path,
      place: "metadata.json")
    version = KerasSource.version(of: metadata["keras_version"]?.string)
    minor = KerasSource.minor(of: metadata["keras_version"]?.string)
    configuration = try Self.parse(
      try content("config.json", limit: Self.maxTextBytes), file: file.path, place: "config.json")
    self.file = try Self.open(
      try content("model.weights.h5", limit: Self.maxWeightBytes), file: file.path,
      place: "model.weights.h5")
  }

  /// Reads an HDF5 file with the attributes `model_config` and `keras_version`, or with only weights.
  init(hdf5 source: SourceFile) throws(ImportError) {
    file = try Self.open(source.bytes, file: source.path, place: nil)
    do throws(HDF5Error) {
      var version = try file.text("keras_version", of: "")
      if version == nil, file.exists("model_weights") {
        version = try file.text("keras_version", of: "model_weights")
      }
      // The weights of Keras 3 (and of Keras 2.12 and later) have no version; the description of the layers does.
      self.version = KerasSource.version(of: version)
      minor = KerasSource.minor(of: version)
      isApart = KerasSource.isApart(version)
      weightsVersion = version
      guard let text = try file.text("model_config", of: "") else { return }
      configuration = .string(text)
    } catch {
      throw ImportError(file: source.path, place: error.path, problem: "\(error)")
    }
    if let text = configuration?.string {
      configuration = try Self.parse(Array(text.utf8), file: source.path, place: "model_config")
    }
  }

  /// Reads the layers from a file of `model.to_json()`.
  mutating func readConfiguration(
    of file: SourceFile, weights: String
  ) throws(ImportError) {
    let value = try Self.parse(file.bytes, file: file.path, place: nil)
    guard value["class_name"] != nil else {
      throw ImportError(
        file: file.path, problem: "found no class_name, expected the layers of the Keras model",
        remedy: "write them in Python: open('model.json', 'w').write(model.to_json())")
    }
    configuration = value
    // Keras 3 writes no version here, but the module of each class.
    let isKeras3 = value["keras_version"] == nil && value["module"] != nil
    isApart = !isKeras3 && KerasSource.isApart(value["keras_version"]?.string)
    version = isKeras3 ? 3 : KerasSource.version(of: value["keras_version"]?.string)
    minor = KerasSource.minor(of: value["keras_version"]?.string)
    if let weightsVersion, KerasSource.hasHardGates(weightsVersion),
      isKeras3 || !KerasSource.hasHardGates(value["keras_version"]?.string)
    {
      olderWeights = weightsVersion
    }
  }

  private static func open(
    _ bytes: [UInt8], file: String, place: String?
  ) throws(ImportError) -> HDF5File {
    do { return try HDF5File(bytes) } catch {
      throw ImportError(
        file: file, place: place, problem: "\(error)", remedy: Remedy.incomplete)
    }
  }

  private static func parse(
    _ bytes: [UInt8], file: String, place: String?
  ) throws(ImportError) -> JSONValue {
    do { return try JSONParser.parse(withoutNaN(bytes)) } catch {
      throw ImportError(file: file, place: place, problem: "\(error)")
    }
  }

  /// Replaces NaN and Infinity, which Python writes but JSON lacks. No layer needs these numbers.
  private static func withoutNaN(_ bytes: [UInt8]) -> [UInt8] {
    let words = ["NaN", "-Infinity", "Infinity"].map { Array($0.utf8) }
    var result: [UInt8] = []
    result.reserveCapacity(bytes.count)
    var isInString = false
    var index = 0
    while index < bytes.count {
      let byte = bytes[index]
      if isInString, byte == UInt8(ascii: "\\"), index + 1 < bytes.count {
        result += [byte, bytes[index + 1]]
        index += 2
        continue
      }
      if byte == UInt8(ascii: "\"") { isInString.toggle() }
      if !isInString,
        byte == UInt8(ascii: "N") || byte == UInt8(ascii: "I") || byte == UInt8(ascii: "-"),
        let word = words.first(where: { bytes[index...].starts(with: $0) })
      {
        result += "null".utf8
        index += word.count
        continue
      }
      result.append(byte)
      index += 1
    }
    return result
  }
}

extension HDF5File {
  /// Whether Keras wrote the file: a model, or weights of any of its forms.
  fileprivate var isOfKeras: Bool {
    ["layers", "_layer_checkpoint_dependencies", "model_weights"].contains { exists($0) }
      || (try? texts("layer_names", of: "")) ?? nil != nil
  }
}
