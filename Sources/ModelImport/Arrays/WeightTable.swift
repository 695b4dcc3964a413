/// The named tensors of files without a graph, in the files' order.
struct WeightTable {
  struct Weight: Equatable {
    var name: String
    var shape: [Int]
    /// Row-major, as many as the shape has; may not be finite.
    var floats: [Float]
    /// Whether the file has the tensor as whole numbers, as of counters, indices or masks.
    var isWhole = false
  }

  /// The file's path as given.
  let file: String
  var weights: [Weight] = []
  /// Notes for the person on how the file was read.
  var notes: [String] = []
  /// The tensors of numbers that are not read, and what they are.
  var unread: [(name: String, reason: String)] = []
  /// Whether `weights` have the order in which the model's modules were made.
  var isOrdered = true
  /// Lists of texts beside the weights, by their keys.
  var texts: [(key: String, list: TextList)] = []

  var names: [String] { weights.map(\.name) }

  init(file: String) { self.file = file }

  subscript(name: String) -> Weight? { weights.first { $0.name == name } }

  /// The most elements of a tensor, by the size of its file: a tensor may be a view that repeats one element without end.
  static func maxElements(fileBytes: Int) -> Int {
    max(SourceTensor.maxElements, fileBytes.multipliedReportingOverflow(by: 4).partialValue)
  }

  /// Renames every tensor by `rename`. If two tensors would get the same name, changes nothing and returns false.
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
  /// The tables of several files as one, with each tensor's name prefixed by the stem of its file.
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
      joined.unread += table.unread
      joined.notes += table.notes
      joined.texts += table.texts
      joined.isOrdered = joined.isOrdered && table.isOrdered
    }
    return joined
  }
}
