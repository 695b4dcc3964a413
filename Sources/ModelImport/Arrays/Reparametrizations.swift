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

  /// `torch.nn.utils.weight_norm`: w = g · v / ‖v‖, with the norm over all axes but the first.
  private static func normalised(_ merged: String, direction: String, length: String) -> Parts {
    Parts(merged: merged, weight: direction, others: [length], method: "weight_norm") { v, others in
      let g = others[0]
      guard let rows = v.shape.first, rows > 0, g.shape.first == rows, g.floats.count == rows,
        v.floats.count.isMultiple(of: rows)
      else { return nil }
      let columns = v.floats.count / rows
      return (0..<rows).flatMap { row in
        let elements = v.floats[row * columns..<(row + 1) * columns]
        let norm = elements.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot()
        return elements.map { Float(Double(g.floats[row]) * Double($0) / norm) }
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

  /// `torch.nn.utils.spectral_norm`: w / σ, σ = uᵀ w v, with w as a matrix of the first axis and all others.
  private static func spectral(_ merged: String, _ weight: String, vectors: String) -> Parts {
    Parts(
      merged: merged, weight: weight, others: ["\(vectors)u", "\(vectors)v"],
      method: "spectral_norm"
    ) { weight, others in
      let (u, v) = (others[0].floats, others[1].floats)
      guard weight.shape.first == u.count, u.count * v.count == weight.floats.count else {
        return nil
      }
      var sigma = 0.0
      for row in u.indices {
        for column in v.indices {
          sigma +=
            Double(u[row]) * Double(weight.floats[row * v.count + column]) * Double(v[column])
        }
      }
      return sigma == 0 ? nil : weight.floats.map { Float(Double($0) / sigma) }
    }
  }
}
