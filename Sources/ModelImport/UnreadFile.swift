import Glibc
import JSON
import ModelFormat

/// A file or folder that no format reads: what it is, and what to give in its place.
struct UnreadFile {
  let path: String

  /// The error for a file with these bytes.
  func refusal(_ bytes: [UInt8]) -> ImportError {
    let expected =
      "expected a model: .onnx, .keras, .h5, .pt2, .pt, .pth, .ckpt, .bin, .safetensors, .npz or a pickle of arrays"
    let (found, remedy) = finding(bytes) ?? ("a file of an unknown kind", nil)
    return ImportError(file: path, problem: "found \(found), \(expected)", remedy: remedy)
  }

  /// What the file is, and what to do; nil if neither the bytes nor the name tell it.
  private func finding(_ bytes: [UInt8]) -> (found: String, remedy: String?)? {
    if bytes.isEmpty { return ("an empty file", "copy or download it again") }
    if let kind = ForeignFile(bytes.span) { return (kind.what, remedy(for: kind)) }
    if let json = json(bytes) { return json }
    return byName
  }

  private func remedy(for kind: ForeignFile) -> String? {
    switch kind {
    case .tensorFlowModel: Self.savedModel
    case .tensorFlowLite:
      "import what it was converted from: model.save('model.keras') of Keras, or an .onnx of PyTorch"
    case .gguf: Self.fromItsFramework
    case .gitLFSPointer: "fetch the file: git lfs pull"
    case .html:
      "the download gave a page: links to a file itself have /resolve/ (Hugging Face) or /raw/ (GitHub) in place of /blob/"
    case .zip, .gzip, .bzip2, .xz, .zstd, .tar:
      "unpack it, and import the model's file that is inside"
    case .npy:
      "one array has no name: numpy.savez('weights.npz', **{'fc.weight': array}) writes several with their names"
    case .office, .parquet, .arrow, .matlab, .sqlite: "this holds data: the model is another file"
    case .hdf5, .keras, .torchZip, .torchPickle, .pickle, .onnx, .npz: nil
    }
  }

  private static let fromItsFramework =
    "export the network from the framework that it was trained with, to .onnx"

  private static let savedModel =
    "of Keras 2, keras.models.load_model('FOLDER').save('model.keras') writes one that can be imported; of another, python3 -m tf2onnx.convert --saved-model FOLDER --output model.onnx"

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
    return ("a JSON object that describes no model", nil)
  }

  /// Kinds that only the name tells.
  private var byName: (found: String, remedy: String?)? {
    let name = path.split(separator: "/").last ?? ""
    switch name.split(separator: ".").last.map({ $0.lowercased() }) {
    case "mlmodel":
      return ("a Core ML model", Self.fromItsFramework)
    case "pb", "meta": return ("a graph of TensorFlow 1 or a SavedModel", Self.savedModel)
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

  // MARK: Folders

  /// The error for a folder in the place of a file.
  func folderRefusal() -> ImportError {
    let names = Folder.names(in: path).sorted()
    let slash = path.hasSuffix("/") ? "" : "/"
    let expected = "expected the model's file"
    if names.contains(Model.descriptionFile), names.contains(Model.tensorFile) {
      return ImportError(
        file: path, problem: "found a model folder, \(expected)",
        remedy: "it is served as it is: carousel serve \(path)")
    }
    if names.contains("saved_model.pb") {
      return ImportError(
        file: path, problem: "found a TensorFlow SavedModel, \(expected)",
        remedy: Self.savedModel.replacing("FOLDER", with: path))
    }
    if path.hasSuffix(".mlpackage") || path.hasSuffix(".mlpackage/") {
      return ImportError(
        file: path, problem: "found a Core ML model, \(expected)",
        remedy: Self.fromItsFramework)
    }
    let model = names.first { name in
      ["onnx", "keras", "h5", "pt", "pth", "pt2", "ckpt", "bin", "safetensors", "npz"].contains(
        name.split(separator: ".").last.map(String.init) ?? "")
    }
    return ImportError(
      file: path, problem: "found a folder, \(expected)",
      remedy: model.map { "perhaps \(path)\(slash)\($0)" })
  }
}

extension SourceFile {
  /// Checks that a file is there before anything is done.
  package static func checkIsReadable(_ path: String) throws(ImportError) {
    if FileStatus(path)?.isFolder ?? false { throw UnreadFile(path: path).folderRefusal() }
    do { _ = try OpenFile(path: path) } catch { throw ImportError(file: path, error) }
  }
}
