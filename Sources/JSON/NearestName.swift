/// The name of `names` that is nearest to `text`, at most two edits away; nil where none is that near.
package func nearestName(to text: String, among names: some Sequence<String>) -> String? {
  // Two edits change at most two characters of up to four bytes each. The filter skips long texts cheaply.
  names.filter { abs($0.utf8.count - text.utf8.count) <= 2 * 4 }
    .map { (name: $0, distance: editDistance(text, $0)) }
    .filter { $0.distance <= 2 }
    .min { ($0.distance, $0.name) < ($1.distance, $1.name) }?
    .name
}

/// The optimal string alignment distance: the fewest insertions, deletions, replacements and swaps of
/// neighbours that turn one text into the other.
package func editDistance(_ first: String, _ second: String) -> Int {
  let first = Array(first)
  let second = Array(second)
  // Row i holds the distances of first[..<i] to every prefix of second; three rows are enough.
  var before: [Int] = []
  var last: [Int] = []
  var row = Array(0...second.count)
  for i in first.indices {
    (before, last) = (last, row)
    row[0] = i + 1
    for j in second.indices {
      let replaced = last[j] + (first[i] == second[j] ? 0 : 1)
      row[j + 1] = min(replaced, last[j + 1] + 1, row[j] + 1)
      if i > 0, j > 0, first[i] == second[j - 1], first[i - 1] == second[j] {
        row[j + 1] = min(row[j + 1], before[j - 1] + 1)
      }
    }
  }
  return row[second.count]
}
