import JSON

/// The full name of a node's tensor; with an empty prefix (the `state_dict` of a single module) there is no dot.
package func tensorName(_ name: String, under prefix: String) -> String {
  prefix.isEmpty ? name : "\(prefix).\(name)"
}

/// The part of a tensor's name after `prefix`; nil if the name does not have the prefix. Names without a dot have the empty
/// prefix.
func nameOfTensor(_ tensor: String, under prefix: String) -> String? {
  if prefix.isEmpty { return tensor.contains(".") ? nil : tensor }
  guard tensor.hasPrefix(prefix + ".") else { return nil }
  return String(tensor.dropFirst(prefix.count + 1))
}

/// What a missing or unread tensor probably is.
package enum TensorHint: Sendable, Equatable {
  /// It is a tensor under a wrong name: this is the right one.
  case meant(String)
  /// Weights tied to the tensor `to`, the only one of the two that was saved. `bias` is the tensor that stands beside
  /// the missing one.
  case tied(to: String, bias: String)
  /// A tensor of a single cell, without layers: `weight_ih` for `weight_ih_l0`. `of` is the network's class in PyTorch.
  case cell(of: String)
  /// A tensor of Keras, whose matrices are transposed: `kernel`, `recurrent_kernel`.
  case keras
  /// Statistics of a batch normalisation.
  case batchNorm
  /// The node does not read it, since an attribute of the node replaces it.
  case attribute
  /// Reparametrised weights, which have to be merged before saving.
  case reparametrised
}

/// A kind of recurrent network, for errors.
package struct RecurrentKind: Sendable, Equatable {
  package let op: String
  /// The network's class in PyTorch.
  package let module: String
  /// The rows of `weight_hh` for each column.
  package let gates: Int

  init(_ network: any RecurrentOp.Type) {
    op = network.name
    module = network.module
    gates = network.gates
  }

  /// The number of rows of the network's matrices, in words.
  var rows: String { gates == 1 ? "hidden" : "\(gates)·hidden" }
}

/// At most three of `names` that `name` may mean: those with the same last part, those with the same prefix, and those a
/// typing error away.
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

/// The most names that `names(near:among:)` compares, as a file may have millions.
private let comparedNames = 2000

/// A tensor's prefix and the rest, cut if long.
private func split(_ name: String) -> (prefix: String, last: String) {
  guard let dot = name.lastIndex(of: ".") else { return ("", name) }
  return (String(name[..<dot].suffix(200)), String(name[name.index(after: dot)...].suffix(200)))
}
