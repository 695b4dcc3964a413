import ModelFormat
import ModelImport

/// The Python that makes arrays for `--check-input` and `--check-output` in the framework of a model's file.
struct FrameworkArrays {
  /// The model's file, or the first of its files.
  let file: String
  let draft: FolderDraft

  /// What to do where the file's own graph can't be computed, or where it has none.
  var remedy: String {
    guard let (place, code) = code else { return "give arrays: \(options)" }
    return "compare with arrays that the framework makes, \(place): \(code); then \(options)"
  }

  private var options: String {
    (["--check-input \(inputFile)"] + outputFiles.map { "--check-output \($0)" })
      .joined(separator: " ")
  }

  private var inputs: [ExampleInput] {
    let steps = ExampleInput.steps
    if let reference = draft.reference {
      return reference.exampleInputs(
        steps: draft.comparedSteps ?? reference.computedSteps())
    }
    if !draft.examples.isEmpty { return draft.examples }
    return draft.description.inputs.map { input in
      let time = input.steps ?? steps
      let (shape, isWhole): ([Int], Bool) =
        switch input.kind {
        case .features(let size, _, _): ([1, time, size], false)
        case .vector(let size): ([1, size], false)
        case .tokens: ([1, time], true)
        }
      return ExampleInput(name: input.name, shape: shape, node: input.name, isWhole: isWhole)
    }
  }

  private var inputFile: String {
    draft.description.inputs.count > 1 ? "input.npz" : "input.npy"
  }

  /// A file for each output of a Keras model; of others the first is compared.
  private var outputFiles: [String] {
    let count = draft.examples.isEmpty ? 1 : draft.description.outputs.count
    return count == 1 ? ["output.npy"] : (0..<count).map { "output\($0).npy" }
  }

  /// Random numbers of NumPy's, or ids, for an input.
  private func array(_ input: ExampleInput) -> String {
    let shape = input.shape.map(String.init).joined(separator: ", ")
    let axes = input.shape.count == 1 ? "\(shape)," : shape
    if input.node == nil {
      let number = input.number.map { $0 == $0.rounded() ? "\(Int($0))" : "\($0)" } ?? "…"
      return "n.full((\(axes)), \(number), '\(input.isWhole ? "i8" : "f4")')"
    }
    let sizes = draft.description.inputs.compactMap { own -> Int? in
      guard own.name == input.node, case .tokens(let size, _) = own.kind else { return nil }
      return size
    }
    let count = sizes.first ?? input.node.flatMap { draft.tableRows(of: $0) }
    guard input.isWhole || count != nil else {
      return "n.random.rand(\(shape)).astype('f4')"
    }
    let ids = "n.random.randint(0, \(count ?? 2), (\(axes)))"
    return input.isWhole || !sizes.isEmpty ? ids : "\(ids).astype('f4')"
  }

  /// Where the code is run, and the code; nil for several files of ONNX.
  private var code: (place: String, code: String)? {
    let inputs = inputs
    let arrays = inputs.map { "\(python($0.name)): \(array($0))" }.joined(separator: ", ")
    let given = inputs.filter { $0.node != nil }
    let save =
      given.count == 1
      ? "n.save('input.npy', x[\(python(given[0].name))])"
      : "n.savez('input.npz', **{\(given.map { "\(python($0.node ?? "")): x[\(python($0.name))]" }.joined(separator: ", "))})"
    let kind = (try? SourceFile(path: file)).flatMap { ForeignFile($0.bytes.span) }
    let start = "x = {\(arrays)}; \(save); n.save('output.npy', "
    switch (kind, draft.reference) {
    case (.keras, _), (.hdf5, _):
      let isWhole = kind == .keras || !file.hasSuffix(".weights.h5")
      let model = isWhole ? "keras.models.load_model(\(python(file)), compile=False)" : "model"
      let saved = outputFiles.enumerated().map { "n.save('\($1)', y\(place(ofOutput: $0)))" }
      let code =
        "x = {\(arrays)}; \(save); y = \(model).predict(\(given.count == 1 ? "*x.values()" : "x")); "
        + saved.joined(separator: "; ")
      return isWhole
        ? kerasShell(code)
        : ("where the model is in Python", "import numpy as n; \(code)")
    case (.torchZip, .some(let reference)):
      let load =
        file.hasSuffix(".pt2")
        ? "torch.export.load(\(python(file))).module()" : "torch.jit.load(\(python(file)))"
      return (
        "in a shell",
        shell(
          "import numpy as n, torch; \(start)\(load)(*map(torch.tensor, x.values()))\(reference.outputCount > 1 ? "[0]" : "").detach())"
        )
      )
    case (_, .some):
      return (
        "in a shell",
        shell(
          "import numpy as n, onnxruntime as o; \(start)o.InferenceSession(\(python(file))).run(None, x)[0])"
        )
      )
    case (.onnx, nil): return nil
    case (_, nil):
      return (
        "where the model is in Python",
        "import numpy as n, torch; \(start)model.eval()(*map(torch.tensor, x.values())).detach())"
      )
    }
  }

  /// The command for a whole Keras model. Keras 3 does not load the recurrent layers of Keras 2, whose options it has no more.
  private func kerasShell(_ code: String) -> (place: String, code: String) {
    guard draft.kerasVersion == 2 else {
      return ("in a shell", shell("import numpy as n, keras; \(code)"))
    }
    let load = "keras = __import__('tf_keras' if u.find_spec('tf_keras') else 'keras')"
    return (
      "with the Keras 2 that wrote the file (or pip install tf_keras), in a shell",
      shell("import numpy as n, importlib.util as u; \(load); \(code)")
    )
  }

  /// Where an output is in what Keras's model answers: an array, a list or a dictionary.
  private func place(ofOutput index: Int) -> String {
    if let keys = draft.outputKeys { return "[\(python(keys[index]))]" }
    return draft.description.outputs.count == 1 ? "" : "[\(index)]"
  }

  /// A text in Python.
  private func python(_ text: String) -> String { "'\(escaped(text, "\\'"))'" }

  private func shell(_ code: String) -> String { "python3 -c \"\(escaped(code, "\\\"$`"))\"" }

  private func escaped(_ text: String, _ special: String) -> String {
    String(text.flatMap { special.contains($0) ? ["\\", $0] : [$0] })
  }
}
