import Glibc

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
    case .fileTooLarge(let path, let found, let limit):
      return "\(path) has \(found) bytes, more than the limit of \(limit)"
    case .inFile(let path, let error):
      return "\(path): \(error)"

    case .malformedJSON(let line, let column, let found, let expected):
      return "line \(line), column \(column): expected \(expected), found \(name(of: found))"
    case .duplicateKey(let key, let line, let column):
      return "line \(line), column \(column): the key \(quote(key)) stands twice in one object"
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

    case .missingTensor(let tensor, let node):
      let need = node.map { ", which node \(quote($0)) needs" } ?? ""
      return "there is no tensor \(quote(tensor))\(need)"
    case .shapeMismatch(let tensor, let expected, let found):
      return "tensor \(quote(tensor)): expected shape \(expected), found \(found)"
    case .inconsistentTensor(let tensor, let node):
      return "tensor \(quote(tensor)) does not fit the other tensors of node \(quote(node)): "
        + "every layer and direction has the same kinds of tensor, and layers are counted from 0"
    case .unknownName(let name, let path):
      return "\(path): nothing is named \(quote(name))"
    case .duplicateName(let name, let path, let first):
      return "\(path): the name \(quote(name)) is taken by \(first)"
    case .unused(let name, let path):
      return "\(path): \(quote(name)) leads to no output"
    case .cycle(let names):
      return "nodes need each other in a cycle: \(names.joined(separator: " → "))"
    case .inputForm(let path, let op, let name, let found, let expected):
      return "\(path): \(op) takes \(expected), \(quote(name)) is \(found)"
    }
  }

  private func quote(_ text: String) -> String { ModelError.quoted(text) }

  private func name(of byte: UInt8?) -> String {
    guard let byte else { return "the end" }
    if (0x21...0x7E).contains(byte) { return "'\(Character(Unicode.Scalar(byte)))'" }
    return "byte \(byte)"
  }
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
