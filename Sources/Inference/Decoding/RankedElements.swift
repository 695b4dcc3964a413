extension RandomAccessCollection where Index == Int, Element: Comparable {
  /// The indices in `range` of the `count` largest elements, the largest first; of equals, the first comes first.
  ///
  /// Uses a heap of `count` elements with the least at its root: most elements are compared with the root only.
  func ranked(_ count: Int, in range: Range<Int>) -> [Int] {
    var kept: [Int] = []
    kept.reserveCapacity(count)
    func goesBefore(_ a: Int, _ b: Int) -> Bool {
      self[a] == self[b] ? a > b : self[a] < self[b]
    }
    func sink(_ start: Int) {
      let element = kept[start]
      var node = start
      while 2 * node + 1 < kept.count {
        var child = 2 * node + 1
        if child + 1 < kept.count, goesBefore(kept[child + 1], kept[child]) { child += 1 }
        guard goesBefore(kept[child], element) else { break }
        kept[node] = kept[child]
        node = child
      }
      kept[node] = element
    }
    for index in range {
      if kept.count < count {
        kept.append(index)
        if kept.count == count {
          for node in stride(from: count / 2 - 1, through: 0, by: -1) { sink(node) }
        }
      } else if self[index] > self[kept[0]] {
        kept[0] = index
        sink(0)
      }
    }
    return kept.sorted { goesBefore($1, $0) }
  }
}
