import Glibc
import JSON

extension ModelError: CustomStringConvertible {
  /// One sentence, without a full stop, on what was found where and what was expected.
  package var description: String {
    switch self {
    case .system(let operation, let path, let code):
      // SAFETY: strerror's text is valid until this thread's next call of it, and copied here.
      let reason = unsafe String(cString: strerror(code))
      return "can't \(operation) \(path): \(reason)"
    case .notRegularFile(let path):
      return "\(path) is not a regular file"
    case .notFolder(let path):
      return "\(path) is a file, expected the folder that holds the model"
    case .noFolder(let path):
      return "there is no folder \(path), expected one with model.json and model.safetensors"
    case .missingFile(let name, let folder, let finding):
      return "\(folder) holds no \(name); \(phrase(of: finding, missing: name, folder: folder))"
    case .foreignFile(let path, let file):
      return file.description(of: path)
    case .fileTooLarge(let path, let found, let limit):
      return "\(path) has \(found) bytes, more than the limit of \(limit)"
    case .inFile(let path, let error):
      return "\(path): \(error)"
    case .inDecoder(let error):
      return "decoder: \(error)"

    case .syntax(let error):
      return "\(error)"
    case .unknownKey(let key, let path, let known):
      let place = path.isEmpty ? "" : "\(path): "
      return "\(place)unknown key \(quote(key)); known are \(known.joined(separator: ", "))"
    case .unexpected(let path, let found, let expected):
      return "\(path.isEmpty ? "the document" : path): expected \(expected), found \(found)"
    case .tooMany(let what, let found, let limit):
      return "\(what): \(found), more than the limit of \(limit)"

    case .truncated(let part, let expected, let found):
      return "the file ends within \(part): expected \(expected) bytes, found \(found)"
    case .headerTooLong(let found, let limit):
      return "the header's length is \(found) bytes, more than the limit of \(limit)"
    case .badOffsets(let tensor, let begin, let end):
      return "tensor \(quote(tensor)): data_offsets [\(begin), \(end)] are not an ascending range"
    case .shapeOverflow(let tensor, let shape):
      return "tensor \(quote(tensor)): the shape \(shape) has more elements than can be counted"
    case .impossibleShape(let tensor, let shape, let type):
      return
        "tensor \(quote(tensor)): \(type.rawValue) of shape \(shape) is no countable number of whole bytes"
    case .sizeMismatch(let tensor, let shape, let type, let expected, let found):
      return
        "tensor \(quote(tensor)): \(type.rawValue) of shape \(shape) takes \(expected) bytes, data_offsets hold \(found)"
    case .notContiguous(let tensor, let expected, let found):
      let fault = found < expected ? "overlaps the tensor before it" : "leaves a hole before it"
      return "tensor \(quote(tensor)) \(fault): expected data offset \(expected), found \(found)"
    case .unclaimedBytes(let claimed, let found):
      return "the tensors end at data offset \(claimed), the data at \(found)"
    case .notConvertible(let tensor, let type):
      return "tensor \(quote(tensor)): expected F32, F16, BF16 or F64, found \(type.rawValue)"
    case .notFinite(let tensor, let index, let value):
      return "tensor \(quote(tensor)): element \(index) is \(value), not a finite float"
    case .outOfRange(let tensor, let index, let value, let limit, let precision):
      let found = "element \(index) is \(value)"
      return "tensor \(quote(tensor)): \(found), beyond the \(limit) of \(precision)"

    case .missingTensor(let tensor, let node, let near, let hint):
      let need = node.map { ", which node \(quote($0)) needs" } ?? ""
      let others = near.isEmpty ? "" : "; there is \(list(near))"
      return "there is no tensor \(quote(tensor))\(need)\(others)\(phrase(of: hint))"
    case .unreadTensor(let tensor, let node, let op, let read, let hint):
      let others = read.isEmpty ? "nothing" : list(read)
      return "tensor \(quote(tensor)) is read by no node: under its prefix node \(quote(node)) "
        + "(\(op)) reads \(others)\(phrase(of: hint)); "
        + "rename it, add a node that reads it, or save the model without it"
    case .otherNetwork(let found, let tensor, let shape, let node, let expected):
      return
        "tensor \(quote(tensor)): the shape \(shape) has \(rows(found.gates)) a hidden unit, as "
        + "torch.nn.\(found.module) has; node \(quote(node)) is of the op \(expected.op), which has "
        + "\(expected.gates): expected [\(expected.rows), hidden], or \"op\": \(quote(found.op))"
    case .projection(let tensor, let node, let op):
      return
        "tensor \(quote(tensor)): node \(quote(node)) is of the op \(op), whose h is not projected; "
        + "an lstm's may be"
    case .secondDirection(let tensor, let node):
      return "tensor \(quote(tensor)): node \(quote(node)) reads in reverse alone "
        + "(\"direction\"), expected the tensors of one direction, without \"_reverse\""
    case .shapeMismatch(let tensor, let expected, let found):
      return "tensor \(quote(tensor)): expected shape \(expected), found \(found)"
    case .inconsistentTensor(let tensor, let node, let missing):
      return "tensor \(quote(tensor)) does not fit the other tensors of node \(quote(node)): "
        + "every layer and direction has the same kinds of tensor, and layers are counted from 0"
        + (missing.map { "; there is no \(quote($0))" } ?? "")
    case .unknownName(let name, let path, let known):
      // Short names are all similar.
      let nearest = name.utf8.count > 3 ? nearestName(to: name, among: known) : nil
      let meant = nearest.map { "; perhaps \(quote($0)) is meant" } ?? ""
      return "\(path): nothing is named \(quote(name)); there is \(list(known, limit: 20))\(meant)"
    case .duplicateName(let name, let path, let first):
      return "\(path): the name \(quote(name)) is taken by \(first)"
    case .unused(let name, let path):
      return "\(path): \(quote(name)) leads to no output; "
        + "name it among the outputs or the inputs of a node that does, or leave it out"
    case .cycle(let names):
      return "nodes need each other in a cycle: \(names.joined(separator: " → "))"
    case .differentSteps(let path, let op, let name, let found, let other, let expected):
      return
        "\(path): \(op) takes sequences of as many steps as each other, \(quote(name)) has \(found), \(quote(other)) has "
        + expected
    case .inputForm(let path, let op, let name, let found, let expected):
      return "\(path): \(op) takes \(expected), \(quote(name)) is \(found)"
    }
  }

  /// What a folder has instead of a missing file, or what to do.
  private func phrase(of finding: FolderFinding, missing name: String, folder: String) -> String {
    switch finding {
    case .models(let models):
      "there are models in it: name \(list(models.map { "\(folder)/\($0)" })), or serve all with --models \(folder)"
    case .files(let names): "there is \(list(names)), expected it under the name \(name)"
    case .none where name == Model.descriptionFile:
      "it says what goes in, what is computed and what comes out: FORMAT.md shows how to write it"
    case .none: "the weights are saved with safetensors.torch.save_file: FORMAT.md shows how"
    }
  }

  /// A hint about a tensor, as the end of a sentence.
  private func phrase(of hint: TensorHint?) -> String {
    switch hint {
    case nil: ""
    case .meant(let name): "; perhaps \(quote(name)) is meant"
    case .tied(let other, let bias):
      "; tied weights, of which \(quote(other)) was saved: save each tensor by itself (clone()), "
        + "or read \(quote(other)) by this node and \(quote(bias)) by an affine node after it"
    case .cell(let module):
      "; these are the names of a torch.nn.\(module)Cell: save each with \"_l0\" behind its name"
    case .keras:
      "; these are Keras's names: FORMAT.md, \"From Keras\", shows how to save them"
    case .batchNorm:
      "; statistics of a batch normalisation, which the op \"batch_norm\" reads"
    case .attribute: "; an attribute of the node stands in its place"
    case .reparametrised:
      "; merge the parts of the weight before saving: torch.nn.utils.remove_weight_norm(module), remove_spectral_norm(module), "
        + "prune.remove(module, 'weight') or parametrize.remove_parametrizations(module, 'weight')"
    }
  }

  private func rows(_ count: Int) -> String { count == 1 ? "1 row" : "\(count) rows" }

  /// The first names in quotes, and how many more there are.
  private func list(_ names: [String], limit: Int = 6) -> String {
    names.prefix(limit).map(quote).joined(separator: ", ")
      + (names.count > limit ? " and \(names.count - limit) more" : "")
  }

  private func quote(_ text: String) -> String { text.jsonExcerpt }
}

extension Model.ValueForm: CustomStringConvertible {
  package var description: String {
    switch self {
    case .tokens: "tokens"
    case .sequence(let size): "a sequence of size \(size)"
    case .vector(let size): "a vector of size \(size)"
    }
  }
}
