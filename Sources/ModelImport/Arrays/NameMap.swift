import JSON

/// The rules of `--names`, from names of the file's tensors to the graph's. A `*` on both sides matches any text; null leaves
/// a tensor out.
struct NameMap {
  private struct Rule {
    let from: String
    let to: String?
  }

  private let path: String
  private let rules: [Rule]

  init(_ file: SourceFile) throws(ImportError) {
    path = file.path
    let value: JSONValue
    do { value = try JSONParser.parse(file.bytes) } catch {
      throw ImportError(file: file.path, problem: "\(error.description)")
    }
    guard case .object(let members) = value else {
      throw ImportError(
        file: file.path,
        problem:
          "found \(value.kind), expected an object: {\"name in the file\": \"name in the graph\"}")
    }
    var rules: [Rule] = []
    for member in members {
      let to: String?
      switch member.value {
      case .string(let text): to = text
      case .null: to = nil
      case .bool, .number, .array, .object:
        throw ImportError(
          file: file.path, place: member.key,
          problem: "found \(member.value.kind), expected a name, or null to leave the tensor out")
      }
      let stars = [member.key, to ?? member.key].map { $0.filter { $0 == "*" }.count }
      guard stars[0] <= 1, stars[1] <= stars[0] else {
        throw ImportError(
          file: file.path, place: member.key,
          problem: "found \(stars[0]) and \(stars[1]) of *, expected at most one on each side")
      }
      rules.append(Rule(from: member.key, to: to))
    }
    self.rules = rules
  }

  /// Renames the table's tensors. Throws if a rule matches none.
  func apply(to table: inout WeightTable) throws(ImportError) {
    var used = Set<String>()
    var left: [WeightTable.Weight] = []
    var names: Set<String> = []
    for var weight in table.weights {
      guard let (rule, name) = match(weight.name) else {
        left.append(weight)
        continue
      }
      used.insert(rule.from)
      guard let name else { continue }
      weight.name = name
      left.append(weight)
    }
    for rule in rules where !used.contains(rule.from) {
      let near = nearestName(to: rule.from, among: table.names)
      throw ImportError(
        file: path, place: rule.from, problem: "found no tensor of this name in \(table.file)",
        remedy: near.map { "did you mean \($0)?" } ?? "its tensors are \(excerpt(table.names))")
    }
    for weight in left where !names.insert(weight.name).inserted {
      throw ImportError(file: path, place: weight.name, problem: "two tensors get this name")
    }
    table.weights = left
  }

  /// The first rule that matches a name, and the new name.
  private func match(_ name: String) -> (rule: Rule, name: String?)? {
    for rule in rules {
      guard let star = rule.from.firstIndex(of: "*") else {
        if rule.from == name { return (rule, rule.to) }
        continue
      }
      let (start, end) = (rule.from[..<star], rule.from[rule.from.index(after: star)...])
      guard name.utf8.count >= start.utf8.count + end.utf8.count, name.hasPrefix(start),
        name.hasSuffix(end)
      else { continue }
      let middle = name.dropFirst(start.count).dropLast(end.count)
      guard let to = rule.to, let place = to.firstIndex(of: "*") else { return (rule, rule.to) }
      return (rule, "\(to[..<place])\(middle)\(to[to.index(after: place)...])")
    }
    return nil
  }
}

/// The first names, for a sentence.
func excerpt(_ names: [String], limit: Int = 12) -> String {
  let shown = names.prefix(limit).joined(separator: ", ")
  return names.count > limit ? "\(shown) and \(names.count - limit) more" : shown
}
