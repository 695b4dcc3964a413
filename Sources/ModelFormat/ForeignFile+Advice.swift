extension ForeignFile {
  /// A sentence on what the file at `path` is, and how to make a model of it.
  func description(of path: String) -> String {
    "\(path) is \(what); \(importing(Self.word(path)))\(advice(Self.word(path)))"
  }

  /// A sentence on what the file at `path` is, and how to use its data as input; for a command that reads JSON, .npy and .npz.
  package func questionDescription(of path: String) -> String {
    let saving = loading(Self.word(path)).map { "; numpy.save('x.npy', \($0)) makes one in Python" }
    return "\(path) is \(what), expected JSON, .npy or .npz\(saving ?? inputAdvice)"
  }

  /// A sentence for a request body that is a file of this kind: what it is, and what to send instead.
  package var bodyDescription: String {
    let sending = loading("FILE").map {
      ", expected its numbers as JSON: {\"inputs\": \($0).tolist()} in Python"
    }
    return what + (sending ?? ", expected {\"inputs\": …} as JSON\(inputAdvice)")
      + (self == .npy || self == .npz ? "; carousel predict --input FILE reads it as it is" : "")
  }

  /// The path if it needs no quotes on a command line, else a placeholder.
  private static func word(_ path: String) -> String {
    let isPlain = path.utf8.allSatisfy { byte in
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./".utf8.contains(byte)
    }
    return isPlain ? path : "FILE"
  }

  /// A Python expression that reads `file` as a NumPy array; nil if this kind of file holds no array.
  private func loading(_ file: String) -> String? {
    switch self {
    case .npy: "numpy.load('\(file)')"
    case .npz: "numpy.load('\(file)')['NAME']"
    case .torchZip, .torchPickle: "torch.load('\(file)').numpy()"
    case .pickle: "numpy.asarray(pickle.load(open('\(file)', 'rb')))"
    case .hdf5: "h5py.File('\(file)')['NAME'][()]"
    case .parquet: "pandas.read_parquet('\(file)')['COLUMN'].to_numpy()"
    case .arrow: "pandas.read_feather('\(file)')['COLUMN'].to_numpy()"
    case .office: "pandas.read_excel('\(file)')['COLUMN'].to_numpy()"
    case .matlab: "scipy.io.loadmat('\(file)')['NAME']"
    case .keras, .onnx, .tensorFlowModel, .tensorFlowLite, .gguf, .sqlite, .zip, .gzip, .bzip2, .xz,
      .zstd, .tar, .gitLFSPointer, .html:
      nil
    }
  }

  /// Advice for a file that has no array, where inputs are expected.
  private var inputAdvice: String {
    switch self {
    case .keras, .onnx, .tensorFlowModel, .tensorFlowLite, .gguf:
      "; a model is served from a folder, which FORMAT.md describes"
    case .zip, .gzip, .bzip2, .xz, .zstd, .tar: "; unpack it"
    case .gitLFSPointer: "; git lfs pull fetches the file"
    case .hdf5, .torchZip, .torchPickle, .pickle, .office, .npz, .npy, .parquet, .arrow, .matlab,
      .sqlite, .html:
      ""
    }
  }

  /// The kind of file, for a sentence.
  package var what: String {
    switch self {
    case .hdf5: "an HDF5 file, as Keras writes (.h5)"
    case .keras: "a Keras model (.keras, a zip)"
    case .torchZip: "a file of torch.save or TorchScript (.pt, .pth, .bin: a zip)"
    case .torchPickle: "a file of torch.save in its old form (a pickle)"
    case .pickle: "a Python pickle"
    case .onnx: "an ONNX model"
    case .tensorFlowModel: "a TensorFlow SavedModel"
    case .tensorFlowLite: "a TensorFlow Lite model"
    case .gguf: "a GGUF file"
    case .npz: "a .npz archive of NumPy"
    case .npy: "a .npy array of NumPy"
    case .office: "a spreadsheet or another document of an office suite (a zip)"
    case .parquet: "a Parquet file"
    case .arrow: "an Arrow file (Feather)"
    case .matlab: "a file of MATLAB's (.mat)"
    case .sqlite: "an SQLite database"
    case .zip: "a zip archive"
    case .gzip: "a gzip file"
    case .bzip2: "a bzip2 file"
    case .xz: "an xz file"
    case .zstd: "a Zstandard file"
    case .tar: "a tar archive"
    case .gitLFSPointer: "a pointer of Git LFS, not the file itself"
    case .html: "a page of HTML or XML"
    }
  }

  /// How to import `file`; empty for kinds that can't be imported.
  private func importing(_ file: String) -> String {
    switch self {
    case .hdf5, .keras, .torchZip, .torchPickle, .pickle, .npz, .npy, .onnx:
      "carousel serve \(file) imports and serves it; or, by hand, "
    case .tensorFlowModel, .tensorFlowLite, .gguf, .office, .parquet, .arrow, .matlab, .sqlite,
      .zip, .gzip, .bzip2, .xz, .zstd, .tar, .gitLFSPointer, .html:
      ""
    }
  }

  private func advice(_ file: String) -> String {
    let expected = "expected a folder with model.json and model.safetensors"
    switch self {
    case .hdf5, .keras:
      return "\(expected): save the weights of its layers as FORMAT.md, \"From Keras\", shows"
    case .torchZip, .torchPickle:
      return "\(expected); the weights of a state_dict are saved by: "
        + "python3 -c \"import torch; from safetensors.torch import save_file; "
        + "save_file({k: v.clone() for k, v in torch.load('\(file)', map_location='cpu', "
        + "weights_only=True).items()}, 'model.safetensors')\" "
        + "(TorchScript: torch.jit.load('\(file)', map_location='cpu').state_dict().items())"
    case .pickle:
      return "\(expected): load it in Python, and save its arrays with safetensors.numpy.save_file"
    case .npz:
      return "\(expected); its arrays are saved by: "
        + "python3 -c \"import numpy; from safetensors.numpy import save_file; "
        + "save_file(dict(numpy.load('\(file)')), 'model.safetensors')\""
    case .npy:
      return "\(expected): save each array under its tensor's name with safetensors.numpy.save_file"
    case .onnx, .tensorFlowModel, .tensorFlowLite, .gguf:
      return "\(expected): save the weights from the framework that the model was made with, "
        + "under the names that FORMAT.md lists"
    case .office, .parquet, .arrow, .matlab, .sqlite:
      return "\(expected): this holds data, not weights"
    case .zip, .gzip, .bzip2, .xz, .zstd, .tar:
      return "\(expected): unpack it, and look what is inside"
    case .gitLFSPointer: return "fetch the file: git lfs pull"
    case .html: return "\(expected): the download seems to have failed"
    }
  }
}
