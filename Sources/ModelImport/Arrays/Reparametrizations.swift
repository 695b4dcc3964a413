/// Merges the tensors that a weight is made of where PyTorch reparametrises it: as at inference, in the weight's place.
struct Reparametrizations {
  private var table: WeightTable

  /// A weight and the tensors that make it: what is changed, and what changes it.
  private struct Parts {
    let merged: String
    let weight: String
    let others: [String]
    let method: String
    let merge: (_ weight: WeightTable.Weight, _ others: [WeightTable.Weight]) -> [Float]?
  }

  static func merge(_ table: inout WeightTable) {
    var merging = Reparametrizations(table: table)
    for weight in table.weights {
      for parts in parts(of: weight.name) where merging.merge(parts) { break }
    }
    table = merging.table
  }

  /// The rules that a tensor's name is of.
  private static func parts(of name: String) -> [Parts] {
    if name.hasSuffix("_v") {
      let merged = String(name.dropLast(2))
      return [normalised(merged, direction: name, length: "\(merged)_g")]
    }
    if name.hasSuffix("_orig") {
      let merged = String(name.dropLast(5))
      return [
        Parts(
          merged: merged, weight: name, others: ["\(merged)_mask"], method: "pruned", merge: masked),
        spectral(merged, name, vectors: "\(merged)_"),
      ]
    }
    guard let start = name.ranges(of: "parametrizations.").last,
      let dot = name[start.upperBound...].lastIndex(of: ".")
    else { return [] }
    let prefix = name[..<dot]
    let merged = "\(name[..<start.lowerBound])\(name[start.upperBound..<dot])"
    switch name[dot...] {
    case ".original1":
      return [normalised(merged, direction: name, length: "\(prefix).original0")]
    case ".original": return [spectral(merged, name, vectors: "\(prefix).0._")]
    default: return []
    }
  }

  private mutating func merge(_ parts: Parts) -> Bool {
    guard table[parts.merged] == nil, let weight = table[parts.weight],
      let place = table.weights.firstIndex(where: { $0.name == parts.weight })
    else { return false }
    let others = parts.others.compactMap { table[$0] }
    guard others.count == parts.others.count, let floats = parts.merge(weight, others) else {
      return false
    }
    table.weights[place] = .init(name: parts.merged, shape: weight.shape, floats: floats)
    table.remove(Set(parts.others))
    table.notes.append(
      "\(parts.merged) is put together from \(([parts.weight] + parts.others).joined(separator: " and ")) (\(parts.method))"
    )
    return true
  }

  // MARK: Rules

  /// `torch.nn.utils.weight_norm`: w = g · v / ‖v‖, with a norm for each element of g: for each place along an axis, or one of all.
  private static func normalised(_ merged: String, direction: String, length: String) -> Parts {
    Parts(merged: merged, weight: direction, others: [length], method: "weight_norm") { v, others in
      let g = others[0]
      let axis: Int?
      if g.floats.count == 1, g.shape.allSatisfy({ $0 == 1 }) {
        axis = nil
      } else {
        let shape = g.shape.count == 1 ? g.shape + v.shape.dropFirst().map { _ in 1 } : g.shape
        axis = v.shape.indices.first { axis in
          shape == v.shape.indices.map { $0 == axis ? v.shape[$0] : 1 }
        }
        guard axis != nil else { return nil }
      }
      let places = axis.map { v.shape[$0] } ?? 1
      let inner = axis.map { v.shape[($0 + 1)...].reduce(1, *) } ?? v.floats.count
      var squares = Array(repeating: 0.0, count: places)
      for (index, element) in v.floats.enumerated() {
        squares[index / inner % places] += Double(element) * Double(element)
      }
      return v.floats.enumerated().map { index, element in
        let place = index / inner % places
        return Float(Double(g.floats[place]) * Double(element) / squares[place].squareRoot())
      }
    }
  }

  /// `torch.nn.utils.prune`: w · mask.
  private static func masked(
    _ weight: WeightTable.Weight, _ others: [WeightTable.Weight]
  ) -> [Float]? {
    guard others[0].shape == weight.shape else { return nil }
    return zip(weight.floats, others[0].floats).map { $0 * $1 }
  }

  /// `torch.nn.utils.spectral_norm`: w / σ, σ = uᵀ w v, with w as a matrix of one axis and all others: the first, or the one whose
  /// sizes and directions u and v are of.
  private static func spectral(_ merged: String, _ weight: String, vectors: String) -> Parts {
    Parts(
      merged: merged, weight: weight, others: ["\(vectors)u", "\(vectors)v"],
      method: "spectral_norm"
    ) { weight, others in
      let (u, v) = (others[0].floats.map(Double.init), others[1].floats.map(Double.init))
      let found = weight.shape.indices.filter {
        weight.shape[$0] == u.count && u.count * v.count == weight.floats.count
      }.map { axis in
        let product = Self.product(weight, along: axis, v)
        let length = product.reduce(0) { $0 + $1 * $1 }.squareRoot()
        let sigma = zip(u, product).reduce(0) { $0 + $1.0 * $1.1 }
        return (sigma: sigma, cosine: length == 0 ? 0 : abs(sigma) / length)
      }.sorted { $0.cosine > $1.cosine }
      // Training has made w v a multiple of u.
      guard let best = found.first, best.sigma != 0,
        found.count == 1 || best.cosine > 0.9 && found[1].cosine < 0.8
      else { return nil }
      return weight.floats.map { Float(Double($0) / best.sigma) }
    }
  }

  /// A weight as a matrix, whose rows are the places along an axis, times a vector.
  private static func product(
    _ weight: WeightTable.Weight, along axis: Int, _ v: [Double]
  ) -> [Double] {
    let (rows, inner) = (weight.shape[axis], weight.shape[(axis + 1)...].reduce(1, *))
    var product = Array(repeating: 0.0, count: rows)
    for (index, element) in weight.floats.enumerated() {
      let (row, column) = (index / inner % rows, index / inner / rows * inner + index % inner)
      product[row] += Double(element) * v[column]
    }
    return product
  }
}
