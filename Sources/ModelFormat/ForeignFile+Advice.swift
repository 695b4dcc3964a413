extension ForeignFile {
  /// What the file at `path` is, and how to make a model of it.
  func description(of path: String) -> String {
    // What stands in a command line is a name that needs no quotes.
    let isPlain = path.utf8.allSatisfy { byte in
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./".utf8.contains(byte)
    }
    let file = isPlain ? path : "FILE"
    return "\(path) is \(what); \(advice(file))"
  }

  private var what: String {
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
    case .zip: "a zip archive"
    case .gzip: "a gzip file"
    case .tar: "a tar archive"
    case .gitLFSPointer: "a pointer of Git LFS, not the file itself"
    case .html: "a page of HTML or XML"
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
    case .zip, .gzip, .tar: return "\(expected): unpack it, and look what is inside"
    case .gitLFSPointer: return "fetch the file: git lfs pull"
    case .html: return "\(expected): the download seems to have failed"
    }
  }
}
