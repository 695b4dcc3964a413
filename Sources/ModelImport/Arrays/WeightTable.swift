/// The tensors of files that hold weights alone, by name, in the files' order.
struct WeightTable {
  struct Weight: Equatable {
    var name: String
    var shape: [Int]
    /// Row-major, as many as the shape says; maybe not all finite.
    var floats: [Float]
    /// Whether the file has whole numbers: counters, indices, masks.
    var isWhole = false
  }

  /// The file, as it was named.
  let file: String
  var weights: [Weight] = []
  /// What the person should know of how the file was read.
  var notes: [String] = []
  /// Whether `weights` stand in the order in which the model's modules were made.
  var isOrdered = true
  /// Texts by id that stand beside the weights, by the keys that they stand under.
  var texts: [(key: String, list: TextList)] = []

  var names: [String] { weights.map(\.name) }

  init(file: String) { self.file = file }

  subscript(name: String) -> Weight? { weights.first { $0.name == name } }

  /// What is kept of tensors that no graph could hold, by the size of the file that they are read from: a tensor may be a
  /// view that repeats one element without end.
  static func maxElements(fileBytes: Int) -> Int {
    max(SourceTensor.maxElements, fileBytes.multipliedReportingOverflow(by: 4).partialValue)
  }

  /// Gives every tensor the name that `rename` makes of its own. Of two tensors that get the same name nothing is lost: false
  /// is returned, and nothing changed.
  @discardableResult
  mutating func rename(_ rename: (String) -> String) -> Bool {
    let renamed = names.map(rename)
    guard Set(renamed).count == renamed.count else { return false }
    for index in weights.indices { weights[index].name = renamed[index] }
    return true
  }

  mutating func remove(_ names: Set<String>) {
    weights.removeAll { names.contains($0.name) }
  }
}

extension WeightTable {
  /// The tables of several files as one, each tensor under the stem of its file.
  static func joined(_ tables: [(stem: String, table: WeightTable)]) -> WeightTable {
    guard let first = tables.first else { return WeightTable(file: "-") }
    guard tables.count > 1 else { return first.table }
    var joined = WeightTable(file: first.table.file)
    for (stem, table) in tables {
      joined.weights += table.weights.map { weight in
        var weight = weight
        weight.name = "\(stem).\(weight.name)"
        return weight
      }
      joined.notes += table.notes
      joined.texts += table.texts
      joined.isOrdered = joined.isOrdered && table.isOrdered
    }
    return joined
  }
}
