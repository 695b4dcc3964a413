import JSON

/// Why a model, or one of its files, was refused. `description` makes the sentence.
package enum ModelError: Error, Sendable, Equatable {
  // Files
  /// A system call failed with `errno` `code`; `operation` is a verb.
  case system(_ operation: String, path: String, code: Int32)
  case notRegularFile(path: String)
  /// A file's path where a folder's belongs.
  case notFolder(path: String)
  case noFolder(path: String)
  /// A folder without one of a model's two files.
  case missingFile(_ name: String, folder: String, FolderFinding)
  /// A file of another kind where a model's folder or weights belong.
  case foreignFile(path: String, ForeignFile)
  case fileTooLarge(path: String, found: Int, limit: Int)
  /// What went wrong inside the file at `path`.
  indirect case inFile(path: String, ModelError)

  /// What is wrong with the graph of the decoder.
  indirect case inDecoder(ModelError)

  // JSON
  case syntax(JSONSyntaxError)
  case unknownKey(String, path: String, known: [String])
  /// A value at `path` that is not what belongs there.
  case unexpected(path: String, found: String, expected: String)
  case tooMany(_ what: String, found: Int, limit: Int)

  // safetensors
  case truncated(_ part: String, expected: Int, found: Int)
  case headerTooLong(found: UInt64, limit: Int)
  case badOffsets(tensor: String, begin: Int, end: Int)
  case shapeOverflow(tensor: String, shape: [Int])
  /// The elements, narrower than a byte, don't fill whole bytes.
  case impossibleShape(tensor: String, shape: [Int], type: ElementType)
  case sizeMismatch(tensor: String, shape: [Int], type: ElementType, expected: Int, found: Int)
  /// The tensor starts before or behind the end of the one before it.
  case notContiguous(tensor: String, expected: Int, found: Int)
  case unclaimedBytes(claimed: Int, found: Int)
  case notConvertible(tensor: String, type: ElementType)
  case notFinite(tensor: String, index: Int, value: Double)
  /// A weight that the precision asked for can't hold.
  case outOfRange(
    tensor: String, index: Int, value: Double, limit: Double, precision: Precision)

  // The graph
  /// `near` are tensors that are there and may be meant.
  case missingTensor(String, node: String?, near: [String], hint: TensorHint?)
  /// A tensor under a node's prefix that neither that node nor another reads; `read` are those that are.
  case unreadTensor(String, node: String, op: String, read: [String], hint: TensorHint?)
  /// A tensor of another kind of recurrent network than the node says that it is.
  case otherNetwork(
    RecurrentKind, tensor: String, shape: [Int], node: String, RecurrentKind)
  /// A projection of a network that has none.
  case projection(String, node: String, op: String)
  /// A reverse direction's tensor of a recurrent network that is to read in reverse alone.
  case secondDirection(String, node: String)
  case shapeMismatch(tensor: String, expected: String, found: [Int])
  /// A tensor of a recurrent network that its other tensors leave no place for; `missing` would make one.
  case inconsistentTensor(String, node: String, missing: String?)
  /// A name that is none of the values `known`.
  case unknownName(String, path: String, known: [String])
  case duplicateName(String, path: String, first: String)
  case unused(String, path: String)
  /// The nodes of the cycle, each needing the next, the first again at the end.
  case cycle([String])
  /// Two inputs of a node have different numbers of steps; `found` and `expected` say in words how many.
  case differentSteps(
    path: String, op: String, name: String, found: String, other: String, expected: String)
  case inputForm(path: String, op: String, name: String, found: Model.ValueForm, expected: String)
}
