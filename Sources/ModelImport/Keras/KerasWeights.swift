import JSON

/// The weights of a layer in a file.
struct KerasWeights {
  let file: HDF5File
  let place: Place

  enum Place: Equatable {
    /// The layer's group in a file of Keras 3: `vars` has its own weights, other groups its parts.
    case group(String)
    /// Data sets in Keras's order: trainable weights, then the others.
    case list([String])
  }

  /// The weights of a part of a layer, by the attribute's name in Keras; for a list, the same list.
  func part(_ attribute: String) -> KerasWeights {
    switch place {
    case .group(let path): KerasWeights(file: file, place: .group("\(path)/\(attribute)"))
    case .list: self
    }
  }

  /// The part under the first of the names that is there: Keras 2 has private attributes with a stroke before.
  func part(named attribute: String, weights range: Range<Int>) -> KerasWeights {
    part(has("_\(attribute)") ? "_\(attribute)" : attribute, weights: range)
  }

  /// Whether there is a group for the part.
  func has(_ attribute: String) -> Bool {
    guard case .group(let path) = place else { return false }
    return file.exists("\(path)/\(attribute)")
  }

  /// A range of a list; for a group, the part instead.
  func part(_ attribute: String, weights range: Range<Int>) -> KerasWeights {
    guard case .list(let paths) = place else { return part(attribute) }
    return KerasWeights(file: file, place: .list(Array(paths[range.clamped(to: paths.indices)])))
  }

  /// The number of weights, without parts.
  func count(of layer: KerasLayer) throws(ImportError) -> Int { try paths(of: layer).count }

  private func paths(of layer: KerasLayer) throws(ImportError) -> [String] {
    switch place {
    case .list(let paths): return paths
    case .group(let path):
      let vars = "\(path)/vars"
      guard file.exists(vars) else { return [] }
      do throws(HDF5Error) {
        return try file.members(of: vars).filter { Int($0) != nil }
          .sorted { Int($0)! < Int($1)! }.map { "\(vars)/\($0)" }
      } catch { throw layer.refusal(error) }
    }
  }

  /// The sizes of one of the weights.
  func shape(_ index: Int, of layer: KerasLayer) throws(ImportError) -> [Int] {
    let paths = try paths(of: layer)
    guard index < paths.count else { return [] }
    do { return try file.shape(of: paths[index]) } catch { throw layer.refusal(error) }
  }

  /// Reads the weights of a layer and checks their shapes.
  ///
  /// - Parameter expected: the name and shape of each weight, in Keras's order.
  func arrays(
    _ expected: [(name: String, shape: [Int])], of layer: KerasLayer
  ) throws(ImportError) -> [[Float]] {
    let paths = try paths(of: layer)
    guard paths.count == expected.count else {
      let location = if case .group(let path) = place { " at \(path.jsonExcerpt)" } else { "" }
      let names = expected.isEmpty ? "none" : expected.map(\.name).joined(separator: ", ")
      throw layer.refusal("found \(paths.count) weights\(location), expected \(names)")
    }
    var arrays: [[Float]] = []
    for (path, (name, shape)) in zip(paths, expected) {
      do throws(HDF5Error) {
        let found = try file.shape(of: path)
        guard found == shape else {
          throw HDF5Error(path: path, problem: .shape(name, found: found, expected: shape))
        }
        arrays.append(try file.floats(of: path))
      } catch { throw layer.refusal(error) }
    }
    for (floats, path) in zip(arrays, paths) where !floats.allSatisfy(\.isFinite) {
      throw layer.refusal("\(path.jsonExcerpt) has a weight that is not finite")
    }
    return arrays
  }
}

extension KerasLayer {
  func refusal(_ error: HDF5Error) -> ImportError {
    refusal("\(error.path.jsonExcerpt): \(error)")
  }
}
