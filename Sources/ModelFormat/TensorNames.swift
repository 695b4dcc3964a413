import JSON

/// The full name of a node's tensor: without a prefix (a bare module's `state_dict`) there is no dot.
package func tensorName(_ name: String, under prefix: String) -> String {
  prefix.isEmpty ? name : "\(prefix).\(name)"
}

/// The part of a tensor's name behind `prefix`; nil where it does not stand under it. Under the empty prefix stand the
/// names without a dot.
func nameOfTensor(_ tensor: String, under prefix: String) -> String? {
  if prefix.isEmpty { return tensor.contains(".") ? nil : tensor }
  guard tensor.hasPrefix(prefix + ".") else { return nil }
  return String(tensor.dropFirst(prefix.count + 1))
}

/// What a tensor that does not fit probably is.
package enum TensorHint: Sendable, Equatable {
  /// It was meant to have that name.
  case meant(String)
  /// A tensor that is there and has the values of the one that is missing, as tied weights do.
  case tied(to: String, bias: String)
  /// A cell's, which has no layers: `weight_ih` for `weight_ih_l0`. `of` is the network's class in PyTorch.
  case cell(of: String)
  /// Keras's, whose matrices are transposed: `kernel`, `recurrent_kernel`.
  case keras
  /// Statistics that a batch normalisation subtracts and divides by.
  case batchNorm
  /// An attribute of the node stands in its place.
  case attribute
  /// Weights in a reparametrised form, to be merged before they are saved.
  case reparametrised
}

/// What tells one kind of recurrent network from another.
package struct RecurrentKind: Sendable, Equatable {
  package let op: String
  /// Its class in PyTorch.
  package let module: String
  /// Rows of `weight_hh` for each of its columns.
  package let gates: Int

  init(_ network: any RecurrentOp.Type) {
    op = network.name
    module = network.module
    gates = network.gates
  }

  /// Rows of each of its matrices, as a shape has them.
  var rows: String { gates == 1 ? "hidden" : "\(gates)·hidden" }
}

/// At most three of `names` that `name` may stand for: those of the same last part, those beside it under its prefix, and
/// those that a typing error is away.
func names(near name: String, among names: [String]) -> [String] {
  let (prefix, last) = split(name)
  let ranked = names.prefix(comparedNames).compactMap { other -> (rank: Int, name: String)? in
    let (otherPrefix, otherLast) = split(other)
    if otherLast == last { return (editDistance(prefix, otherPrefix), other) }
    if otherPrefix == prefix { return (100 + editDistance(last, otherLast), other) }
    let distance = editDistance(name, other)
    return distance <= Swift.max(2, name.count / 4) ? (200 + distance, other) : nil
  }
  return ranked.sorted { ($0.rank, $0.name) < ($1.rank, $1.name) }.prefix(3).map(\.name)
}

/// Names of a file that a missing one is compared with: a file may have millions.
private let comparedNames = 2000

/// A tensor's prefix and the rest, of which long ones are cut.
private func split(_ name: String) -> (prefix: String, last: String) {
  guard let dot = name.lastIndex(of: ".") else { return ("", name) }
  return (String(name[..<dot].suffix(200)), String(name[name.index(after: dot)...].suffix(200)))
}
