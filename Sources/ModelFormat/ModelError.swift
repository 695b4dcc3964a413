import JSON

/// Why a model or one of its files is refused. `description` is the sentence.
package enum ModelError: Error, Sendable, Equatable {
  // Files
  /// A system call failed with `errno` `code`; `operation` is a verb.
  case system(_ operation: String, path: String, code: Int32)
  case notRegularFile(path: String)
  /// A file's path where a folder's is expected.
  case notFolder(path: String)
  case noFolder(path: String)
  /// A folder that lacks one of a model's two files.
  case missingFile(_ name: String, folder: String, FolderFinding)
  /// A file of another kind where a model's folder or weights are expected.
  case foreignFile(path: String, ForeignFile)
  case fileTooLarge(path: String, found: Int, limit: Int)
  /// An error in the file at `path`.
  indirect case inFile(path: String, ModelError)

  /// An error in the decoder's graph.
  indirect case inDecoder(ModelError)

  // JSON
  case syntax(JSONSyntaxError)
  case unknownKey(String, path: String, known: [String])
  /// A value at `path` that is not what was expected.
  case unexpected(path: String, found: String, expected: String)
  case tooMany(_ what: String, found: Int, limit: Int)

  // safetensors
  case truncated(_ part: String, expected: Int, found: Int)
  case headerTooLong(found: UInt64, limit: Int)
  case badOffsets(tensor: String, begin: Int, end: Int)
  case shapeOverflow(tensor: String, shape: [Int])
  /// Elements narrower than a byte that don't fill whole bytes.
  case impossibleShape(tensor: String, shape: [Int], type: ElementType)
  case sizeMismatch(tensor: String, shape: [Int], type: ElementType, expected: Int, found: Int)
  /// A tensor that does not start at the end of the previous one.
  case notContiguous(tensor: String, expected: Int, found: Int)
  case unclaimedBytes(claimed: Int, found: Int)
  case notConvertible(tensor: String, type: ElementType)
  case notFinite(tensor: String, index: Int, value: Double)
  /// A weight that the requested precision can't represent.
  case outOfRange(
    tensor: String, index: Int, value: Double, limit: Double, precision: Precision)

  // The graph
  /// A tensor that a node needs is missing; `near` are tensors that may be meant.
  case missingTensor(String, node: String?, near: [String], hint: TensorHint?)
  /// A tensor under a node's prefix that no node reads; `read` are the tensors under that prefix that are read.
  case unreadTensor(String, node: String, op: String, read: [String], hint: TensorHint?)
  /// A tensor of another kind of recurrent network than the node's op.
  case otherNetwork(
    RecurrentKind, tensor: String, shape: [Int], node: String, RecurrentKind)
  /// A projection in a network whose op has none.
  case projection(String, node: String, op: String)
  /// A tensor of a second direction in a recurrent network that reads in reverse only.
  case secondDirection(String, node: String)
  case shapeMismatch(tensor: String, expected: String, found: [Int])
  /// A tensor of a recurrent network that does not fit its other tensors; it would fit if there were a tensor
  /// `missing`.
  case inconsistentTensor(String, node: String, missing: String?)
  /// A name that is not among the values `known`.
  case unknownName(String, path: String, known: [String])
  case duplicateName(String, path: String, first: String)
  case unused(String, path: String)
  /// A cycle of nodes, each needing the next; the first is repeated at the end.
  case cycle([String])
  /// Two inputs of a node with different numbers of steps; `found` and `expected` say in words how many.
  case differentSteps(
    path: String, op: String, name: String, found: String, other: String, expected: String)
  case inputForm(path: String, op: String, name: String, found: Model.ValueForm, expected: String)
}
