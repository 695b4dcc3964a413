import Glibc
import JSON
import ModelFormat
import NumPyFormat

/// A file or folder that no format reads: what it is, and what to give in its place.
struct UnreadFile {
  let path: String

  /// The error for a file with these bytes.
  func refusal(
    _ bytes: [UInt8],
    expected: String =
      "a model: .onnx, .keras, .h5, .pt2, .pt, .pth, .ckpt, .bin, .safetensors, .npz or a pickle of arrays"
  ) -> ImportError {
    let (found, remedy) = finding(bytes) ?? ("a file of an unknown kind", nil)
    return ImportError(file: path, problem: "found \(found), expected \(expected)", remedy: remedy)
  }

  /// What the file is, and what to do; nil if neither the bytes nor the name tell it.
  private func finding(_ bytes: [UInt8]) -> (found: String, remedy: String?)? {
    if bytes.isEmpty { return ("an empty file", "copy or download it again") }
    if let kind = ForeignFile(bytes.span) {
      return kind == .html ? markup(bytes) : (kind.what, remedy(for: kind, bytes))
    }
    return json(bytes) ?? byName ?? text(bytes)
  }

  /// A page, or an XML file.
  private func markup(_ bytes: [UInt8]) -> (found: String, remedy: String?) {
    let text = String(decoding: bytes.prefix(4096), as: UTF8.self)
    if text.contains("<net name") {
      return ("the layers of an OpenVINO model", Self.fromItsFramework)
    }
    return (
      ForeignFile.html.what,
      "the download gave a page: links to a file itself have /resolve/ (Hugging Face) or /raw/ (GitHub) in place of /blob/"
    )
  }

  /// A short text, such as the message that a server sent in the place of a file.
  private func text(_ bytes: [UInt8]) -> (found: String, remedy: String?)? {
    guard let text = String(validating: bytes.prefix(4096), as: UTF8.self),
      let line = text.split(whereSeparator: \.isNewline).first,
      !text.unicodeScalars.contains(where: { $0.value < 0x20 && !$0.properties.isWhitespace })
    else { return nil }
    return ("a text that begins \"\(line.prefix(60))\"", Self.isModelName(path) ? Self.again : nil)
  }

  private static let again = "a download may have left it: fetch the file again"

  private func remedy(for kind: ForeignFile, _ bytes: [UInt8]) -> String? {
    switch kind {
    case .tensorFlowModel: savedModelAround
    case .tensorFlowLite:
      "import what it was converted from: model.save('model.keras') of Keras, or an .onnx of PyTorch"
    case .gguf: Self.fromItsFramework
    case .gitLFSPointer: "fetch the file: git lfs pull"
    case .zip: unpacking("unzip \(path)", try? ZipArchive(bytes))
    case .tar: unpacking("tar xf \(path)", nil)
    case .gzip where path.hasSuffix(".tar.gz") || path.hasSuffix(".tgz"):
      unpacking("tar xzf \(path)", nil)
    case .gzip:
      path.hasSuffix(".gz")
        ? "unpack it, gunzip \(path), and import \(path.dropLast(3))"
        : "unpack it, gunzip < \(path) > model.pt, and import what comes out"
    case .bzip2, .xz, .zstd: unpacking("unpack it", nil)
    case .npy:
      "one array has no name: numpy.savez('weights.npz', **{'fc.weight': array}) writes several with their names"
    case .office, .parquet, .arrow, .matlab, .sqlite: "this holds data: the model is another file"
    case .hdf5, .keras, .torchZip, .torchPickle, .pickle, .onnx, .npz, .html: nil
    }
  }

  /// What to do with an archive, whose files are known of a zip alone.
  private func unpacking(_ command: String, _ archive: ZipArchive?) -> String {
    let names = archive?.names ?? []
    // The model is the largest: beside it may be a trainer's variables.
    let model = names.indices
      .filter { Self.isModelName(names[$0]) && !names[$0].lowercased().contains("optim") }
      .max { (archive?.size(at: $0) ?? 0) < (archive?.size(at: $1) ?? 0) }.map { names[$0] }
    if names.contains(where: { $0.hasSuffix("saved_model.pb") }) {
      return "\(command), and name the folder that it makes, to hear what to do with a SavedModel"
    }
    return
      "\(command), and import the model's file that is inside\(model.map { ", perhaps \($0)" } ?? "")"
  }

  /// Whether the name ends as that of a file that can be imported.
  static func isModelName(_ path: String) -> Bool {
    ["onnx", "keras", "h5", "pt", "pth", "th", "pt2", "ckpt", "bin", "safetensors", "npz"].contains(
      path.split(separator: ".").last.map { $0.lowercased() } ?? "")
  }

  /// The advice on a SavedModel, with the folder of this file.
  private var savedModelAround: String {
    let folder = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
    return Self.savedModel.replacing("FOLDER", with: folder)
  }

  private static func frozen(_ option: String, _ path: String) -> String {
    "python3 -m tf2onnx.convert \(option) \(path) --inputs x:0 --outputs y:0 --output model.onnx converts it, with the names of the graph's inputs and outputs for x and y"
  }

  static let fromItsFramework =
    "export the network from the framework that it was trained with, to .onnx"

  static let savedModel =
    "of Keras 2, keras.models.load_model('FOLDER').save('model.keras') writes one that can be imported; of another, python3 -m tf2onnx.convert --saved-model FOLDER --output model.onnx"

  /// The line that puts the files together into which a model's weights are divided.
  static func joining(parts: [String]) -> String {
    let names = parts.prefix(8).map { "'\($0)'" }.joined(separator: ", ")
    let isSafetensors = parts.first?.hasSuffix(".safetensors") ?? true
    return isSafetensors
      ? "put them together: python3 -c \"from safetensors.torch import load_file, save_file; w = {}; [w.update(load_file(f)) for f in (\(names),)]; save_file(w, 'weights.safetensors')\""
      : "put them together: python3 -c \"import torch; w = {}; [w.update(torch.load(f, map_location='cpu')) for f in (\(names),)]; torch.save(w, 'weights.pt')\""
  }

  /// A JSON text: the description of a folder, or of Keras's layers.
  private func json(_ bytes: [UInt8]) -> (found: String, remedy: String?)? {
    guard bytes.first(where: { !" \t\r\n".utf8.contains($0) }) == UInt8(ascii: "{"),
      case .object(let members)? = try? JSONParser.parse(bytes)
    else { return nil }
    func has(_ keys: String...) -> Bool {
      keys.allSatisfy { key in members.contains { $0.key == key } }
    }
    if has("nodes", "inputs") {
      return (
        "the description of a model folder, without weights",
        "the folder is served as it is, carousel serve FOLDER; with a file of weights, this is its graph: "
          + "carousel-import weights.pt --graph \(path) -o FOLDER"
      )
    }
    if has("modelTopology") {
      return (
        "a model of TensorFlow.js", "import what it was converted from: model.save('model.keras')"
      )
    }
    if has("class_name", "config") {
      return (
        "Keras's description of layers, without weights",
        "the weights come first: carousel-import model.weights.h5 --graph \(path) -o FOLDER; or save both: model.save('model.keras')"
      )
    }
    if case .object(let parts)? = members.last(where: { $0.key == "weight_map" })?.value {
      let files = parts.compactMap { part -> String? in
        if case .string(let name) = part.value { name } else { nil }
      }
      return (
        "the list of the files that a model's weights are divided into",
        Self.joining(parts: Set(files).sorted())
      )
    }
    if members.contains(where: { ["architectures", "model_type"].contains($0.key) }) {
      return (
        "Hugging Face's configuration of a model, without weights",
        "import the file of weights beside it, model.safetensors or pytorch_model.bin"
      )
    }
    let isMessage = members.contains { ["error", "message", "detail"].contains($0.key) }
    return (
      "a JSON object that describes no model",
      isMessage || Self.isModelName(path) ? Self.again : nil
    )
  }

  /// Kinds that only the name tells.
  private var byName: (found: String, remedy: String?)? {
    let name = path.split(separator: "/").last ?? ""
    switch name.split(separator: ".").last.map({ $0.lowercased() }) {
    case "mlmodel":
      return ("a Core ML model", Self.fromItsFramework)
    case "pb" where name == "saved_model.pb":
      return ("a SavedModel of TensorFlow", savedModelAround)
    case "pb":
      return ("a frozen graph of TensorFlow 1", Self.frozen("--graphdef", path))
    case "meta":
      return ("the graph of a TensorFlow 1 checkpoint", Self.frozen("--checkpoint", path))
    case "ckpt":
      return (
        "a checkpoint that is none of PyTorch's; TensorFlow's, perhaps",
        "load it into the model in Python, and save that: model.save('model.keras')"
      )
    case "joblib":
      return (
        "a compressed file of joblib",
        "of arrays: python3 -c \"import joblib, pickle; pickle.dump(joblib.load('\(path)'), open('weights.pkl', 'wb'))\" writes a pickle, which can be imported; of a scaler: "
          + ForeignPickle.beside(of: path)
      )
    case "engine", "plan", "trt": return ("a TensorRT engine", Self.fromItsFramework)
    case "caffemodel": return ("a Caffe model", Self.fromItsFramework)
    case "msgpack":
      return (
        "weights of Flax",
        "numpy.savez('weights.npz', **{'.'.join(k): v for k, v in flax.traverse_util.flatten_dict(params).items()}) writes them as arrays with names; their graph is given with --graph model.json"
      )
    case "index", "checkpoint":
      return (
        "a part of TensorFlow's checkpoint",
        "load it into the model in Python, and save that: model.save('model.keras')"
      )
    case "pdmodel", "pdiparams":
      return ("a Paddle model", "paddle2onnx converts it to .onnx, which can be imported")
    case "py", "ipynb":
      return (
        "Python code",
        "run it, and save the trained model: torch.onnx.export, or model.save('model.keras')"
      )
    case let end? where end.hasPrefix("data"):
      return (
        "a part of TensorFlow's checkpoint, or the weights of an ONNX model",
        "name the .onnx beside it; or load the checkpoint into the model in Python, and save that: model.save('model.keras')"
      )
    default: return nil
    }
  }
}

extension SourceFile {
  /// Checks that a file is there before anything is done.
  package static func checkIsReadable(_ path: String) throws(ImportError) {
    if FileStatus(path)?.isFolder ?? false { throw UnreadFile(path: path).folderRefusal() }
    do { _ = try OpenFile(path: path) } catch { throw ImportError(file: path, error) }
  }
}
